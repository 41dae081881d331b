#include "http/websockets.hpp"

#include "http/answers.hpp"
#include "http/codecs/fields.hpp"
#include "http/codecs/numbers.hpp"
#include "http/codecs/text.hpp"
#include "http/commands.hpp"
#include "http/health.hpp"
#include "http/live_sink.hpp"
#include "http/reads.hpp"
#include "http/tokens.hpp"

#include <caf/send.hpp>

namespace dr::http {

namespace {

using json_kind = json_value::kind;
constexpr int max_commands_under_way = 32;
constexpr std::size_t max_ref_characters = 128;

/// One connection; its callbacks share it. Used on the connection's io thread only.
struct socket_state {
  context_ptr app;
  boost::asio::any_io_executor executor;
  user_id user; ///< none: the admin
  std::string user_name;
  std::string token_hash;
  std::weak_ptr<live_sink> sink = {};
  int under_way = 0;
};
using state_ptr = std::shared_ptr<socket_state>;

template <class Rest> std::string message(std::string_view type, const std::string& ref, Rest rest) {
  std::string text;
  json_writer out(text);
  out.begin_object().field("type", type);
  if (!ref.empty()) out.key("ref").raw(ref);
  rest(out);
  out.end_object();
  return text;
}

void send_error(const websocket_ptr& socket, const std::string& ref, const error& why) {
  const auto problem = to_json(problem_of(why), "/ws");
  socket->send({nullptr, message("error", ref, [&](json_writer& out) { out.key("problem").raw(problem); })});
}

/// What a customer says.
struct customer_message {
  bool is_answer = false;
  response_id id;
  dr::answer answer = answer::accept;
  std::string ref; ///< as JSON, echoed as it came; empty: none
};

std::string read_ref(const json_value& json) {
  std::string text;
  const auto* ref = json.find("ref");
  if (ref == nullptr) return text;
  if (ref->is(json_kind::string) && count_characters(ref->text) <= max_ref_characters)
    append_json_string(text, ref->text);
  if (ref->is(json_kind::number) && ref->text.size() <= max_ref_characters) text = ref->text;
  return text;
}

/// `out.ref` is set as soon as it is known, so that an error can name it.
result<void> decode(std::string_view text, customer_message& out) {
  const auto json = parse_json_object(text);
  if (!json) return json.error();
  out.ref = read_ref(*json);
  field_reader fields(*json);
  fields.ignore({"ref"});
  if (json->find("ref") != nullptr && out.ref.empty())
    fields.note("ref", "must be a number or a text of at most 128 characters");
  fields.require("type");
  const auto known = [](std::string_view name) -> std::optional<bool> {
    if (name == "answer") return true;
    return name == "received" ? std::optional(false) : std::nullopt;
  };
  const auto type = fields.named<bool>("type", known, "received or answer");
  fields.require("responseId");
  out.id.value = fields.whole("responseId", 1, INT64_MAX).value_or(0);
  if (type.value_or(false)) {
    out.is_answer = true;
    fields.require("answer");
    const auto choice = [](std::string_view name) {
      const auto value = parse_answer(name);
      return value == answer::ignore ? std::nullopt : value;
    };
    out.answer = fields.named<answer>("answer", choice, "accept or deny").value_or(answer::accept);
  }
  return fields.finish();
}

awaitable<void> carry_out(state_ptr state, websocket_ptr socket, customer_message what) {
  const actors::caller by{state->user};
  auto pending = what.is_answer ? command(*state->app, actors::choose{what.id, what.answer, {}, by, nullptr})
                                : command(*state->app, actors::acknowledge_alert{what.id, by});
  const auto done = co_await std::move(pending);
  --state->under_way;
  if (!done) {
    send_error(socket, what.ref, done.error());
  } else if (const auto* changed = std::get_if<storage::response_changed>(&*done); changed && what.is_answer) {
    auto text = message("answered", what.ref, [&](json_writer& out) {
      out.field("responseId", changed->response.id.value).field("answer", to_string(changed->response.answer));
      write_response(out.key("response"), changed->response);
    });
    socket->send({nullptr, std::move(text)});
  }
}

void take_message(const state_ptr& state, const websocket_ptr& socket, std::string_view text) {
  customer_message what;
  const auto fine = decode(text, what);
  if (!state->app->customers_pace.lets(state->user, std::chrono::steady_clock::now()))
    return send_error(socket, what.ref, fail(errc::too_many_requests));
  if (!fine) return send_error(socket, what.ref, fine.error());
  if (state->under_way >= max_commands_under_way)
    return send_error(socket, what.ref,
                      fail(errc::too_many_requests, "Too many messages wait for an answer; slow down."));
  ++state->under_way;
  spawn_task(state->executor, "a customer's message", carry_out(state, socket, std::move(what)));
}

std::string snapshot_of(const snapshot_rows& rows) {
  return message("snapshot", {}, [&](json_writer& out) {
    write_user(out.key("user"), rows.user);
    out.key("campaigns").begin_array();
    for (const auto& row : rows.open) {
      out.begin_object();
      write_campaign(out.key("campaign"), row.campaign);
      write_response(out.key("response"), row.response);
      out.end_object();
    }
    out.end_array();
  });
}

/// Holds the sink until the snapshot is out; then the hub alone keeps it.
awaitable<void> send_customer_snapshot(state_ptr state, websocket_ptr socket, std::shared_ptr<live_sink> sink) {
  auto pending = read_snapshot(*state->app, state->user, state->token_hash);
  const auto rows = co_await std::move(pending);
  if (rows)
    sink->go_live(snapshot_of(*rows));
  else if (rows.error().code == errc::unauthorized)
    socket->close(close_code::policy_error, "the token was revoked");
  else
    socket->close(close_code::try_again_later, "no snapshot can be read now, connect again soon");
}

awaitable<void> send_admin_snapshot(state_ptr state, websocket_ptr socket, std::shared_ptr<live_sink> sink) {
  auto pending = overview_json(*state->app, "snapshot", std::nullopt);
  auto made = co_await std::move(pending);
  if (made)
    sink->go_live(std::move(made->json), made->last_event);
  else
    socket->close(close_code::try_again_later, "no snapshot can be read now, connect again soon");
}

void open_socket(const state_ptr& state, const websocket_ptr& socket) {
  auto& app = *state->app;
  auto sink = std::make_shared<live_sink>(socket, app.config->ws.queue_max);
  state->sink = sink;
  // First the hub, then the snapshot: what is committed after the snapshot was read reaches the hub after this message.
  if (state->user) {
    // A phone that lost its network leaves sockets behind that look open for a while; it must not be locked out.
    if (const auto oldest = app.sockets.add(state->user, socket, app.config->ws.max_per_customer))
      oldest->close(close_code::policy_error, "replaced by a newer connection");
    caf::anon_send(app.services.hub, actors::attach_customer{state->user, state->user_name, sink});
    spawn_task(state->executor, "a customer's snapshot", send_customer_snapshot(state, socket, std::move(sink)));
  } else {
    caf::anon_send(app.services.hub, actors::attach_admin{sink});
    spawn_task(state->executor, "the console's snapshot", send_admin_snapshot(state, socket, std::move(sink)));
  }
}

void close_socket(const state_ptr& state, const websocket_ptr& socket) {
  if (state->user) state->app->sockets.remove(state->user, socket);
  if (auto sink = state->sink.lock()) caf::anon_send(state->app->services.hub, actors::detach{std::move(sink)});
}

websocket_callbacks callbacks_of(state_ptr state) {
  websocket_callbacks made;
  made.on_open = [state](const websocket_ptr& socket) { open_socket(state, socket); };
  made.on_message = [state](const websocket_ptr& socket, std::string_view text) {
    if (state->user)
      take_message(state, socket, text);
    else
      send_error(socket, {}, fail(errc::invalid, "The console's socket takes no messages."));
  };
  made.on_close = [state](const websocket_ptr& socket, std::uint16_t) { close_socket(state, socket); };
  return made;
}

/// With access control off a customer is named by ?userId=. Fails: invalid, forbidden.
result<user_id> customer_of(const front_context& app, const request_context& request, const identity& who) {
  query_reader query(request);
  query.text("access_token", max_token_characters);
  if (app.access.off()) {
    const user_id named{query.id("userId")};
    if (!named && !request.query_value("userId")) query.note("userId", "is required");
    if (auto fine = query.finish(); !fine) return fine.error();
    return named;
  }
  if (auto fine = query.finish(); !fine) return fine.error();
  if (who.by.is_admin()) return fail(errc::forbidden, "This socket is a customer's; the console's is /ws/admin.");
  return who.by.user;
}

} // namespace

awaitable<websocket_verdict> upgrade_customer(context_ptr app, request_context& request, identity who) {
  const auto user = customer_of(*app, request, who);
  if (!user) co_return problem_reply(user.error(), request.path);
  auto pending = find_user(*app, *user);
  const auto found = co_await std::move(pending);
  if (!found) co_return problem_reply(found.error(), request.path);
  auto state = std::make_shared<socket_state>();
  state->app = app;
  state->executor = request.executor;
  state->user = *user;
  state->user_name = found->name;
  state->token_hash = who.token_hash;
  co_return callbacks_of(std::move(state));
}

awaitable<websocket_verdict> upgrade_admin(context_ptr app, request_context& request, identity) {
  query_reader query(request);
  query.text("access_token", max_token_characters);
  if (auto fine = query.finish(); !fine) co_return problem_reply(fine.error(), request.path);
  auto state = std::make_shared<socket_state>();
  state->app = app;
  state->executor = request.executor;
  co_return callbacks_of(std::move(state));
}

} // namespace dr::http
