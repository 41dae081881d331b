#include "tests/http/front_world.hpp"

#include "actors/metering/metering_tree.hpp"
#include "actors/stable.hpp"
#include "actors/tree.hpp"
#include "http/codecs/push_codec.hpp"
#include "http/front.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace dr::test {

namespace {

constexpr std::int32_t usual_wh = 250'000; // 1,000 kW for a quarter of an hour

/// Who saves how much; shared by all sources.
struct savings {
  std::mutex mutex;
  std::map<std::string, int> kw;
  bool crashing = false;
};

class scripted_source final : public meter_source {
public:
  scripted_source(std::shared_ptr<savings> all, std::shared_ptr<standing_clock> time)
      : all_(std::move(all)), time_(std::move(time)) {}
  meter_result<day_profile> day(const std::string& cust_no, korean_day asked) override {
    day_profile made;
    made.wh.fill(usual_wh);
    const std::scoped_lock lock(all_->mutex);
    if (all_->crashing) throw std::runtime_error("planted crash");
    if (asked == korean_day_of(time_->now()))
      if (const auto at = all_->kw.find(cust_no); at != all_->kw.end()) made.wh.fill(usual_wh - at->second * 250);
    return made;
  }

private:
  std::shared_ptr<savings> all_;
  std::shared_ptr<standing_clock> time_;
};

/// A listening socket that survives crashes of the front, as the launcher's does.
int listen_anywhere() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 128) != 0)
    throw std::runtime_error("no listening socket");
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

settings test_settings(const front_world::setup& with) {
  settings made;
  made.auth = with.auth;
  made.http.drain_timeout = 500ms;
  made.http.request_timeout = 5'000ms;
  made.kepco.base_url = "http://127.0.0.1:9";
  made.kepco.concurrency = 2;
  made.kepco.calls_per_s = 1000;
  made.metering.collect_history = false;
  made.metering.retry_min = 10ms;
  made.metering.retry_max = 50ms;
  made.programmes = shipped_programmes();
  if (with.tune) with.tune(made);
  return made;
}

} // namespace

struct front_world::impl {
  std::shared_ptr<const settings> config;
  std::shared_ptr<savings> saved = std::make_shared<savings>();
  std::shared_ptr<http::front_control> control = std::make_shared<http::front_control>();
  std::shared_ptr<caf::actor> front = std::make_shared<caf::actor>();
  int listener = listen_anywhere();
  std::unique_ptr<actors::actor_system_config> caf_config;
  std::unique_ptr<caf::actor_system> system;
  actors::services all;

  ~impl() {
    *front = nullptr;
    actors::stop_tree_and_wait(*system, all, 20s);
    ::close(listener);
  }
};

front_world::front_world(setup with)
    : clock_(std::make_shared<standing_clock>(*parse_rfc3339("2026-07-01T04:50:00Z"))),
      database_(storage::make_memory_database()), impl_(std::make_unique<impl>()) {
  auto& me = *impl_;
  me.config = std::make_shared<const settings>(test_settings(with));
  me.caf_config = std::make_unique<actors::actor_system_config>(me.config->actors);
  me.system = std::make_unique<caf::actor_system>(*me.caf_config);
  actors::tree_options options;
  options.config = me.config;
  options.clock = clock_;
  options.database = database_;
  options.epoch = database_->take_lease("test").value();
  options.encoder = std::make_shared<http::push_codec>();
  options.metering = [&](const actors::services& all) {
    actors::metering_parts parts;
    parts.stable = all;
    parts.clock = clock_;
    parts.kepco = me.config->kepco;
    parts.metering = me.config->metering;
    parts.make_source = [saved = me.saved, time = clock_] { return std::make_unique<scripted_source>(saved, time); };
    return actors::metering_children(*me.system, std::move(parts));
  };
  options.front = [&](const actors::services& all) {
    http::front_options front{me.config, all, clock_, "0.0.0-test", admin_token(), me.listener, me.control};
    actors::child_spec spec;
    spec.name = "http_front";
    spec.start = [front, seen = me.front](caf::actor_system& system) {
      auto made = http::start_front(system, front);
      *seen = made;
      return made;
    };
    return std::vector<actors::child_spec>{spec};
  };
  me.all = actors::start_tree(*me.system, options);
  REQUIRE(soon([&] { return me.control->port() != 0 && nobody().get("/readyz").status == 200; }));
}

front_world::~front_world() = default;

std::uint16_t front_world::port() const { return port_of(impl_->listener); }

http_client front_world::with_token(const std::string& token) const {
  http_client made(port());
  made.always_send({{"Authorization", "Bearer " + token}});
  return made;
}

http_client front_world::admin() const {
  return impl_->config->auth == auth_mode::off ? nobody() : with_token(admin_token());
}

void front_world::reduce(const std::string& cust_no, int kw) {
  const std::scoped_lock lock(impl_->saved->mutex);
  impl_->saved->kw[cust_no] = kw;
}

void front_world::crash_queries(bool crashing) {
  const std::scoped_lock lock(impl_->saved->mutex);
  impl_->saved->crashing = crashing;
}

void front_world::begin_draining() { impl_->control->begin_draining(); }

void front_world::crash_front() { caf::anon_send_exit(*impl_->front, caf::exit_reason::kill); }

json_answer front_world::call(const std::string& method, const std::string& target, const json& body,
                              header_list headers) {
  return read_json(admin().request(method, target, body.is_null() ? "" : body.dump(), std::move(headers)));
}

int front_world::enrol(const std::string& name, double capacity, int points) {
  const auto made = call("POST", "/users", {{"name", name}, {"capacity", capacity}, {"point", points}});
  INFO(made.raw.body);
  REQUIRE(made.status == 201);
  return made.body["id"];
}

int front_world::start_campaign(const json& more) {
  json order{{"name", "dr for test"}, {"type", "reliable"}};
  order.update(more);
  const auto made = call("POST", "/drs/startdr", order);
  INFO(made.raw.body);
  REQUIRE(made.status == 200);
  return made.body["id"];
}

std::string front_world::token_of(int user) {
  const auto made = call("POST", "/users/" + std::to_string(user) + "/token");
  INFO(made.raw.body);
  REQUIRE(made.status == 201);
  return made.body["token"];
}

int front_world::response_of(int campaign, int user) {
  const auto list = get("/responses?drId=" + std::to_string(campaign) + "&userId=" + std::to_string(user));
  INFO(list.raw.body);
  REQUIRE(list.body["_embedded"]["responses"].size() == 1);
  return list.body["_embedded"]["responses"][0]["id"];
}

json_answer read_json(http_answer answer) {
  json_answer made;
  made.status = answer.status;
  made.body = json::parse(answer.body, nullptr, false);
  made.raw = std::move(answer);
  return made;
}

bool soon(const std::function<bool()>& holds, std::chrono::milliseconds within) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    never.wait_for(lock, 5ms);
  }
  return true;
}

} // namespace dr::test
