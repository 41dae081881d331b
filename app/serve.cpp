#include "app/serve.hpp"

#include "actors/metering/metering_tree.hpp"
#include "actors/tree.hpp"
#include "app/allocator.hpp"
#include "app/inheritance.hpp"
#include "app/listening.hpp"
#include "app/open_files.hpp"
#include "app/orders.hpp"
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
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <thread>
#include <unistd.h>

namespace dr {
namespace {

using namespace std::chrono_literals;

constexpr auto database_retry = 1s;
constexpr int say_again_every = 30; ///< tries
constexpr auto release_margin = 1s; ///< the launcher kills an old server that does not let go; then this is not reached

/// What is ready before the tree starts.
struct foundation {
  std::optional<pid_file> pid; ///< a successor takes it when it takes over
  std::shared_ptr<business_clock> clock;
  std::string admin_token;
};

result<foundation> lay_foundation(const settings& s, bool standby) {
  if (auto made = make_data_dir(s.data_dir); !made) return made.error();
  foundation base;
  if (!standby) {
    auto pid = pid_file::acquire(pid_file_path(s));
    if (!pid) return pid.error();
    base.pid.emplace(std::move(*pid));
  }
  auto clock = business_clock::open(s.clock, clock_anchor_file(s));
  if (!clock) return clock.error();
  auto token = http::load_or_make_admin_token(admin_token_file(s));
  if (!token) return token.error();
  base.clock = std::move(*clock);
  base.admin_token = *token;
  return base;
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

/// Calls `attempt` until it succeeds or fails for another reason than a database that cannot be reached. Nothing when
/// an order came meanwhile: there is nothing to hand over yet, so each of them ends the process.
template <class Value>
result<std::optional<Value>> patiently(server_orders& orders, const std::function<result<Value>()>& attempt) {
  std::string said;
  for (int tries = 1;; ++tries) {
    auto done = attempt();
    if (done) return std::optional(std::move(*done));
    if (done.error().code != errc::store_unavailable) return done.error();
    const auto why = "waiting for the database of DR_DATABASE_URL: " + done.error().detail;
    if (why != said || tries % say_again_every == 0)
      spdlog::warn("{}; tried {} times, again every {} s", why, tries, database_retry.count());
    said = why;
    orders.link.say(launcher_words::note, why);
    const auto what = orders.wait(database_retry);
    const auto* event = std::get_if<server_event>(&what);
    if (!event || *event != server_event::none) return std::optional<Value>{};
  }
}

/// Brings the schema up to date and takes the writer lease.
result<std::int64_t> take_database(storage::database& database) {
  const auto migrated = database.migrate();
  if (!migrated) return migrated.error();
  for (const auto number : *migrated) spdlog::info("applied migration V{:03}", number);
  auto epoch = database.take_lease(holder_name());
  if (!epoch) return fail(errc::store_unavailable, epoch.error().detail); // with a good schema only the way to it fails
  return epoch;
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

int refuse(const launcher_link& launcher, const error& why) {
  spdlog::critical("the server does not start: {}", why.detail);
  launcher.say(launcher_words::refused, why.detail);
  return exit_configuration_refused;
}

/// For what the system refused us: a disk that is full may have room later, so a launcher tries again.
int fail_to_start(const launcher_link& launcher, const error& why) {
  const int code = refuse(launcher, why);
  return why.code == errc::internal ? EXIT_FAILURE : code;
}

/// The listening socket, taken before the database is: who cannot be reached must not stop another server.
result<int> take_address(const endpoint& wanted, bool standby) {
  if (const auto inherited = inherited_listener()) {
    if (!standby || is_bound_to(*inherited, wanted)) return *inherited;
    return fail(errc::invalid, "http.address is " + wanted.text() +
                                   " now, but the socket that was handed on is another one: stop and start the server "
                                   "to change its address");
  }
  const int made = listen_on(wanted);
  if (made >= 0) return made;
  return fail(errc::internal, fmt::format("cannot listen on {}: {}; choose another address by DR_HTTP_ADDRESS",
                                          wanted.text(), std::strerror(errno)));
}

/// A successor's wait: prepares all that can be done beside the running server, and then takes its place, connections
/// and all. False when it was told to stop instead.
result<bool> succeed(server_orders& orders, const settings& s, foundation& base, storage::database& database,
                     std::optional<inheritance>& heir, const std::shared_ptr<http::front_control>& front) {
  const auto prepared = patiently<std::vector<int>>(orders, [&database] { return database.migrate_beside(); });
  if (!prepared) return prepared.error();
  if (!*prepared) return false;
  spdlog::info("prepared to take over from the running server");
  orders.link.say(launcher_words::prepared);
  auto what = orders.wait();
  auto* order = std::get_if<launcher_order>(&what);
  if (!order || order->what != launcher_order::kind::take_over) return false;
  heir.emplace(std::move(order->peer),
               [front](int descriptor, std::string unread) { front->adopt(descriptor, std::move(unread)); });
  if (!heir->wait_released(order->patience + release_margin))
    spdlog::warn("the old server does not let go: it is fenced, what it has under way will be refused");
  auto pid = pid_file::replace(pid_file_path(s));
  if (!pid) return pid.error();
  base.pid.emplace(std::move(*pid));
  return true;
}

/// The old server's part: everything that is between two requests goes to the successor, the rest is answered first.
void hand_over(const server_orders& orders, http::front_control& front, foundation& base, launcher_order order) {
  spdlog::info("handing over to a new server");
  base.pid->leave();
  const estate all(std::move(order.peer));
  const bool settled = front.hand_over(
      [all](int descriptor, std::string unread) { all.give(descriptor, std::move(unread)); }, order.patience);
  if (!settled) spdlog::warn("some writes were not done in time; they will be refused");
  all.release();
  orders.link.say(launcher_words::released);
}

/// Waits for the end of the run and prepares it; true when the lease was lost.
bool await_end(server_orders& orders, http::front_control& front, foundation& base) {
  auto what = orders.wait();
  if (auto* order = std::get_if<launcher_order>(&what)) {
    hand_over(orders, front, base, std::move(*order));
    return false;
  }
  const bool lost = std::get<server_event>(what) == server_event::lease_lost;
  spdlog::info(lost ? "another server has taken over: stopping" : "told to stop: draining");
  front.begin_draining();
  return lost;
}

/// Lets the last lines out. When nobody reads them the process ends here, with this status. Nothing may be logged
/// behind it.
void end_logging(int status) {
  constexpr auto patience = std::chrono::seconds{1};
  auto over = std::make_shared<std::promise<void>>();
  auto ended = over->get_future();
  std::thread([over] {
    spdlog::shutdown();
    over->set_value();
  }).detach();
  if (ended.wait_for(patience) != std::future_status::ready) std::_Exit(status);
}

/// The part of a run in which the tree is up.
int run_tree(const std::shared_ptr<const settings>& config, foundation& base,
             std::shared_ptr<storage::database> database, std::int64_t epoch, server_orders& orders,
             const std::shared_ptr<http::front_control>& control, int listener, const serve_parts& parts) {
  actors::actor_system_config caf_config(config->actors);
  auto system = std::make_unique<caf::actor_system>(caf_config);

  actors::tree_options options;
  options.config = config;
  options.clock = base.clock;
  options.database = std::move(database);
  options.epoch = epoch;
  options.encoder =
      wrapped(parts.encoder, std::shared_ptr<const actors::push_encoder>(std::make_shared<http::push_codec>()));
  options.on_fenced = server_orders::tell_lease_lost;
  options.metering = [&](const actors::services& all) {
    return actors::metering_children(*system, metering_parts_of(*config, all, base.clock, parts));
  };
  options.front = [&](const actors::services& all) {
    http::front_options front{config, all, base.clock, version(), base.admin_token, listener, control};
    actors::child_spec spec;
    spec.name = "http front";
    spec.start = [front](caf::actor_system& sys) { return http::start_front(sys, front); };
    return std::vector<actors::child_spec>{spec};
  };
  spdlog::info("drplatform {} is starting on {}", version(), config->http.address.text());
  auto all = actors::start_tree(*system, options);
  if (parts.started) parts.started(*system, all);

  orders.link.say(launcher_words::serving);

  const bool lost = await_end(orders, *control, base);
  if (parts.stopping) parts.stopping();
  const bool orderly =
      actors::stop_tree_and_wait(*system, all, config->actors.stop_timeout + config->http.drain_timeout);
  if (!orderly) {
    spdlog::error("something did not stop in time; leaving without it");
    end_logging(lost ? exit_lease_lost : EXIT_FAILURE);
    std::_Exit(lost ? exit_lease_lost : EXIT_FAILURE);
  }
  spdlog::info("stopped");
  return lost ? exit_lease_lost : EXIT_SUCCESS;
}

/// A whole run, but for the log.
int run(const loaded_settings& loaded, const serve_parts& parts, server_orders& orders) {
  const auto config = std::make_shared<const settings>(loaded.settings);
  return_freed_memory();
  use_all_open_files();
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  if (config->database.url.empty())
    return refuse(orders.link, fail(errc::invalid, "no database is given: run script/server, or set DR_DATABASE_URL"));
  if (const auto wrong = storage::wrong_address(config->database.url.reveal()))
    return refuse(orders.link,
                  fail(errc::invalid, "the database's address, database.url (DR_DATABASE_URL), " + *wrong));
  auto base = lay_foundation(*config, orders.link.standby());
  if (!base) return fail_to_start(orders.link, base.error());
  const auto listener = take_address(config->http.address, orders.link.standby());
  if (!listener) return fail_to_start(orders.link, listener.error());
  if (base->clock->is_virtual())
    spdlog::warn("the clock is virtual: it is {} and runs at {} times real time", format_rfc3339(base->clock->now()),
                 base->clock->rate());
  auto database = wrapped(parts.database, std::shared_ptr<storage::database>(
                                              storage::make_postgres_database(postgres_options_of(config->database))));
  const auto control = std::make_shared<http::front_control>();
  std::optional<inheritance> heir; // ends before what it fills
  if (orders.link.standby()) {
    const auto succeeded = succeed(orders, *config, *base, *database, heir, control);
    if (!succeeded) return fail_to_start(orders.link, succeeded.error());
    if (!*succeeded) return EXIT_SUCCESS;
  }
  const auto epoch = patiently<std::int64_t>(orders, [&database] { return take_database(*database); });
  if (!epoch) return refuse(orders.link, epoch.error());
  if (!*epoch) return EXIT_SUCCESS;
  return run_tree(config, *base, std::move(database), **epoch, orders, control, *listener, parts);
}

} // namespace

const char* version() noexcept { return DR_VERSION; }

void set_up_logging(const log_settings& log) {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::info,  spdlog::level::trace,
                                                         spdlog::level::debug, spdlog::level::info,
                                                         spdlog::level::warn,  spdlog::level::err};
  // Lines are written by a thread of their own: whoever reads them may stop reading (a stopped terminal, a full pipe),
  // and nothing else may stop with it. Then the oldest lines are lost.
  constexpr std::size_t lines_waiting = 2048;
  spdlog::init_thread_pool(lines_waiting, 1);
  auto logger =
      std::make_shared<spdlog::async_logger>("drplatform", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(),
                                             spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  logger->set_level(levels[static_cast<std::size_t>(log.level)]);
  spdlog::set_default_logger(std::move(logger));
}

int serve(const loaded_settings& loaded, const serve_parts& parts) {
  server_orders orders; // first: it takes the signals, of all threads that come
  set_up_logging(loaded.settings.log);
  const int status = run(loaded, parts, orders);
  end_logging(status);
  return status;
}

} // namespace dr
