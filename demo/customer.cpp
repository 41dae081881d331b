#include "demo/customer.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <nlohmann/json.hpp>

namespace dr::demo {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using json = nlohmann::json;
using socket_type = beast::websocket::stream<beast::tcp_stream>;

/// The messages this customer sends when it is alerted.
std::vector<std::string> reaction(const customer& who, std::int64_t response) {
  std::vector<std::string> out{json{{"type", "received"}, {"responseId", response}}.dump()};
  if (who.acts == behaviour::ignores) return out;
  const char* choice = who.acts == behaviour::denies ? "deny" : "accept";
  out.push_back(json{{"type", "answer"}, {"responseId", response}, {"answer", choice}, {"ref", "demo"}}.dump());
  return out;
}

/// Takes in one message; returns what to send back.
std::vector<std::string> take(customer& who, const std::string& text) {
  const auto message = json::parse(text);
  const auto type = message.value("type", "");
  if (type == "snapshot") who.connected = true;
  if (type == "answered") who.answered = true;
  if (type == "point.changed") who.points_told = message.value("points", std::int64_t{0});
  if (type != "campaign.started" && type != "campaign.announced") return {};
  who.alerted = true;
  return reaction(who, message.at("response").at("id").get<std::int64_t>());
}

} // namespace

asio::awaitable<void> run_customer(customer& who, std::string host, std::string port) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto where = co_await resolver.async_resolve(host, port, asio::use_awaitable);
  socket_type socket(executor);
  co_await beast::get_lowest_layer(socket).async_connect(where, asio::use_awaitable);
  const std::string target = who.token.empty()
                                 ? "/ws?userId=" + std::to_string(who.id)
                                 : "/ws?access_token=" + boost::urls::encode(who.token, boost::urls::unreserved_chars);
  co_await socket.async_handshake(host + ":" + port, target, asio::use_awaitable);
  beast::flat_buffer buffer;
  for (;;) {
    co_await socket.async_read(buffer, asio::use_awaitable);
    const auto replies = take(who, beast::buffers_to_string(buffer.data()));
    buffer.consume(buffer.size());
    for (const auto& reply : replies) co_await socket.async_write(asio::buffer(reply), asio::use_awaitable);
  }
}

} // namespace dr::demo
