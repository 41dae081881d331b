#include "actor_world.hpp"

#include <algorithm>

namespace dr::actor_test {

namespace {

const char* name_of(campaign_notice_kind kind) {
  switch (kind) {
  case campaign_notice_kind::announced:
    return "announced";
  case campaign_notice_kind::started:
    return "started";
  case campaign_notice_kind::changed:
    return "changed";
  case campaign_notice_kind::ended:
    return "ended";
  case campaign_notice_kind::canceled:
    return "canceled";
  }
  return "?";
}

std::string number(std::int64_t n) { return std::to_string(n); }

} // namespace

std::string plain_encoder::alert_head(campaign_notice_kind kind, const campaign& c) const {
  ++heads;
  return name_of(kind) + (" " + number(c.id.value)) + "|";
}
std::string plain_encoder::alert_tail(const response& r) const {
  return "response " + number(r.id.value) + " of " + r.user_name + " " + to_string(r.answer) + " worth " +
         number(r.expected_points);
}
std::string plain_encoder::campaign_message(campaign_notice_kind kind, const campaign& c) const {
  return name_of(kind) + (" " + number(c.id.value));
}
std::string plain_encoder::response_changed(const response& r) const {
  return "response " + number(r.id.value) + " " + to_string(r.answer);
}
std::string plain_encoder::reduction_checked(const reduction_check& check) const {
  return "checked " + number(check.response.value);
}
std::string plain_encoder::point_changed(user_id user, std::int64_t points, const ledger_entry& entry) const {
  return "points of " + number(user.value) + ": " + number(points) + " by " + number(entry.amount);
}
std::string plain_encoder::admin_event(const event& e) const { return number(e.seq) + " " + e.type; }
std::string plain_encoder::admin_summary(const campaign& c) const {
  return "summary " + number(c.id.value) + ": " + number(c.counts.accept) + "/" + number(c.counts.deny);
}

void stepped_system::advance(std::chrono::milliseconds by, const std::function<void(std::chrono::milliseconds)>& each) {
  run();
  while (by.count() > 0) {
    auto step = std::min<std::chrono::milliseconds>(by, 10ms);
    // Long waits go in longer steps once: nobody here sets timers in a chain of more than some hundred.
    if (by > 10s) step = 1s;
    if (each) each(step);
    sched.advance_time(step);
    run();
    by -= step;
  }
}

actor_world::actor_world(const std::function<void(settings&)>& adjust) {
  config->programmes = shipped_programmes();
  config->actors.spawn_batch = 3; // slices show
  if (adjust) adjust(*config);
  tree_options options;
  options.config = config;
  options.clock = clock;
  options.database = database;
  options.epoch = *database->take_lease("test");
  options.encoder = encoder;
  options.on_fenced = [this] { ++fenced; };
  options.workers_on = worker_thread::scheduler;
  options.metering = [this](const services& stable) {
    child_spec spec;
    spec.name = "verification";
    spec.stable = caf::actor_cast<caf::actor>(stable.verification);
    spec.start = [this](caf::actor_system& sys) {
      auto made = sys.spawn([this](verification_actor::pointer) -> verification_actor::behavior_type {
        return {[this](const checks_queued&) { ++checks_queued_heard; },
                [](const order_recheck&) -> storage::written { return storage::done{}; },
                [](const actors::retry_parked&) -> storage::written { return storage::done{}; },
                [](const actors::retry_check&) -> storage::written { return storage::done{}; }};
      });
      return caf::actor_cast<caf::actor>(made);
    };
    return std::vector<child_spec>{spec};
  };
  all = start_tree(system, options);
  reader_ = database->open_reader();
  run();
}

actor_world::~actor_world() {
  caf::anon_send(all.root, stop_tree{});
  run();
  all = {};
}

void actor_world::pass(std::chrono::milliseconds by) {
  advance(by, [this](std::chrono::milliseconds step) { clock->advance(step); });
}

result<storage::written> actor_world::write(storage::change what) {
  return ask<storage::written>(all.store, persist{{std::move(what), nullptr}});
}

std::vector<std::string> actor_world::event_types() {
  std::vector<std::string> types;
  for (const auto& e : look([](storage::reader& r) { return r.last_events(1000); })) types.push_back(e.type);
  return types;
}

user_id actor_world::enrol(const std::string& name, std::int64_t capacity_w, std::int64_t points) {
  storage::create_user what;
  what.name = name;
  what.capacity_w = capacity_w;
  what.opening_points = points;
  what.assign_cust_no = true;
  what.at = clock->now();
  return value_of<user>(write(what)).id;
}

result<campaign> actor_world::order(campaign_order what, keyed key) {
  if (what.name.empty()) what.name = "dr for test";
  if (what.type.empty()) what.type = "reliable";
  what.ordered_at = clock->now();
  auto got = ask<storage::written>(all.registry, order_campaign{what, key});
  if (!got) return got.error();
  return value_of<campaign>(got);
}

campaign actor_world::start_campaign(bool test) {
  campaign_order what;
  what.test = test;
  return *order(what);
}

result<storage::written> actor_world::answer_with(response_id id, dr::answer wanted, user_id by, keyed key) {
  return ask<storage::written>(all.registry, choose{id, wanted, {}, {by}, key});
}

result<storage::written> actor_world::end(campaign_id id, keyed key) {
  return ask<storage::written>(all.registry, end_campaign{id, {}, key});
}

std::map<std::string, std::int64_t> actor_world::alive() {
  return ask<population>(all.registry, get_population{})->counts;
}

tree_node actor_world::tree() { return *ask<tree_node>(all.root, get_tree{}); }

std::shared_ptr<recording_sink> actor_world::connect(user_id user) {
  auto sink = std::make_shared<recording_sink>();
  caf::anon_send(all.hub, attach_customer{user, "user" + std::to_string(user.value), sink});
  run();
  return sink;
}

std::shared_ptr<recording_sink> actor_world::connect_admin() {
  auto sink = std::make_shared<recording_sink>();
  caf::anon_send(all.hub, attach_admin{sink});
  run();
  return sink;
}

campaign_order make_order(std::optional<time_point> starts_at, std::optional<time_point> ends_at) {
  campaign_order what;
  what.name = "dr for test";
  what.type = "reliable";
  what.starts_at = starts_at;
  what.ends_at = ends_at;
  return what;
}

keyed make_key(const std::string& key, const std::string& body, const std::string& path) {
  auto made = std::make_shared<storage::keyed_request>();
  made->principal = "admin";
  made->method = "POST";
  made->path = path;
  made->key = key;
  made->body_hash = body;
  made->render = [](const result<storage::written>& got) -> std::string {
    return got ? "ok" : std::string{"error "} + to_string(got.error().code);
  };
  return made;
}

} // namespace dr::actor_test
