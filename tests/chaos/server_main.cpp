// dr-chaos-server: the server itself, with two more ways to hurt it. CHAOS_MUTANT plants a bug (see mutants.hpp);
// CHAOS_ORDERS names a file, each further line of which names one of the server's services to kill.
#include "actors/interfaces.hpp"
#include "actors/stable.hpp"
#include "app/serve.hpp"
#include "config/flags.hpp"
#include "config/load.hpp"
#include "http/codecs/push_codec.hpp"
#include "tests/chaos/mutants.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

namespace {

using namespace dr;

/// Sends every fifth alert as something that no client knows.
class forgetful_encoder final : public actors::push_encoder {
public:
  std::string alert_head(actors::campaign_notice_kind kind, const campaign& c) const override {
    return right_.alert_head(kind, c);
  }
  std::string alert_tail(const response& r) const override {
    auto tail = right_.alert_tail(r);
    if (r.id.value % 5 != 0) return tail;
    tail.pop_back();
    return tail + R"(,"type":"overlooked"})";
  }
  std::string campaign_message(actors::campaign_notice_kind kind, const campaign& c) const override {
    return right_.campaign_message(kind, c);
  }
  std::string response_changed(const response& r) const override { return right_.response_changed(r); }
  std::string reduction_checked(const reduction_check& check) const override { return right_.reduction_checked(check); }
  std::string point_changed(user_id user, std::int64_t points, const ledger_entry& entry) const override {
    return right_.point_changed(user, points, entry);
  }
  std::string admin_event(const event& e) const override { return right_.admin_event(e); }
  std::string admin_summary(const campaign& c) const override { return right_.admin_summary(c); }

private:
  http::push_codec right_;
};

/// Kills services by name, as a file tells it to.
class executioner {
public:
  explicit executioner(std::string orders) : orders_(std::move(orders)) {}
  void start(const actors::services& all) {
    services_ = all;
    thread_ = std::thread([this] { work(); });
  }
  void stop() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    services_ = {};
  }

private:
  void work() {
    std::ifstream in(orders_);
    in.seekg(0, std::ios::end); // what was ordered of an earlier server is done
    while (!done_) {
      if (!in.is_open()) in.open(orders_);
      std::string name;
      while (std::getline(in, name)) kill(name);
      in.clear();
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  }

  void kill(const std::string& name) const {
    const auto present = [&]() -> caf::actor {
      const auto of = [](const auto& handle) { return actors::incarnation_of(caf::actor_cast<caf::actor>(handle)); };
      if (name == "store") return of(services_.store);
      if (name == "registry") return of(services_.registry);
      if (name == "push_hub") return of(services_.hub);
      if (name == "kepco_gate") return of(services_.gate);
      if (name == "verification") return of(services_.verification);
      return {};
    }();
    spdlog::warn("killing {}{}", name, present ? "" : ", which is not there");
    if (present) caf::anon_send_exit(present, caf::exit_reason::kill);
  }

  std::string orders_;
  actors::services services_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

} // namespace

int main() {
  settings_sources sources;
  sources.environment = process_environment();
  const auto loaded = load_settings(sources);
  if (!loaded) {
    std::cerr << loaded.error().detail << '\n';
    return exit_configuration_refused;
  }
  serve_parts parts;
  if (const char* name = variable("CHAOS_MUTANT")) {
    const auto which = chaos::parse_mutant(name);
    if (!which) {
      std::cerr << "there is no mutant " << name << '\n';
      return exit_configuration_refused;
    }
    if (which == chaos::mutant::skipped_alert)
      parts.encoder = [](const auto&) { return std::make_shared<const forgetful_encoder>(); };
    parts.database = [&](std::shared_ptr<storage::database> real) {
      return chaos::mutated(std::move(real), *which, loaded->settings.database.url.reveal());
    };
  }
  const char* orders = variable("CHAOS_ORDERS");
  executioner waits(orders ? orders : "");
  if (orders) {
    parts.started = [&](caf::actor_system&, const actors::services& all) { waits.start(all); };
    parts.stopping = [&] { waits.stop(); };
  }
  return serve(*loaded, parts);
}
