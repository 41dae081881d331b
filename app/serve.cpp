#include "app/serve.hpp"

#include "actors/metering/metering_tree.hpp"
#include "actors/tree.hpp"
#include "app/launcher.hpp"
#include "config/business_clock.hpp"
#include "config/data_dir.hpp"
#include "config/flags.hpp"
#include "http/codecs/push_codec.hpp"
#include "http/front.hpp"
#include "http/tokens.hpp"
#include "kepco/http_client.hpp"
#include "storage/postgres/postgres_database.hpp"

#include <caf/actor_system.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <malloc.h>
#include <unistd.h>

namespace dr {
namespace {

using namespace std::chrono_literals;

constexpr auto database_retry = 1s;
constexpr int lease_lost_signal = SIGUSR2; ///< sent to ourselves when the store finds itself fenced
constexpr int allocator_arenas = 2;        ///< more arenas cost memory for ever and gained nothing

/// The signals that end the server, blocked in every thread and taken by the main one.
class stop_signals {
public:
  stop_signals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, lease_lost_signal}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);
  }
  int wait() const {
    int number = 0;
    while (sigwait(&set_, &number) != 0) {}
    return number;
  }
  /// The signal, or 0 when none came in time.
  int wait_for(std::chrono::seconds at_most) const {
    const timespec limit{at_most.count(), 0};
    return std::max(0, sigtimedwait(&set_, nullptr, &limit));
  }

private:
  sigset_t set_{};
};

/// What is ready before the tree starts.
struct foundation {
  pid_file pid;
  std::shared_ptr<business_clock> clock;
  std::string admin_token;
};

result<foundation> lay_foundation(const settings& s) {
  if (auto made = make_data_dir(s.data_dir); !made) return made.error();
  auto pid = pid_file::acquire(pid_file_path(s));
  if (!pid) return pid.error();
  auto clock = business_clock::open(s.clock, clock_anchor_file(s));
  if (!clock) return clock.error();
  auto token = http::load_or_make_admin_token(admin_token_file(s));
  if (!token) return token.error();
  return foundation{std::move(*pid), std::move(*clock), *token};
}

storage::postgres_options postgres_options_of(const database_settings& db) {
  return {.url = db.url.reveal(),
          .statement_timeout = db.statement_timeout,
          .bulk_statement_timeout = db.bulk_timeout,
          .connect_timeout = std::chrono::ceil<std::chrono::seconds>(db.connect_timeout)};
}

std::string holder_name() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, ::getpid());
}

/// Brings the schema up to date and takes the writer lease, waiting for a database that is not there yet. Nothing when
/// a signal came meanwhile.
result<std::optional<std::int64_t>> open_database(storage::database& database, const stop_signals& signals) {
  for (;;) {
    const auto migrated = database.migrate();
    if (migrated) {
      for (const auto number : *migrated) spdlog::info("applied migration V{:03}", number);
      if (auto epoch = database.take_lease(holder_name())) return std::optional(*epoch);
    } else if (migrated.error().code != errc::store_unavailable) {
      return migrated.error();
    }
    spdlog::warn("the database cannot be reached; trying again every {} s{}", database_retry.count(),
                 migrated ? "" : ": " + migrated.error().detail);
    if (signals.wait_for(database_retry) != 0) return std::optional<std::int64_t>{};
  }
}

/// The part as it is, or with what the program puts around it.
template <class Wrap, class Part> Part wrapped(const Wrap& wrap, Part part) {
  return wrap ? wrap(std::move(part)) : std::move(part);
}

actors::metering_parts metering_parts_of(const settings& s, const actors::services& all,
                                         std::shared_ptr<const clock> time, const serve_parts& wraps) {
  actors::metering_parts parts;
  parts.stable = all;
  parts.clock = std::move(time);
  parts.kepco = s.kepco;
  parts.metering = s.metering;
  parts.holidays = s.holidays;
  parts.longest_look_back = longest_look_back(s.baselines);
  parts.make_source =
      wrapped(wraps.meter_source, make_kepco_source_factory({.base_url = s.kepco.base_url,
                                                             .service_key = s.kepco.service_key.reveal(),
                                                             .call_timeout = s.kepco.call_timeout,
                                                             .max_answer_bytes = s.kepco.max_answer_bytes}));
  return parts;
}

int refuse(const error& why) {
  spdlog::critical("the server does not start: {}", why.detail);
  return exit_configuration_refused;
}

/// The part of a run in which the tree is up.
int run_tree(const std::shared_ptr<const settings>& config, const foundation& base,
             std::shared_ptr<storage::database> database, std::int64_t epoch, const stop_signals& signals,
             const serve_parts& parts) {
  actors::actor_system_config caf_config(config->actors);
  auto system = std::make_unique<caf::actor_system>(caf_config);
  const auto control = std::make_shared<http::front_control>();
  const auto listener = inherited_listener();

  actors::tree_options options;
  options.config = config;
  options.clock = base.clock;
  options.database = std::move(database);
  options.epoch = epoch;
  options.encoder =
      wrapped(parts.encoder, std::shared_ptr<const actors::push_encoder>(std::make_shared<http::push_codec>()));
  options.on_fenced = [] { ::kill(::getpid(), lease_lost_signal); };
  options.metering = [&](const actors::services& all) {
    return actors::metering_children(*system, metering_parts_of(*config, all, base.clock, parts));
  };
  options.front = [&](const actors::services& all) {
    http::front_options front{config, all, base.clock, version(), base.admin_token, listener.value_or(-1), control};
    actors::child_spec spec;
    spec.name = "http front";
    spec.start = [front](caf::actor_system& sys) { return http::start_front(sys, front); };
    return std::vector<actors::child_spec>{spec};
  };
  auto all = actors::start_tree(*system, options);
  if (parts.started) parts.started(*system, all);
  spdlog::info("drplatform {} is starting on {}", version(), config->http.address.text());

  const int why = signals.wait();
  spdlog::info(why == lease_lost_signal ? "another server has taken over: stopping" : "told to stop: draining");
  if (parts.stopping) parts.stopping();
  control->begin_draining();
  const bool orderly =
      actors::stop_tree_and_wait(*system, all, config->actors.stop_timeout + config->http.drain_timeout);
  if (!orderly) {
    spdlog::error("something did not stop in time; leaving without it");
    spdlog::shutdown();
    std::_Exit(why == lease_lost_signal ? exit_lease_lost : EXIT_FAILURE);
  }
  spdlog::info("stopped");
  return why == lease_lost_signal ? exit_lease_lost : EXIT_SUCCESS;
}

} // namespace

const char* version() noexcept { return DR_VERSION; }

void set_up_logging(const log_settings& log) {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::info,  spdlog::level::trace,
                                                         spdlog::level::debug, spdlog::level::info,
                                                         spdlog::level::warn,  spdlog::level::err};
  auto logger = spdlog::stderr_color_mt("drplatform");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  logger->set_level(levels[static_cast<std::size_t>(log.level)]);
  spdlog::set_default_logger(std::move(logger));
}

int serve(const loaded_settings& loaded, const serve_parts& parts) {
  const stop_signals signals;
  mallopt(M_ARENA_MAX, allocator_arenas);
  const auto config = std::make_shared<const settings>(loaded.settings);
  set_up_logging(config->log);
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  if (config->database.url.empty())
    return refuse(fail(errc::invalid, "no database is given: run script/server, or set DR_DATABASE_URL"));
  auto base = lay_foundation(*config);
  if (!base) return refuse(base.error());
  if (base->clock->is_virtual())
    spdlog::warn("the clock is virtual: it is {} and runs at {} times real time", format_rfc3339(base->clock->now()),
                 base->clock->rate());
  auto database = wrapped(parts.database, std::shared_ptr<storage::database>(
                                              storage::make_postgres_database(postgres_options_of(config->database))));
  auto epoch = open_database(*database, signals);
  if (!epoch) return refuse(epoch.error());
  if (!*epoch) return EXIT_SUCCESS;
  return run_tree(config, *base, std::move(database), **epoch, signals, parts);
}

} // namespace dr
