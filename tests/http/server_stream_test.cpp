// Bodies that are larger than memory should hold, in both directions.
#include "tests/http/server_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>

using namespace dr::test;
namespace http = dr::http;
namespace asio = boost::asio;

namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::size_t chunk_count = 800; // 50 MiB

/// Counts what the streaming handlers did.
struct stream_log {
  std::atomic<std::size_t> made{0};     // chunks asked of the source
  std::atomic<std::size_t> sources{0};  // sources alive
  std::atomic<std::size_t> received{0}; // upload bytes
  std::atomic<std::size_t> largest{0};  // upload piece
  std::atomic<int> failure{0};          // errc of a failed upload
};

struct counted {
  explicit counted(stream_log& to) : log(to) { ++log.sources; }
  counted(const counted&) = delete;
  ~counted() { --log.sources; }
  stream_log& log;
};

asio::awaitable<std::optional<std::string>> next_piece(std::shared_ptr<counted> state) {
  if (state->log.made >= chunk_count) co_return std::nullopt;
  ++state->log.made;
  co_return std::string(chunk_bytes, 'x');
}

http::chunk_source endless_source(stream_log& log) {
  return [state = std::make_shared<counted>(log)] { return next_piece(state); };
}

asio::awaitable<std::optional<std::string>> failing_piece(std::shared_ptr<int> round) {
  if (++*round == 3) throw std::runtime_error("the store went away");
  co_return std::string("piece");
}

reply_task upload(request_context& request, stream_log& log) {
  for (;;) {
    auto piece = co_await request.next_chunk();
    if (!piece) {
      log.failure = static_cast<int>(piece.error().code);
      co_return http::make_reply(422, "text/plain", piece.error().detail);
    }
    if (!*piece) break;
    log.received += (*piece)->size();
    log.largest = std::max(log.largest.load(), (*piece)->size());
  }
  co_return http::make_reply(200, "text/plain", std::to_string(log.received));
}

http::router stream_routes(stream_log& log) {
  http::router routes;
  routes.add(method::get, "/hello", say("hello"));
  routes.add(method::get, "/stream", [&log](request_context&) -> reply_task {
    co_return http::make_streamed_reply(200, "text/csv", endless_source(log));
  });
  routes.add(method::get, "/failing", [](request_context&) -> reply_task {
    http::chunk_source source = [round = std::make_shared<int>(0)] { return failing_piece(round); };
    co_return http::make_streamed_reply(200, "text/csv", std::move(source));
  });
  http::route import;
  import.verb = method::post;
  import.pattern = "/upload";
  import.streaming = true;
  import.handle = [&log](request_context & request) { return upload(request, log);
};
routes.add(import);
import.pattern = "/bounded";
import.max_body_bytes = 1000;
routes.add(import);
import.pattern = "/ignoring";
import.handle = say("no thanks");
routes.add(std::move(import));
return routes;
} // namespace

const std::string host = "Host: test\r\n";

} // namespace

TEST_CASE("a large answer is streamed no faster than it is read", "[http]") {
  stream_log log;
  auto options = quick_options();
  options.io_threads = 1; // then an answer on another connection proves that the stream is waiting for its reader
  const running_server at(options, stream_routes(log));
  raw_client raw(at.port());
  raw.send("GET /stream HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  auto all = raw.read_until("\r\n\r\n");
  CHECK(count_of(all, "Transfer-Encoding: chunked\r\n") == 1);
  CHECK(count_of(all, "Content-Length") == 0);
  CHECK(at.client().get("/hello").status == 200);
  CHECK(log.made < chunk_count / 2);
  const auto rest = raw.read_to_end();
  CHECK(log.made == chunk_count);
  CHECK(static_cast<std::size_t>(std::count(rest.begin(), rest.end(), 'x')) == chunk_bytes * chunk_count);
  CHECK(rest.ends_with("\r\n0\r\n\r\n"));
  CHECK(eventually([&] { return log.sources == 0; }));
}

TEST_CASE("a streamed answer keeps the connection; HTTP/1.0 gets it unframed; HEAD asks for no piece", "[http]") {
  stream_log log;
  const running_server at(quick_options(), stream_routes(log));
  auto client = at.client();
  CHECK(client.head("/stream").status == 200);
  CHECK(log.made == 0);
  CHECK(client.get("/stream").body.size() == chunk_bytes * chunk_count);
  CHECK(client.get("/hello").status == 200);
  CHECK(at.server.counters().connections == 1);
  log.made = chunk_count - 1;
  raw_client old(at.port());
  old.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto all = old.read_to_end();
  CHECK(count_of(all, "chunked") == 0);
  CHECK(all.ends_with("\r\n\r\n" + std::string(chunk_bytes, 'x')));
}

TEST_CASE("a client that leaves stops the stream", "[http]") {
  stream_log log;
  const running_server at(quick_options(), stream_routes(log));
  raw_client raw(at.port());
  raw.send("GET /stream HTTP/1.1\r\n" + host + "\r\n");
  raw.read_until("\r\n\r\n");
  raw.close();
  CHECK(eventually([&] { return log.sources == 0 && at.server.counters().connections == 0; }));
  CHECK(log.made < chunk_count);
}

TEST_CASE("a stream that fails is cut so that the client notices", "[http]") {
  stream_log log;
  const running_server at(quick_options(), stream_routes(log));
  auto client = at.client();
  CHECK_THROWS_AS(client.get("/failing"), client_error);
  CHECK(client.get("/hello").status == 200);
}

TEST_CASE("a server that stops breaks an unframed answer off, so that its end is not taken for the whole", "[http]") {
  stream_log log;
  running_server at(quick_options(), stream_routes(log));
  auto old = raw_client::narrow(at.port());
  old.send("GET /stream HTTP/1.0\r\n\r\n");
  old.read_until("\r\n\r\n");
  CHECK_FALSE(at.server.stop(50ms));
  old.read_to_end();
  CHECK(old.was_reset());
}

TEST_CASE("a large upload arrives in bounded pieces", "[http]") {
  stream_log log;
  const running_server at(quick_options(), stream_routes(log));
  auto client = at.client();
  CHECK(client.post("/upload", std::string(50 * 1024 * 1024, 'x')).body == "52428800");
  CHECK(log.largest <= 64U * 1024);
  CHECK(client.get("/hello").status == 200);
  CHECK(at.server.counters().connections == 1);
}

TEST_CASE("a chunked upload is streamed, with 100-continue when asked", "[http]") {
  stream_log log;
  const running_server at(quick_options(), stream_routes(log));
  raw_client raw(at.port());
  raw.send("POST /upload HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  CHECK(raw.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("4\r\nfour\r\n");
  CHECK(eventually([&] { return log.received == 4; }));
  raw.send("3\r\ntwo\r\n0\r\n\r\nGET /hello HTTP/1.1\r\n" + host + "\r\n");
  CHECK(raw.read_until("hello").find("\r\n\r\n7HTTP/1.1 200") != std::string::npos);
}

TEST_CASE("an upload that is too large, broken or late fails in the handler and has its own status", "[http]") {
  stream_log log;
  auto options = quick_options();
  options.body_timeout = 100ms;
  const running_server at(options, stream_routes(log));
  CHECK(at.client().post("/bounded", std::string(1001, 'x')).status == 413);
  raw_client large(at.port());
  large.send("POST /bounded HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n800\r\n" +
             std::string(0x800, 'x'));
  CHECK(status_of(large.read_to_end()) == 413);
  CHECK(log.failure == static_cast<int>(dr::errc::invalid));
  raw_client broken(at.port());
  broken.send("POST /upload HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n4\r\nfourXX\r\n");
  CHECK(status_of(broken.read_to_end()) == 400);
  CHECK(log.failure == static_cast<int>(dr::errc::malformed));
  raw_client late(at.port());
  late.send("POST /upload HTTP/1.1\r\n" + host + "Content-Length: 100\r\n\r\nabc");
  CHECK(status_of(late.read_to_end()) == 408);
  CHECK(log.failure == static_cast<int>(dr::errc::timed_out));
}

TEST_CASE("a handler that does not read the upload answers and the connection is closed", "[http]") {
  stream_log log;
  const running_server at(quick_options(), stream_routes(log));
  raw_client raw(at.port());
  raw.send("POST /ignoring HTTP/1.1\r\n" + host + "Content-Length: 900\r\n\r\nabc");
  const auto all = raw.read_to_end();
  CHECK(status_of(all) == 200);
  CHECK(count_of(all, "Connection: close\r\n") == 1);
}
