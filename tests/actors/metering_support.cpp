#include "metering_support.hpp"

#include "actors/stable.hpp"
#include "config/settings.hpp"
#include "domain/campaign.hpp"

#include <catch2/catch.hpp>

namespace dr::test {

using namespace actors;

namespace {

class scripted_source final : public meter_source {
public:
  explicit scripted_source(std::shared_ptr<kepco_script> script) : script_(std::move(script)) {}
  meter_result<day_profile> day(const std::string& cust_no, korean_day day) override {
    return script_->answer(cust_no, day);
  }

private:
  std::shared_ptr<kepco_script> script_;
};

std::vector<programme> test_programmes() {
  programme reliable;
  reliable.code = "reliable";
  reliable.effective_from = day_of("2020-01-01");
  reliable.terms.allowed_methods = {baseline_method::max_4_5, baseline_method::mid_6_10};
  reliable.terms.saa_allowed = true;
  reliable.terms.cap_percent = 120;
  auto voluntary = reliable;
  voluntary.code = "voluntary";
  voluntary.terms.mandatory = false;
  voluntary.terms.cap_percent = 100;
  voluntary.terms.performs_at_percent = 10;
  return {reliable, voluntary};
}

} // namespace

day_profile kepco_script::profile(const std::string& cust_no, korean_day day) const {
  day_profile out;
  auto base = base_kw.contains(cust_no) ? base_kw.at(cust_no) : 1000;
  for (int i = 0; i < quarters_per_day; ++i) {
    auto from = start_of(day) + i * quarter_hour;
    if (from > clock->now()) break;
    auto kw = base;
    for (const auto& r : reductions)
      if (r.cust_no == cust_no && from >= r.from && from < r.to) kw -= r.kw;
    out.wh[static_cast<std::size_t>(i)] = kw * 250;
  }
  return out;
}

meter_result<day_profile> kepco_script::answer(const std::string& cust_no, korean_day day) {
  ++calls;
  ++asked[{cust_no, day}];
  if (fault)
    if (auto why = fault(cust_no, day)) return *why;
  auto out = profile(cust_no, day);
  if (touch_up) touch_up(cust_no, day, out);
  return out;
}

int kepco_script::asked_for(const std::string& cust_no, korean_day day) const {
  auto found = asked.find({cust_no, day});
  return found == asked.end() ? 0 : found->second;
}

meter_source_factory source_of(std::shared_ptr<kepco_script> script) {
  return [script] { return std::make_unique<scripted_source>(script); };
}

time_point korea(const std::string& local) { return parse_rfc3339(local + ":00+09:00").value(); }
korean_day day_of(const std::string& text) { return parse_day(text).value(); }

struct metering_world::config : caf::actor_system_config {
  config() {
    set("scheduler.policy", caf::atom("testing"));
    actors::add_error_category(*this);
  }
};

metering_world::metering_world(const std::string& now)
    : config_(std::make_unique<config>()), system_(std::make_unique<caf::actor_system>(*config_)), system(*system_),
      sched(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())),
      self_holder(std::make_unique<caf::scoped_actor>(system, true)), self(*self_holder),
      clock(std::make_shared<hand_clock>(korea(now))), kepco(std::make_shared<kepco_script>()),
      database(storage::make_memory_database()) {
  kepco->clock = clock;
  auto epoch = database->take_lease("test").value();
  writer_ = database->open_writer(storage::lane::hot, epoch);
  reader_ = database->open_reader();

  auto store = system.spawn([this](store_actor::pointer at) -> store_actor::behavior_type {
    return {
        [this](const persist& cmd) -> caf::result<storage::written> {
          if (refuse)
            if (auto why = refuse(cmd.what.what)) return to_caf(*why);
          auto done = writer_->commit("batch " + std::to_string(++batch_), std::span(&cmd.what, 1));
          if (!done) return ++unsaved, to_caf(done.error());
          auto& one = done->results.at(0);
          if (!one) return to_caf(one.error());
          if (const auto* settled = std::get_if<storage::check_settled>(&*one)) settled_checks.push_back(*settled);
          return *one;
        },
        [this, at](const read_task& task) -> caf::result<read_done> {
          task.run(*reader_);
          if (!hold_read)
            for (auto& one : std::exchange(held_, {})) one.deliver(read_done{});
          if (!hold_read || !hold_read(++reads_)) return read_done{};
          return held_.emplace_back(at->make_response_promise<read_done>());
        },
        [](const get_storage_state&) { return storage_state{}; },
    };
  });
  helpers_.push_back(caf::actor_cast<caf::actor>(store));
  parts.stable.store = store;
  parts.stable.gate = make_stable<kepco_gate_actor>(system, "kepco_gate");
  parts.stable.verification = make_stable<verification_actor>(system, "verification");
  parts.clock = clock;
  parts.make_source = source_of(kepco);
  parts.queries_on = query_thread::scheduler;
  parts.metering.collect_history = false;
  sched.run();
}

metering_world::~metering_world() {
  if (metering) caf::anon_send(metering, stop_tree{});
  sched.run();
  for (int i = 0; i < 100; ++i) {
    sched.advance_time(100ms);
    sched.run();
  }
  for (auto& helper : helpers_) caf::anon_send_exit(helper, caf::exit_reason::kill);
  helpers_.clear();
  metering = supervisor_actor{};
  parts = metering_parts{};
  sched.run();
  self_holder.reset();
}

storage::written metering_world::commit(storage::change what) {
  storage::write one{std::move(what), nullptr};
  auto done = writer_->commit("setup " + std::to_string(++batch_), std::span(&one, 1));
  REQUIRE(done.has_value());
  REQUIRE(done->results.at(0).has_value());
  return *done->results.at(0);
}

user_id metering_world::enrol(const std::string& name, int capacity_kw, const std::string& cust_no) {
  storage::create_user what;
  what.name = name;
  what.capacity_w = capacity_kw * 1000;
  what.opening_points = 1000;
  what.cust_no = cust_no;
  what.at = clock->now();
  auto id = std::get<user>(commit(what)).id;
  users_.push_back(id);
  return id;
}

campaign_id metering_world::campaign_open(const std::string& from, const std::string& to, const std::string& type) {
  campaign_order order;
  order.name = "campaign";
  order.type = type;
  order.ordered_at = korea(from);
  order.ends_at = korea(to);
  auto planned = plan_campaign(order, test_programmes(), {}, {}, korea(from));
  REQUIRE(planned.has_value());
  return std::get<campaign>(commit(storage::open_campaign{*planned, korea(from)})).id;
}

campaign_id metering_world::campaign_over(const std::string& from, const std::string& to, const std::string& type) {
  const auto id = campaign_open(from, to, type);
  storage::response_filter mine;
  mine.campaign = id;
  auto page = look<storage::page<response>>([&](storage::reader& r) { return r.responses(mine, {0, 0, 1000}); });
  for (const auto& r : page.items)
    commit(storage::choose_answer{r.id, answer::accept, std::nullopt, korea(from) + 1min});
  close(id);
  return id;
}

void metering_world::close(campaign_id id) {
  const auto now = find(id);
  const auto at = now.ends_at.value();
  auto over = ended(now, at);
  REQUIRE(over.has_value());
  commit(storage::save_campaign{*over, now.version, at});
  commit(storage::freeze_campaign{id, at, at});
}

void metering_world::keep_history(korean_day day) {
  for (auto id : users_) {
    auto cust_no = look<user>([&](storage::reader& r) { return r.find_user(id); }).cust_no;
    for (int i = 1; i <= 30; ++i) {
      auto past = day - std::chrono::days{i};
      commit(storage::save_profile{cust_no, past, kepco->profile(cust_no, past), true, clock->now()});
    }
  }
}

std::vector<reduction_check> metering_world::checks(campaign_id of) {
  storage::check_filter filter;
  filter.campaign = of;
  return look<storage::page<reduction_check>>([&](storage::reader& r) { return r.checks(filter, {0, 0, 1000}); }).items;
}

reduction_check metering_world::only_check(campaign_id of) {
  auto all = checks(of);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::int64_t metering_world::points(user_id of) {
  return look<user>([&](storage::reader& r) { return r.find_user(of); }).points;
}

std::vector<ledger_entry> metering_world::ledger(user_id of) {
  return look<storage::page<ledger_entry>>([&](storage::reader& r) { return r.ledger(of, {0, 0, 100}); }).items;
}

campaign metering_world::find(campaign_id of) {
  return look<campaign>([&](storage::reader& r) { return r.find_campaign(of); });
}

storage::overview_counts metering_world::overview() {
  return look<storage::overview_counts>([](storage::reader& r) { return r.overview(); });
}

std::size_t metering_world::settled_events() {
  storage::event_filter filter;
  filter.type = event_types::reduction_check;
  filter.limit = 1000;
  return look<std::vector<event>>([&](storage::reader& r) { return r.events(filter); }).size();
}

void metering_world::start(int max_restarts) {
  supervision how;
  how.max_restarts = max_restarts;
  metering = spawn_supervisor(system, "metering", how, metering_children(system, parts));
  sched.run();
}

void metering_world::crash(const caf::actor& stable) {
  if (auto now = incarnation_of(stable)) caf::anon_send_exit(now, caf::exit_reason::kill);
}

void metering_world::wake() {
  caf::anon_send(parts.stable.verification, checks_queued{});
  sched.run();
}

void metering_world::pass(std::chrono::milliseconds real, std::chrono::milliseconds step) {
  sched.run();
  for (auto gone = 0ms; gone < real; gone += step) {
    clock->advance(step);
    sched.advance_time(step);
    sched.run();
  }
}

bool metering_world::until(const std::function<bool()>& holds, std::chrono::milliseconds most,
                           std::chrono::milliseconds step) {
  sched.run();
  for (auto gone = 0ms; !holds(); gone += step) {
    if (gone >= most) return false;
    pass(step, step);
  }
  return true;
}

bool metering_world::settles(campaign_id id, std::chrono::milliseconds most) {
  return until([&] { return find(id).settlement == settlement_status::settled; }, most);
}

tree_node metering_world::tree() { return ask<tree_node>(metering, get_tree{}).value(); }

kepco_state metering_world::gate_state() { return ask<kepco_state>(parts.stable.gate, get_kepco_state{}).value(); }

one_user::one_user(metering_world& w) {
  id = w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 383}};
  campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
}

void lose_quarter(metering_world& w, korean_day day, int quarter) {
  w.kepco->touch_up = [=](const std::string&, korean_day asked, day_profile& profile) {
    if (asked == day) profile.wh[static_cast<std::size_t>(quarter)] = day_profile::missing;
  };
}

} // namespace dr::test
