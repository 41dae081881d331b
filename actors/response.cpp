#include "actors/response.hpp"

#include "actors/house.hpp"

#include <caf/sec.hpp>

#include <algorithm>
#include <utility>

namespace dr::actors {

namespace {

using storage::written;

/// Until an answer in doubt is looked at again.
constexpr std::chrono::seconds look_again{1};

error unknown_response() { return fail(errc::not_found, "there is no such response"); }

} // namespace

// A promise that dies with its actor answers nothing, so the waiting callers are told here.
response_state::~response_state() {
  if (!work) return;
  for (auto& cmd : *work) cmd.reply.deliver(caf::make_error(caf::sec::request_receiver_down));
}

template <class Command> caf::result<written> response_state::take(Command& cmd) {
  if (!work) work = std::make_unique<backlog>();
  const auto of_caller =
      std::ranges::count_if(*work, [&](const auto& other) { return other.by().user == cmd.by.user; });
  if (std::cmp_greater_equal(of_caller, response_backlog_max))
    return to_caf(fail(errc::too_many_requests, "too many commands of yours for this response at once: slow down"));
  if (work->size() >= response_backlog_of_all)
    return to_caf(fail(errc::overloaded, "too many commands for this response at once: try again"));
  auto reply = self->make_response_promise<written>();
  work->push_back({std::move(cmd), reply});
  if (work->size() == 1) next();
  return reply;
}

void response_state::next() {
  if (!known || stale) return load();
  auto& cmd = work->front();
  if (!cmd.by().may_see(user)) return conclude(unknown_response());
  if (const auto* wanted = std::get_if<choose>(&cmd.what)) return decide(*wanted);
  store({storage::mark_delivered{id, world->clock->now()}, nullptr});
}

void response_state::load() {
  if (std::exchange(loading, true)) return;
  read(
      self, world->store, world->read_timeout(), [wanted = id](storage::reader& r) { return r.find_response(wanted); },
      [this](const storage::campaign_response& row) {
        loading = false;
        learn(row);
        if (work) return next();
        settle_down();
      },
      [this](const error& why) {
        loading = false;
        if (work) return conclude(why);
        self->delayed_send(self, look_again, terms_changed{of});
      });
}

/// What was read may be older than facts that were heard while it was.
void response_state::learn(const storage::campaign_response& row) {
  const bool first = !std::exchange(known, true);
  stale = false;
  newer(std::make_shared<const campaign>(row.campaign));
  user = row.response.user;
  capacity_w = row.response.capacity_w;
  const auto before = std::exchange(answer, row.response.answer);
  turned = row.response.turned;
  settled = settled || (row.campaign.frozen && row.response.verification != verification::pending);
  if (first) self->send(world->registry, response_located{id, row.campaign.id});
  // An answer of unknown outcome was stored after all, and nobody has been told yet.
  if (!first && before != answer && of->open()) self->send(world->hub, response_noticed{row.response});
}

void response_state::decide(const choose& cmd) {
  // A keyed command goes to the store whatever it is worth: its first answer may lie there.
  if (!cmd.key) {
    dr::response now;
    now.answer = answer;
    now.turned = turned;
    auto allowed = may_answer(*of, now, cmd.answer, world->clock->now());
    if (!allowed &&
        !work->front().decided_on_fresh) { // a refusal is decided on what is stored, not on what is remembered
      work->front().decided_on_fresh = true;
      return load();
    }
    if (!allowed) return conclude(allowed.error());
  }
  store({storage::choose_answer{id, cmd.answer, cmd.expected_version, world->clock->now()}, cmd.key});
}

void response_state::store(storage::write what) {
  write(
      self, world->store, caf::infinite, std::move(what), [this](written done) { stored(std::move(done)); },
      [this](const error& why) {
        stale = stale || leaves_doubt(why);
        conclude(why);
      });
}

void response_state::stored(written done) {
  const auto* now = std::get_if<storage::response_changed>(&done);
  if (now && now->changed) answer = now->response.answer;
  conclude(std::move(done));
}

void response_state::conclude(result<written> outcome) {
  auto reply = std::move(work->front().reply);
  work->erase(work->begin());
  if (outcome)
    reply.deliver(std::move(*outcome));
  else
    reply.deliver(to_caf(outcome.error()));
  if (!work->empty()) return next();
  work.reset();
  settle_down();
}

void response_state::newer(const std::shared_ptr<const campaign>& row) {
  if (!of || row->version >= of->version) of = row;
}

bool response_state::pending() const noexcept {
  if (!known || stale || settled) return false;
  return of->open() || (of->status == campaign_status::end && !of->test && answer == dr::answer::accept);
}

/// Ends it when there is nothing to wait for. The registry forgets it first, so that no command runs into a dead actor.
void response_state::settle_down() {
  if (work || loading) return;
  if (retiring) return self->quit();
  if (known && stale) return load(); // nobody else would find out what became of the answer
  if (pending() || told_idle) return;
  told_idle = true;
  self->send(world->registry, entity_idle{entity_kind::response, id.value});
}

pending_response::pending_response(caf::actor_config& config, context_ptr world,
                                   const storage::dispatched_response& row, std::shared_ptr<const campaign> of)
    : stateful_actor(config) {
  state.world = std::move(world);
  state.id = row.id;
  state.known = of != nullptr;
  state.of = std::move(of);
  state.user = row.user;
  state.capacity_w = row.capacity_w;
  state.answer = row.answer;
}

pending_response::behavior_type pending_response::make_behavior() {
  house_rules(this, response_state::name);
  return {
      [this](choose& cmd) { return state.take(cmd); },
      [this](acknowledge_alert& cmd) { return state.take(cmd); },
      [this](const answers_frozen& fact) {
        state.newer(fact.of);
        state.settle_down();
      },
      [this](const terms_changed& fact) {
        state.newer(fact.of);
        state.settle_down();
      },
      [this](const check_closed&) {
        state.settled = true;
        state.settle_down();
      },
      [this](const retire&) {
        state.retiring = true;
        state.settle_down();
      },
  };
}

} // namespace dr::actors
