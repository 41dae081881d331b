// The push hub: who is connected, and what each must be told. It holds the sinks: when it ends, their sockets close and
// the clients reconnect into a snapshot, so that a crash of it loses no news. Owned by the front's supervisor,
// permanent. Its state is about live sockets only.
#pragma once

#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace dr::actors {

struct tail_due {};
struct doubts_due {};
struct closing_due {
  campaign_id of;
};
using push_hub_impl =
    push_hub_actor::extend<caf::reacts_to<tail_due>, caf::reacts_to<doubts_due>, caf::reacts_to<closing_due>>;

/// A campaign that was closed tells so itself, unless it was lost behind the commit. Then the hub does, after this
/// time.
inline constexpr std::chrono::seconds closing_patience{5};

struct push_hub_state {
  static constexpr const char* name = "push_hub";

  /// A connected customer's part in an open campaign, as far as the hub has heard of it, and the newest answer that it
  /// was told.
  struct part {
    campaign_id of;
    answer told = answer::ignore;
    std::int64_t version = 0; ///< of that response; 0: nothing yet
    std::optional<time_point> answered_at = {};
    std::optional<time_point> delivered_at = {};
  };
  struct customer {
    std::string name = {};
    std::vector<sink_ptr> sinks = {};
    std::vector<part> campaigns = {}; ///< a few

    void push(const push_frame& frame) const {
      for (const auto& sink : sinks) sink->push(frame);
    }
    bool is_part_of(campaign_id id) const { return std::ranges::find(campaigns, id, &part::of) != campaigns.end(); }
    part& join(campaign_id id) {
      auto mine = std::ranges::find(campaigns, id, &part::of);
      return mine == campaigns.end() ? campaigns.emplace_back(part{id}) : *mine;
    }
  };
  /// A campaign-wide notice, and those connected customers of whom storage must say whether it concerns them.
  struct doubt {
    std::uint64_t number = 0;
    std::shared_ptr<const campaign> of;
    push_frame notice;
    std::vector<user_id> users; ///< the last are asked about first
  };

  explicit push_hub_state(push_hub_impl::pointer me) : self(me) {}
  push_hub_state(const push_hub_state&) = delete;
  push_hub_state& operator=(const push_hub_state&) = delete;

  // customers (push_hub.cpp)
  void attach(const attach_customer& who);
  void remove(const sink_ptr& sink);
  void forget(std::unordered_map<user_id, customer>::iterator who);
  void tell(user_id user, std::string text);
  void alert(const alert_users& what);
  void notice(const campaign_noticed& what);
  void committed(const storage::committed& what);
  void renamed(user_id id, const std::string& now);
  bool first_closing(campaign_id id);
  void closed(const campaign& now);
  void closing_untold(campaign_id id);
  void answered(const response& now);
  void checked(const storage::check_settled& what);

  // who is part of a campaign (push_members.cpp)
  void doubt_others(const std::shared_ptr<const campaign>& of, const push_frame& notice);
  void ask_about_doubts();
  void are_part(std::uint64_t doubt_number, std::size_t asked, const std::vector<user_id>& found);

  // the console's events (push_tail.cpp)
  void find_tail();
  void read_tail();
  void tell_admins(std::string text, std::int64_t event_seq = 0);

  push_hub_impl::pointer self;
  store_actor store;
  std::shared_ptr<const push_encoder> encoder;
  std::chrono::milliseconds read_timeout{10'000};
  std::unordered_map<user_id, customer> customers;
  std::unordered_map<push_sink*, user_id> users_of;                          ///< of every customer's sink
  std::unordered_map<campaign_id, std::unordered_set<user_id>> members;      ///< connected ones
  std::unordered_map<campaign_id, std::shared_ptr<const campaign>> closings; ///< committed, and not told yet
  std::set<campaign_id> told_closed;                                         ///< of the newest campaigns
  std::deque<doubt> doubts;                                                  ///< the first is being asked about
  std::uint64_t doubts_so_far = 0;
  bool asking = false; ///< or the pause before it is asked again
  std::vector<sink_ptr> admins;
  std::int64_t told_seq = 0; ///< events up to this one were told, or lie before the first console's time
  std::int64_t last_seq = 0; ///< there are events up to this one
  bool tail_known = false;
  bool tail_busy = false; ///< being read, or the pause after that
};

/// `read_timeout` is for the hub's own reads.
push_hub_impl::behavior_type push_hub(push_hub_impl::stateful_pointer<push_hub_state> self, store_actor store,
                                      std::shared_ptr<const push_encoder> encoder,
                                      std::chrono::milliseconds read_timeout);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::tail_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::doubts_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::closing_due)
