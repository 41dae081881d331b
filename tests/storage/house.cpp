#include "tests/storage/house.hpp"

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <unistd.h>

namespace dr::test {

namespace {

const char* server_url() { return std::getenv("DR_TEST_DATABASE_URL"); }

template <class T> std::vector<T> all(const std::function<result<page<T>>(const page_request&)>& list) {
  std::vector<T> out;
  page_request at;
  at.size = 1000;
  for (;;) {
    auto part = list(at).value();
    for (auto& item : part.items) out.push_back(std::move(item));
    if (!part.more) return out;
    at.after = out.back().id.value;
  }
}

} // namespace

test_database::test_database() {
  static std::atomic<int> counter{0};
  spdlog::set_level(spdlog::level::off);
  if (!server_url())
    FAIL("DR_TEST_DATABASE_URL is not set: it must name a PostgreSQL server where databases may be created");
  name_ = "dr_test_" + std::to_string(::getpid()) + "_" + std::to_string(++counter);
  pqxx::connection server{server_url()};
  pqxx::nontransaction{server}.exec("CREATE DATABASE " + name_ + " ENCODING 'UTF8' TEMPLATE template0");
  url_ = with(server_url(), "dbname", name_);
}

test_database::~test_database() {
  try {
    pqxx::connection server{server_url()};
    pqxx::nontransaction{server}.exec("DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::exception& why) {
    WARN("a test database stays behind: " << why.what());
  }
}

std::string test_database::run(const std::string& sql) const {
  pqxx::connection server{url_};
  auto rows = pqxx::nontransaction{server}.exec(sql);
  return rows.empty() ? std::string{} : rows[0][0].c_str();
}

void test_database::end_connections() const {
  pqxx::connection server{server_url()};
  pqxx::nontransaction{server}.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name_ +
                                    "'");
}

std::string test_database::with(std::string url, const std::string& name, const std::string& value) {
  if (!url.starts_with("postgres")) return url + " " + name + "=" + value;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + name + "=" + value;
}

time_point noon(std::int64_t minutes_later) {
  return std::chrono::sys_days{std::chrono::year{2026} / 7 / 1} + std::chrono::hours{5} +
         std::chrono::minutes{minutes_later};
}

programme_terms terms() {
  programme_terms t;
  t.allowed_methods = {baseline_method::max_4_5, baseline_method::mid_6_10};
  t.saa_allowed = true;
  t.cap_percent = 120;
  return t;
}

campaign planned(const std::string& name) {
  campaign c;
  c.name = name;
  c.type = "reliable";
  c.ordered_at = c.starts_at = noon();
  c.terms = terms();
  return c;
}

day_profile profile(std::int32_t wh) {
  day_profile p;
  p.wh.fill(wh);
  return p;
}

reduction_check check_of(response_id of, std::int64_t points, bool real, int revision) {
  reduction_check c;
  c.response = of;
  c.revision = revision;
  c.is_real = real;
  c.adjust_points = points;
  c.baseline_wh = 500'000;
  c.reduction_wh = points * 1000;
  c.metered_wh = c.baseline_wh - c.reduction_wh;
  c.credited_wh = points * 1000;
  if (points > 0) c.spread = {{noon(), points * 600}, {noon(15), points * 400}};
  c.checked_at = noon(90 + revision);
  c.detail = "기준부하 \"500\" kWh";
  return c;
}

std::shared_ptr<keyed_request> keyed(const std::string& key, const std::string& body_hash) {
  auto request = std::make_shared<keyed_request>();
  request->principal = "admin";
  request->method = "POST";
  request->path = "/users/1/withdraw";
  request->key = key;
  request->body_hash = body_hash;
  request->render = [](const result<written>& outcome) {
    return outcome ? std::string("201") : std::string(to_string(outcome.error().code));
  };
  return request;
}

house::house(kind which) {
  spdlog::set_level(spdlog::level::off);
  if (which == kind::memory) {
    memory_ = make_memory_database();
    db_ = memory_.get();
  } else {
    postgres_ = std::make_unique<test_database>();
    postgres_options options;
    options.url = postgres_->url();
    owned_ = make_postgres_database(options);
    db_ = owned_.get();
  }
  REQUIRE(db_->migrate());
  epoch_ = db_->take_lease("tests").value();
  hot_ = db_->open_writer(lane::hot, epoch_);
  bulk_ = db_->open_writer(lane::bulk, epoch_);
  reader_ = db_->open_reader();
}

std::string house::next_id() { return "batch-" + std::to_string(++batches_); }

committed house::batch(const std::string& id, const std::vector<write>& writes, lane which) {
  auto done = on(which).commit(id, writes);
  if (!done) FAIL("the batch failed: " << to_string(done.error().code) << " " << done.error().detail);
  REQUIRE(done->results.size() == writes.size());
  return std::move(*done);
}

committed house::batch(std::vector<change> changes) {
  std::vector<write> writes;
  for (auto& one : changes) writes.push_back({std::move(one), {}});
  auto which = writes.empty() ? lane::hot : lane_of(writes.front().what);
  return batch(next_id(), writes, which);
}

result<written> house::attempt(change what, std::shared_ptr<const keyed_request> key) {
  auto which = lane_of(what);
  return batch(next_id(), {{std::move(what), std::move(key)}}, which).results.front();
}

errc house::refused(change what) {
  auto outcome = attempt(std::move(what));
  REQUIRE(!outcome);
  return outcome.error().code;
}

user house::enrol(const std::string& name, std::int64_t capacity_w, std::int64_t points, const std::string& cust_no) {
  create_user c;
  c.name = name;
  c.capacity_w = capacity_w;
  c.opening_points = points;
  c.cust_no = cust_no;
  c.assign_cust_no = cust_no.empty();
  c.at = noon(-60);
  return must<user>(c);
}

campaign house::open(campaign what) { return must<campaign>(open_campaign{std::move(what), noon()}); }

campaign house::end(campaign_id id, time_point at) {
  auto before = campaign_now(id);
  return must<campaign>(save_campaign{ended(before, at).value(), before.version, at});
}

campaign house::freeze(campaign_id id, time_point at) { return must<campaign>(freeze_campaign{id, at, at}); }

check_settled house::settle(response_id of, std::int64_t points, bool real, int revision) {
  return must<check_settled>(settle_check{check_of(of, points, real, revision)});
}

std::vector<event> house::events(event_filter filter) {
  std::vector<event> out;
  filter.limit = 1000;
  for (;;) {
    auto part = read().events(filter).value();
    out.insert(out.end(), part.begin(), part.end());
    if (static_cast<int>(part.size()) < filter.limit) return out;
    filter.after = out.back().seq;
  }
}

std::vector<std::string> house::event_types() {
  std::vector<std::string> types;
  for (const auto& e : events()) types.push_back(e.type);
  return types;
}

std::vector<ledger_entry> house::ledger_of(user_id id) {
  page_request at;
  at.size = 1000;
  auto entries = read().ledger(id, at).value().items;
  return {entries.rbegin(), entries.rend()};
}

void house::counts_hold(const campaign& c, const std::vector<response>& responses) {
  campaign_counts n;
  for (const auto& r : responses) {
    ++n.dispatched;
    n.delivered += r.delivered_at.has_value();
    n.accept += r.frozen_answer() == answer::accept;
    n.deny += r.frozen_answer() == answer::deny;
    if (r.frozen_answer() == answer::accept) n.committed_w += r.capacity_w;
    n.real += r.verification == verification::real;
    n.unreal += r.verification == verification::unreal;
    n.unverifiable += r.verification == verification::unverifiable;
    n.pending += r.verification == verification::pending;
  }
  for (const auto& k : all<reduction_check>([&](const page_request& at) { return read().checks({c.id, {}}, at); })) {
    n.reduction_wh += k.reduction_wh;
    n.credited_wh += k.credited_wh;
    n.points_credited += k.adjust_points;
  }
  INFO("campaign " << c.id.value);
  CHECK(c.counts == n);
}

void house::balances_hold(const std::vector<user>& users, const std::vector<event>& log) {
  std::map<user_id, std::int64_t> told;
  for (const auto& e : log) {
    auto data = nlohmann::json::parse(e.data);
    if (e.type == event_types::user_enrolled) told[e.user] += data.at("point").get<std::int64_t>();
    if (e.type == event_types::point_changed || e.type == event_types::point_withdrawn)
      told[e.user] += data.at("amount").get<std::int64_t>();
  }
  bool imports =
      std::any_of(log.begin(), log.end(), [](const event& e) { return e.type == event_types::users_imported; });
  for (const auto& u : users) {
    INFO("user " << u.id.value);
    std::int64_t balance = 0;
    for (const auto& entry : ledger_of(u.id)) {
      balance += entry.amount;
      CHECK(entry.balance_after == balance);
    }
    CHECK(u.points == balance);
    CHECK(u.points >= 0);
    if (!imports) CHECK(told[u.id] == u.points);
  }
}

void house::holds() {
  auto log = events();
  for (std::size_t i = 0; i < log.size(); ++i) REQUIRE(log[i].seq == static_cast<std::int64_t>(i) + 1);
  balances_hold(all<user>([&](const page_request& at) { return read().users({}, at); }), log);
  std::map<response_id, std::string> chosen;
  std::map<response_id, std::string> verified;
  for (const auto& e : log) {
    if (e.type == event_types::accept_chosen) chosen[e.response] = "accept";
    if (e.type == event_types::deny_chosen) chosen[e.response] = "deny";
    if (e.type == event_types::reduction_check)
      verified[e.response] = nlohmann::json::parse(e.data).at("answer").get<std::string>();
  }
  for (const auto& c : all<campaign>([&](const page_request& at) { return read().campaigns({}, at); })) {
    auto responses = all<response>([&](const page_request& at) { return read().responses({c.id, {}, {}}, at); });
    counts_hold(c, responses);
    for (const auto& r : responses) {
      auto told = chosen.contains(r.id) ? chosen[r.id] : "ignore";
      CHECK(told == to_string(r.frozen_answer()));
      if (verified.contains(r.id)) CHECK(verified[r.id] == to_string(r.answer));
    }
  }
}

} // namespace dr::test
