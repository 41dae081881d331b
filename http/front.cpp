#include "http/front.hpp"

#include "actors/house.hpp"
#include "http/context.hpp"
#include "http/endpoint.hpp"
#include "http/health.hpp"
#include "http/routes.hpp"
#include "http/server/server.hpp"

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <unistd.h>

namespace dr::http {

namespace {

server_options options_of(const settings& config) {
  const auto& http = config.http;
  server_options made;
  made.address = http.address.host;
  made.port = http.address.port;
  made.io_threads = static_cast<unsigned>(http.io_threads);
  made.answer_fields = {{"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}};
  made.max_target_bytes = http.max_url_bytes;
  made.max_header_bytes = http.max_header_bytes;
  made.max_body_bytes = http.max_body_bytes;
  made.max_connections = http.max_connections;
  made.header_timeout = http.header_timeout;
  made.body_timeout = http.body_timeout;
  made.idle_timeout = http.idle_timeout;
  made.write_timeout = http.write_timeout;
  // Every request to an actor has its own, shorter timeout; this one only catches what those should have.
  made.handler_timeout = config.database.bulk_timeout + http.request_timeout;
  made.websocket.max_message_bytes = config.ws.max_message_bytes;
  made.websocket.max_queue_frames = config.ws.queue_max;
  made.websocket.ping_interval = config.ws.ping;
  made.websocket.silence_timeout = config.ws.silent;
  return made;
}

/// How often the front looks for what is wrong, for the log.
constexpr std::chrono::seconds watch_every{2};
struct watch_due {};

struct front_state {
  static constexpr const char* name = "http_front";
  std::shared_ptr<server> running;
  std::shared_ptr<front_control> control;
  std::chrono::milliseconds grace{0};

  ~front_state() {
    if (!running) return;
    control->detach(running.get());
    if (!running->stop(grace)) spdlog::warn("some requests were cut off when the HTTP front stopped");
  }
};

caf::behavior front(caf::stateful_actor<front_state>* self, std::shared_ptr<server> running,
                    std::weak_ptr<front_context> app, front_options options) {
  actors::house_rules(self, front_state::name);
  self->state.running = std::move(running);
  self->state.control = options.control;
  self->state.grace = options.config->http.drain_timeout;
  self->delayed_send(self, watch_every, watch_due{});
  // It speaks HTTP, not messages; the exit message of its supervisor ends it.
  return {[self, app = std::move(app)](watch_due) {
    if (auto all = app.lock())
      spawn_task(self->state.running->executor(), "the watch over the parts", watch_health(std::move(all)));
    self->delayed_send(self, watch_every, watch_due{});
  }};
}

} // namespace

front_control::front_control() = default;
front_control::~front_control() {
  for (const auto& [descriptor, unread] : adopted_) ::close(descriptor);
}

void front_control::begin_draining() {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
  if (app_) app_->draining = true;
  if (server_) server_->begin_drain();
}

bool front_control::draining() const {
  const std::scoped_lock lock(mutex_);
  return draining_;
}

bool front_control::hand_over(std::function<void(int, std::string)> give, std::chrono::milliseconds patience) {
  std::shared_ptr<server> running;
  {
    const std::scoped_lock lock(mutex_);
    draining_ = true;
    if (app_) app_->draining = true;
    give_ = give;
    running = server_;
  }
  return !running || running->hand_over(std::move(give), patience);
}

void front_control::adopt(int descriptor, std::string unread) {
  const std::scoped_lock lock(mutex_);
  if (server_)
    server_->adopt(descriptor, std::move(unread));
  else
    adopted_.emplace_back(descriptor, std::move(unread));
}

std::uint16_t front_control::port() const {
  const std::scoped_lock lock(mutex_);
  return server_ ? server_->port() : std::uint16_t{0};
}

void front_control::attach(std::shared_ptr<server> running, std::shared_ptr<front_context> app) {
  const std::scoped_lock lock(mutex_);
  app->draining = draining_;
  for (auto& [descriptor, unread] : std::exchange(adopted_, {})) running->adopt(descriptor, std::move(unread));
  if (give_)
    running->hand_over(give_, std::chrono::milliseconds{0}); // it was restarted in the middle
  else if (draining_)
    running->begin_drain();
  server_ = std::move(running);
  app_ = std::move(app);
}

void front_control::detach(const server* stopped) {
  const std::scoped_lock lock(mutex_);
  if (server_.get() != stopped) return;
  server_.reset();
  app_.reset();
}

caf::actor start_front(caf::actor_system& system, const front_options& options) {
  auto app =
      std::make_shared<front_context>(system, options.config, options.services, options.time, options.version,
                                      options.config->auth == auth_mode::off ? std::string{} : options.admin_token);
  auto wanted = options_of(*options.config);
  if (options.listen_fd >= 0) {
    wanted.listen_fd = ::dup(options.listen_fd);
    if (wanted.listen_fd < 0) throw std::runtime_error("the listening socket cannot be duplicated");
  }
  auto running = std::make_shared<server>(std::move(wanted), make_router(app), make_hooks(app));
  app->running = running;
  if (auto started = running->start(); !started)
    throw std::runtime_error("the HTTP front cannot listen: " + started.error().detail);
  options.control->attach(running, app);
  spdlog::info("listening on http://{}, access control {}",
               endpoint{options.config->http.address.host, running->port()}.text(), to_string(options.config->auth));
  // Stopping waits for requests in flight: a thread of its own.
  return system.spawn<caf::detached>(front, std::move(running), std::weak_ptr(app), options);
}

} // namespace dr::http
