// A supervisor in OTP's sense: starts its children in order, restarts them when they end, stops them in reverse order.
// As in OTP it has started them when it is spawned, and they theirs: whoever is started later finds everybody before
// him behind the stable handles, but for those whose start failed and who are tried again.
// Owned by its parent supervisor (the root by start_tree) and restarted like any other child; then its children die
// with it and are started afresh. Nothing survives a crash of it but the stable handles, which point to the new
// children then.
#pragma once

#include "actors/interfaces.hpp"
#include "config/settings.hpp"

#include <caf/actor.hpp>
#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <optional>

namespace dr::actors {

/// permanent: always restarted; transient: unless it ended normally; temporary: never.
enum class restart_kind : unsigned char { permanent = 1, transient, temporary };
/// Whom a crash takes along: nobody; the children started after it; everybody.
enum class restart_strategy : unsigned char { one_for_one = 1, rest_for_one, one_for_all };
/// What happens when a child crashes more often than allowed. park: it is `down`, visibly, and tried again slowly, and
/// no sibling is disturbed. escalate: the supervisor ends with its children, as in OTP, and its own supervisor decides.
/// never: it is started again however often it crashes, at most every backoff_max; for a worker that what it is asked
/// makes crash, and that is of use to the next asker.
enum class give_up : unsigned char { park = 1, escalate, never };

struct child_spec {
  std::string name;
  /// Makes the actor; a throw counts as a crash at start.
  std::function<caf::actor(caf::actor_system&)> start;
  restart_kind restart = restart_kind::permanent;
  /// When it crashes too often; none: as its supervisor says.
  std::optional<give_up> when_exceeded = {};
  /// A nested supervisor: asked for its own tree.
  bool supervisor = false;
  /// A handle of make_stable() that shall stand for this child; none for most.
  caf::actor stable = {};
  /// For this child to end when asked; none: as its supervisor says.
  std::optional<std::chrono::milliseconds> stop_timeout = {};
  /// The child answers get_population; the counts appear as `dynamic` of its supervisor's node.
  bool population = false;
};

/// How a supervisor supervises. All times are real.
struct supervision {
  restart_strategy strategy = restart_strategy::one_for_one;
  give_up when_exceeded = give_up::park;
  int max_restarts = 5; ///< of one child within `window`
  std::chrono::milliseconds window{10'000};
  std::chrono::milliseconds backoff_min{10}; ///< before the first restart; doubles with every further one
  std::chrono::milliseconds backoff_max{5'000};
  std::chrono::milliseconds parked_retry{30'000}; ///< between two tries of a child that is down
  std::chrono::milliseconds stop_timeout{2'500};  ///< for one child to end when asked; then it is killed
  std::chrono::milliseconds tree_timeout{300};    ///< for a child to answer when the tree is drawn
};
supervision supervision_of(const actor_settings& settings, restart_strategy strategy);

struct restart_due {
  std::size_t child = 0;
  std::uint64_t generation = 0;
};
struct stop_overdue {
  std::size_t child = 0;
  std::uint64_t generation = 0;
  bool killed = false;
};
/// Who stands at this path below the supervisor ("writers/hot_writer") now? For diagnosis and for tests that make
/// trouble.
struct find_child {
  std::string path;
};
struct found_child {
  caf::actor who; ///< invalid: nobody
};
using supervisor_impl = supervisor_actor::extend<caf::reacts_to<restart_due>, caf::reacts_to<stop_overdue>,
                                                 caf::replies_to<find_child>::with<found_child>>;

struct supervisor_state {
  static constexpr const char* name = "supervisor";
  using instant = caf::actor_clock::time_point;
  /// ready: starts at the next opportunity; waiting: for its backoff; parked: given up, tried slowly.
  enum class phase : unsigned char { ready, running, waiting, parked, stopping, finished };
  struct child {
    child_spec spec;
    caf::actor ref = {};
    phase at = phase::ready;
    bool probation = false;       ///< was parked and has not yet lived for a window since
    std::uint64_t generation = 0; ///< grows with every start and stop; outdated timers are known by it
    std::int64_t restarts = 0;
    std::string last_error = {};
    time_point since{};
    std::optional<time_point> trouble_since = {}; ///< the first crash since it last lived for a window
    instant up_at{};
    std::chrono::milliseconds delay{0};
    std::deque<instant> deaths = {};
  };

  explicit supervisor_state(supervisor_impl::pointer me) : self(me) {}
  supervisor_state(const supervisor_state&) = delete;
  supervisor_state& operator=(const supervisor_state&) = delete;
  ~supervisor_state();

  void start_ready();
  void start(child& c);
  void went_down(const caf::actor_addr& who, const caf::error& why);
  void crashed(child& c, const caf::error& why);
  void plan_restart(child& c, const std::string& why);
  void give_up_on(child& c, const std::string& why);
  void take_along(const child& c);
  void ask_to_stop(child& c);
  void stop_late(const stop_overdue& late);
  void begin_stop(caf::error why);
  void stop_next();
  tree_node node_of(const child& c) const;
  caf::typed_response_promise<tree_node> draw();
  caf::result<found_child> find(const std::string& path);

  give_up policy_for(const child& c) const { return c.spec.when_exceeded.value_or(how.when_exceeded); }
  std::size_t index_of(const child& c) const { return static_cast<std::size_t>(&c - children.data()); }

  supervisor_impl::pointer self;
  std::string own_name;
  supervision how;
  std::vector<child> children;
  time_point since{};
  bool stopping = false;
  caf::error stop_reason;
};

/// A class, not a function: a function would start the children in its first turn, behind whatever else waits for a
/// thread.
class supervisor final : public supervisor_impl::stateful_base<supervisor_state> {
public:
  supervisor(caf::actor_config& config, std::string name, supervision how, std::vector<child_spec> children,
             const caf::actor& stable);

protected:
  behavior_type make_behavior() override;
};

/// Starts a supervisor and, in order, its children. `stable`, of make_stable(), stands for it before the first of them
/// is started.
supervisor_actor spawn_supervisor(caf::actor_system& system, std::string name, supervision how,
                                  std::vector<child_spec> children, const caf::actor& stable = {});

/// The spec of a supervisor under a supervisor. It may take as long to stop as its children may one after the other.
child_spec nested_supervisor(std::string name, supervision how, std::vector<child_spec> children);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::restart_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::stop_overdue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::find_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::found_child)
