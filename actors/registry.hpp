// Finds the actor of an entity by its id and hands commands on to it; revives the ones that are not there. It never
// waits for anybody, and works off long lists in slices between which commands pass. Owned by the dispatch supervisor,
// permanent. Its entities end with it; started again, it revives every campaign that has something to do, which take up
// their responses.
#pragma once

#include "actors/campaign.hpp"
#include "actors/entities.hpp"
#include "actors/response.hpp"
#include "actors/user.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <unordered_map>

namespace dr::actors {

struct work_due {};
/// Look in the store for campaigns that should be alive and are not.
struct rescan_due {
  std::uint64_t number = 0;
};
struct revive_due {
  campaign_id id;
};
/// Who stands for an entity now? For diagnosis and for tests that make trouble; it revives nobody.
struct find_entity {
  entity_kind kind = entity_kind::campaign;
  std::int64_t id = 0;
};
struct found_entity {
  caf::actor who; ///< invalid: nobody
};
using registry_impl =
    registry_base::extend<caf::reacts_to<work_due>, caf::reacts_to<rescan_due>, caf::reacts_to<revive_due>,
                          caf::replies_to<find_entity>::with<found_entity>>;

struct registry_state {
  static constexpr const char* name = "registry";

  struct response_entry {
    response_impl handle;
    campaign_id campaign; ///< none until a response that was revived by id has found out
  };
  struct campaign_entry {
    campaign_base handle = {};
    std::shared_ptr<const campaign> row = {}; ///< the newest heard of
    std::vector<response_id> responses = {};  ///< that were alive once
    std::size_t alive = 0;                    ///< of them
    int crashes = 0;                          ///< since it last lived for the restart window
    bool reviving = false;                    ///< after a crash, in a while
    caf::actor_clock::time_point born_at = {};
  };
  enum class news : unsigned char { terms, frozen, closed };
  /// A fact for every response of a campaign, told in slices.
  struct fan_out {
    campaign_id campaign;
    news what = news::terms;
    std::size_t next = 0;
    std::vector<response_id> left = {}; ///< those of the part already told that are still alive
  };
  struct arrivals {
    responses_dispatched page;
    std::size_t next = 0;
  };

  explicit registry_state(registry_impl::pointer me) : self(me) {}
  registry_state(const registry_state&) = delete;
  registry_state& operator=(const registry_state&) = delete;
  ~registry_state();

  // finding and reviving
  const response_impl& response_of(response_id id);
  campaign_base campaign_of(campaign_id id);
  user_base user_of(user_id id);
  void spawn_response(const storage::dispatched_response& row, const std::shared_ptr<const campaign>& of);
  void open(const std::shared_ptr<const campaign>& row);
  void spawn_campaign(campaign_id id, std::shared_ptr<const campaign> row);
  template <class Handle> void watch(const Handle& who, entity_kind kind, std::int64_t id);
  void gone(const entity_gone& fact);
  void campaign_crashed(campaign_entry& entry, campaign_id id);
  void release(const entity_idle& fact);
  void release_campaign(campaign_id id, campaign_entry& entry);
  void forget(std::unordered_map<response_id, response_entry>::iterator response);
  void drop_if_empty(campaign_id id);
  void index(response_id id, campaign_id campaign);

  // slices
  void learn(const std::shared_ptr<const campaign>& row);
  void tell_responses(campaign_id id, news what);
  void work();
  std::size_t tell_some(std::size_t budget);
  std::size_t spawn_some(std::size_t budget);
  void want_work();

  // looking after
  void rescan();
  void rescan_in(std::chrono::milliseconds delay);
  void tell_of(const storage::committed& what);
  population count() const;
  found_entity find(const find_entity& whom) const;

  registry_impl::pointer self;
  context_ptr world;
  std::unordered_map<response_id, response_entry> responses;
  std::unordered_map<campaign_id, campaign_entry> campaigns;
  std::unordered_map<user_id, user_base> users;
  std::deque<fan_out> fan_outs;
  std::deque<arrivals> pages;
  bool working = false;
  std::uint64_t rescans = 0;
  int doubts = 0; ///< quick rescans still to be made
};

registry_impl::behavior_type registry(registry_impl::stateful_pointer<registry_state> self, context_ptr world);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::work_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::rescan_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::revive_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::find_entity)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::found_entity)
