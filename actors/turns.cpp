#include "actors/turns.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/local_actor.hpp>
#include <caf/message.hpp>
#include <caf/ref_counted.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

namespace dr::actors {

namespace {

/// As CAF's own workers do it; with messages left, the next turn is any thread's.
void take_turn(caf::resumable* job, caf::execution_unit& on, std::size_t messages) {
  if (job->resume(&on, messages) == caf::resumable::resume_later)
    on.system().scheduler().enqueue(job);
  else
    caf::intrusive_ptr_release(job);
}

/// One job of the scheduler that is several.
class row final : public caf::resumable, public caf::ref_counted {
public:
  row(std::vector<caf::resumable*>::const_iterator from, std::vector<caf::resumable*>::const_iterator to)
      : jobs_(from, to) {}
  row(const row&) = delete;
  row& operator=(const row&) = delete;
  /// Of a scheduler that ends, as it does with jobs of its own.
  ~row() override {
    for (; next_ < jobs_.size(); ++next_) caf::scheduler::abstract_coordinator::cleanup_and_release(jobs_[next_]);
  }

  subtype_t subtype() const override { return function_object; }
  resume_result resume(caf::execution_unit* on, std::size_t messages) override {
    while (next_ < jobs_.size()) take_turn(jobs_[next_++], *on, messages);
    return done;
  }
  void intrusive_ptr_add_ref_impl() override { ref(); }
  void intrusive_ptr_release_impl() override { deref(); }

private:
  std::vector<caf::resumable*> jobs_;
  std::size_t next_ = 0;
};

/// A thread's own. An actor keeps a pointer to the unit of its last turn, and a promise that is answered at its end,
/// perhaps by another thread, goes by it: so units are never destroyed, and know when they are not at work.
class own_unit final : public caf::execution_unit {
public:
  explicit own_unit(caf::actor_system& system) : caf::execution_unit(&system) {}
  static own_unit& of_this_thread(caf::actor_system& system);

  void exec_later(caf::resumable* job) override {
    if (at_work_ == this)
      ready_.push_back(job);
    else
      system().scheduler().enqueue(job);
  }

  template <class Send> void begin(std::size_t most, Send send) {
    if (at_work_ == this) return send(); // in one of those turns: whoever becomes ready is one of them
    work now{*this};
    send();
    while (now.turns < ready_.size() && now.turns < most) take_turn(ready_[now.turns++], *this, 1);
  }

private:
  /// However it ends, nobody who became ready is forgotten.
  struct work {
    explicit work(own_unit& by) : unit(by) { at_work_ = &unit; }
    work(const work&) = delete;
    work& operator=(const work&) = delete;
    ~work() {
      at_work_ = nullptr;
      while (turns < unit.ready_.size()) unit.system().scheduler().enqueue(unit.ready_[turns++]);
      unit.ready_.clear();
    }
    own_unit& unit;
    std::size_t turns = 0;
  };

  static inline thread_local own_unit* at_work_ = nullptr;
  std::vector<caf::resumable*> ready_;
};

/// All units there are, and those whose threads have ended: the next threads take them.
struct unit_pool {
  static unit_pool& instance() {
    static auto& one = *new unit_pool; // outlives whoever might still point to a unit
    return one;
  }
  own_unit* take(caf::actor_system& system) {
    const std::scoped_lock lock(mutex);
    const auto found = std::ranges::find(free, &system, [](own_unit* unit) { return &unit->system(); });
    if (found == free.end()) return all.emplace_back(std::make_unique<own_unit>(system)).get();
    auto* unit = *found;
    free.erase(found);
    return unit;
  }
  void give_back(own_unit* unit) {
    const std::scoped_lock lock(mutex);
    free.push_back(unit);
  }
  std::mutex mutex;
  std::vector<std::unique_ptr<own_unit>> all;
  std::vector<own_unit*> free;
};

own_unit& own_unit::of_this_thread(caf::actor_system& system) {
  struct holder {
    ~holder() {
      if (unit) unit_pool::instance().give_back(std::exchange(unit, nullptr));
    }
    own_unit* unit = nullptr;
  };
  static thread_local holder mine;
  if (mine.unit && &mine.unit->system() == &system) return *mine.unit;
  auto* before = std::exchange(mine.unit, unit_pool::instance().take(system));
  if (before) unit_pool::instance().give_back(before);
  return *mine.unit;
}

} // namespace

burst::burst(caf::local_actor* sender)
    : caf::execution_unit(&sender->system()), sender_(sender), of_turn_(sender->context()) {
  sender->context(this);
}

burst::~burst() {
  sender_->context(of_turn_);
  for (auto from = ready_.cbegin(); from != ready_.cend();) {
    const auto to = from + std::min(ready_.cend() - from, static_cast<std::ptrdiff_t>(row_of_burst));
    of_turn_->exec_later(caf::make_counted<row>(from, to).detach());
    from = to;
  }
}

void send_and_begin(caf::actor_system& system, const caf::strong_actor_ptr& to, caf::strong_actor_ptr sender,
                    caf::message_id id, caf::message what) {
  auto& here = own_unit::of_this_thread(system);
  here.begin(turns_of_request, [&] { to->enqueue(std::move(sender), id, std::move(what), &here); });
}

void answer_and_begin(caf::local_actor* self, std::size_t most, const std::function<void()>& answer) {
  auto& here = own_unit::of_this_thread(self->system());
  here.begin(most, [&] {
    auto* before = self->context();
    self->context(&here);
    try {
      answer();
    } catch (...) {
      self->context(before);
      throw;
    }
    self->context(before);
  });
}

} // namespace dr::actors
