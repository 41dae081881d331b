// The store: the one queue of changes, batched into transactions, and the pool of readers. It never blocks; its workers
// do. Owned by the storage supervisor (rest_for_one, first child), permanent. A crash answers what waits (queued:
// store_unavailable, in a transaction: outcome_unknown); what was committed stays committed.
#pragma once

#include "actors/ask.hpp"
#include "actors/interfaces.hpp"
#include "actors/store_workers.hpp"
#include "actors/user_cache.hpp"
#include "config/settings.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <deque>
#include <functional>

namespace dr::actors {

struct store_options {
  std::size_t batch_max = 1000;
  std::size_t queue_max = 100'000;                 ///< changes waiting or in a transaction
  std::size_t read_queue_max = 10'000;             ///< reads waiting for a reader
  std::chrono::milliseconds hot_timeout{10'000};   ///< watchdog of one transaction of the hot lane
  std::chrono::milliseconds bulk_timeout{120'000}; ///< of the bulk lane
  std::chrono::milliseconds read_timeout{10'000};  ///< watchdog of one read
  std::chrono::milliseconds retry_min{20};         ///< before the first repetition of a failed batch; doubles
  std::chrono::milliseconds retry_max{1'000};
  std::chrono::milliseconds down_after{5'000};    ///< failing for so long counts as down, before that as recovering
  std::chrono::milliseconds probe_every{2'000};   ///< an idle hot lane is asked so often whether it could write
  std::chrono::milliseconds probe_timeout{3'000}; ///< of that question
  std::function<void()> on_fenced;                ///< called once, when another process has taken the lease
  registry_actor registry;                        ///< hears, as the hub does, of everything committed
  std::shared_ptr<user_cache> users = std::make_shared<user_cache>(0); ///< whom a transaction may change is kept out
};
store_options store_options_of(const database_settings& settings);

/// The workers behind stable handles, and their connections for the watchdog.
struct store_workers {
  struct lane_worker {
    store_writer_actor handle;
    writer_slot slot;
  };
  struct pooled_reader {
    store_reader_actor handle;
    reader_slot slot;
  };
  lane_worker hot;
  lane_worker bulk;
  std::vector<pooled_reader> readers;
};

/// A batch waited out its backoff.
struct lane_due {
  storage::lane which = storage::lane::hot;
};
/// Time to look whether a lane's transaction takes too long.
struct watch_due {
  storage::lane which = storage::lane::hot;
};
/// Look whether a lost reader answers again.
struct reader_due {
  std::size_t index = 0;
};
/// Time to look whether an idle storage is there.
struct probe_due {};
using store_impl = store_actor::extend<caf::reacts_to<lane_due>, caf::reacts_to<watch_due>, caf::reacts_to<reader_due>,
                                       caf::reacts_to<probe_due>>;
using store_instant = caf::actor_clock::time_point;

/// Since when something fails, and why as last heard.
struct failing_time {
  store_instant since = {};
  time_point since_real = {};
  storage::outage_cause cause = storage::outage_cause::none;
};

/// The waiting and the running changes of one writer. A healthy writer has two batches: it commits one, and the other
/// takes what comes meanwhile and is begun at once behind it.
struct write_lane {
  struct caller {
    caf::typed_response_promise<storage::written> reply;
    store_instant since;
  };
  struct waiting {
    storage::write what;
    caller by;
  };
  struct batch {
    std::string id;
    std::shared_ptr<open_batch> what;
    std::vector<caller> callers; ///< one per change; empty: nobody waits any more
    store_instant since;         ///< of the change that has waited longest
    std::uint64_t tried = 0;     ///< the number of its present try
    bool in_doubt = false;       ///< it may have been committed: only a repetition with the same id tells
  };
  store_workers::lane_worker worker = {};
  std::size_t batch_max = 1;
  std::chrono::milliseconds timeout{0};
  std::deque<waiting> queue = {};
  std::optional<batch> running = {};
  std::optional<batch> next = {};         ///< with the worker too; only behind a running one
  std::uint64_t tries = 0;                ///< of all batches; the outcome of an older one is of no interest
  std::optional<store_instant> sent = {}; ///< the present try of the running one, while it is with the worker
  bool watched = false;                   ///< a watch_due is on its way
  std::chrono::milliseconds delay{0};     ///< the present backoff; zero: the lane is well
  failing_time failing = {};              ///< meaningful while delay is not zero
};

struct read_pool {
  enum class condition : unsigned char { idle, busy, lost };
  struct slot {
    store_workers::pooled_reader worker;
    condition at = condition::idle;
  };
  struct waiting {
    read_task task;
    kept_promise<read_done> reply;
    store_instant since;
    int tries = 0;
  };
  /// The next to run, if one may: a leading one, else a prompt one, else one of the others. Every fourth turn of those
  /// in front is for those behind.
  std::shared_ptr<waiting> take();
  std::shared_ptr<waiting> take_behind(); ///< the same without leading ones
  /// Those that have waited since `since` or longer, taken out of the line.
  std::vector<std::shared_ptr<waiting>> take_older(store_instant since);
  std::deque<std::shared_ptr<waiting>>& queue_of(const read_task& task) {
    return task.urgency == urgency::leading ? leading : task.urgency == urgency::prompt ? prompt : others;
  }
  std::size_t queued() const { return leading.size() + prompt.size() + others.size(); }
  std::vector<slot> readers;
  std::deque<std::shared_ptr<waiting>> leading;
  std::deque<std::shared_ptr<waiting>> prompt;
  std::deque<std::shared_ptr<waiting>> others;
  std::size_t lengthy = 0;                  ///< of those that run
  unsigned turns = 0;                       ///< of prompt ones
  unsigned led = 0;                         ///< turns of leading ones
  std::optional<failing_time> failing = {}; ///< the readers do not reach the database
  bool probing = false;
};

/// The durations of the last transactions.
class commit_times {
public:
  void add(double ms) noexcept;
  /// The given fraction (0 … 1) of the kept transactions took at most so long; 0 when there are none.
  double quantile(double fraction) const;

private:
  std::array<double, 512> ms_{};
  std::size_t count_ = 0;
};

struct store_state {
  static constexpr const char* name = "store";
  explicit store_state(store_impl::pointer me) : self(me) {}
  store_state(const store_state&) = delete;
  store_state& operator=(const store_state&) = delete;
  ~store_state();

  // writing (store.cpp)
  caf::result<storage::written> take(persist& cmd);
  void pump(storage::lane which);
  write_lane::batch new_batch(const write_lane& lane);
  void fill(write_lane& lane, write_lane::batch& with);
  void run(storage::lane which);
  void send_batch(storage::lane which, write_lane::batch& what, const std::string& follows);
  bool heard_of(storage::lane which, std::uint64_t tried);
  void give_up(storage::lane which);
  void take_back(write_lane& lane);
  void watch(storage::lane which);
  void batch_ended(storage::lane which, const batch_outcome& outcome);
  void batch_lost(storage::lane which, const caf::error& why);
  void batch_failed(storage::lane which, const error& why, const storage::outage& outage = {});
  void await_storage(storage::lane which);
  void tell_of(const std::shared_ptr<const storage::committed>& done);
  void probe();
  void probed(const error& why, const storage::outage& outage);
  void retry(storage::lane which);
  void expire(write_lane& lane);
  void fence(storage::lane found_out);
  write_lane& lane(storage::lane which) { return which == storage::lane::hot ? hot : bulk; }
  std::size_t queued() const;
  storage_state report() const;

  // reading (store_reads.cpp)
  caf::result<read_done> take(read_task& task);
  void pump_reads();
  void run_read(std::size_t reader, std::shared_ptr<read_pool::waiting> what);
  void read_lost(std::size_t reader, read_pool::waiting& what, const caf::error& why);
  void look_for(std::size_t reader);
  void lose(std::size_t reader);
  void note_read(const storage::outage& outage);
  void probe_reads();

  store_impl::pointer self;
  store_options options;
  push_hub_actor hub;
  write_lane hot;
  write_lane bulk;
  read_pool reads;
  commit_times times;
  std::string incarnation; ///< makes batch ids of this incarnation different from all others
  std::uint64_t batches = 0;
  bool fenced = false;
  std::string last_error;
  time_point since{};
  std::optional<time_point> crowded_since;
};

/// `hub` hears of new events; it may be invalid.
store_impl::behavior_type store(store_impl::stateful_pointer<store_state> self, store_options options,
                                store_workers workers, push_hub_actor hub);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::lane_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::watch_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::reader_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::probe_due)
