#include "bench/load.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <memory>
#include <optional>
#include <stdexcept>
#include <strings.h>
#include <vector>

namespace dr::bench {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;
using steady = std::chrono::steady_clock;

constexpr std::chrono::seconds drain_time{10};
constexpr std::size_t read_size = 16 * 1024;

/// One answer in a buffer: where it ends, when it is there as a whole.
struct framed {
  unsigned status = 0;
  std::size_t body_at = 0;
  std::size_t size = 0;
  bool close = false;
};

bool starts_with_name(std::string_view line, std::string_view name) {
  return line.size() > name.size() && ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::size_t number_after(std::string_view line, std::size_t from) {
  while (from < line.size() && line[from] == ' ') ++from;
  std::size_t value = 0;
  std::from_chars(line.data() + from, line.data() + line.size(), value);
  return value;
}

/// The servers of the bench always send a Content-Length; an answer without one has no body.
std::optional<framed> find_answer(std::string_view in) {
  const auto head_end = in.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  framed found;
  found.body_at = head_end + 4;
  found.status = static_cast<unsigned>(number_after(in.substr(0, head_end), 9));
  std::size_t body = 0;
  for (std::size_t at = in.find("\r\n"); at < head_end; at = in.find("\r\n", at + 2)) {
    const auto line = in.substr(at + 2, in.find("\r\n", at + 2) - at - 2);
    if (starts_with_name(line, "Content-Length:")) body = number_after(line, 15);
    if (starts_with_name(line, "Connection:")) found.close = line.find("close") != std::string_view::npos;
  }
  found.size = found.body_at + body;
  if (in.size() < found.size) return std::nullopt;
  return found;
}

class client;

/// What the connections share: the schedule, the counts, the idle ones.
struct run {
  explicit run(const load_options& o) : options(o), timer(context) {}

  bool over() const { return steady::now() >= end || (options.at_most > 0 && result.sent >= options.at_most); }
  steady::time_point due(std::int64_t index) const {
    return begin +
           std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(index) / options.per_s));
  }
  /// An idle connection takes the next request, now or when it is due.
  void free(client* one);
  void serve_schedule();
  void answered(std::int64_t index, unsigned status, std::string_view body, steady::time_point since);
  void stop_if_done() {
    if (over() && under_way == 0) context.stop();
  }

  const load_options& options;
  asio::io_context context{1};
  asio::steady_timer timer;
  std::vector<client*> idle;
  load_result result;
  steady::time_point begin, counted_from, end;
  std::int64_t under_way = 0;
  bool waiting = false; ///< the timer is set
};

class client {
public:
  client(run& of) : run_(of), socket_(of.context) { in_.resize(read_size); }

  void connect() {
    socket_ = tcp::socket(run_.context);
    socket_.connect({asio::ip::address_v4::loopback(), run_.options.port});
    socket_.set_option(tcp::no_delay(true));
    have_ = 0;
  }

  void begin(std::int64_t index, steady::time_point since) {
    index_ = index;
    since_ = since;
    out_.clear();
    run_.options.next(index, out_);
    ++run_.under_way;
    asio::async_write(socket_, asio::buffer(out_), [this](error_code failed, std::size_t) {
      if (failed) return broken();
      read();
    });
  }

private:
  void read() {
    if (have_ == in_.size()) in_.resize(in_.size() * 2);
    socket_.async_read_some(
        asio::buffer(in_.data() + have_, in_.size() - have_), [this](error_code failed, std::size_t n) {
          if (failed) return broken();
          have_ += n;
          const auto found = find_answer({in_.data(), have_});
          if (!found) return read();
          run_.answered(index_, found->status, {in_.data() + found->body_at, found->size - found->body_at}, since_);
          have_ = 0; // no pipelining: nothing follows
          if (found->close) return again();
          run_.free(this);
        });
  }
  void broken() {
    run_.answered(index_, 0, {}, since_);
    again();
  }
  /// Makes the connection again; a server that is gone is asked again a little later.
  void again() {
    error_code failed;
    socket_ = tcp::socket(run_.context);
    socket_.connect({asio::ip::address_v4::loopback(), run_.options.port}, failed);
    have_ = 0;
    if (failed && !run_.over()) {
      pause_.emplace(run_.context, std::chrono::milliseconds(5));
      return pause_->async_wait([this](error_code) { again(); });
    }
    if (!failed) socket_.set_option(tcp::no_delay(true), failed);
    run_.free(this);
  }

  run& run_;
  tcp::socket socket_;
  std::optional<asio::steady_timer> pause_;
  std::string out_;
  std::vector<char> in_;
  std::size_t have_ = 0;
  std::int64_t index_ = 0;
  steady::time_point since_{};
};

void run::free(client* one) {
  if (over()) return stop_if_done();
  if (options.per_s <= 0) {
    const auto index = result.sent++;
    return one->begin(index, steady::now());
  }
  idle.push_back(one);
  serve_schedule();
}

void run::serve_schedule() {
  while (!idle.empty() && !over()) {
    const auto at = due(result.sent);
    if (at > steady::now()) {
      if (waiting) return;
      waiting = true;
      timer.expires_at(at);
      return timer.async_wait([this](error_code) {
        waiting = false;
        serve_schedule();
      });
    }
    auto* one = idle.back();
    idle.pop_back();
    one->begin(result.sent++, at);
  }
  stop_if_done();
}

void run::answered(std::int64_t index, unsigned status, std::string_view body, steady::time_point since) {
  const auto now = steady::now();
  ++result.statuses[status];
  --under_way;
  if (status / 100 == 2 && now >= counted_from && now < end) result.latency.add(now - since);
  if (options.answered) options.answered(index, status, body);
}

} // namespace

std::int64_t load_result::ok() const {
  std::int64_t sum = 0;
  for (const auto& [status, count] : statuses)
    if (status / 100 == 2) sum += count;
  return sum;
}

std::int64_t load_result::failed() const {
  std::int64_t sum = 0;
  for (const auto& [status, count] : statuses) sum += count;
  return sum - ok();
}

load_result run_load(const load_options& options) {
  run all(options);
  std::vector<std::unique_ptr<client>> clients;
  try {
    for (int i = 0; i < options.connections; ++i) {
      clients.push_back(std::make_unique<client>(all));
      clients.back()->connect();
    }
  } catch (const boost::system::system_error& why) {
    throw std::runtime_error("the load generator cannot connect to port " + std::to_string(options.port) + ": " +
                             why.code().message());
  }
  all.begin = steady::now();
  all.counted_from = all.begin + options.warm_up;
  all.end = all.counted_from + options.time;
  for (auto& one : clients) all.free(one.get());
  all.context.run_until(all.end + drain_time);
  const auto until = std::min(steady::now(), all.end);
  all.result.seconds = std::max(1e-9, std::chrono::duration<double>(until - all.counted_from).count());
  return std::move(all.result);
}

request_writer::request_writer(std::uint16_t port, const std::string& token)
    : fields_("Host: 127.0.0.1:" + std::to_string(port) + "\r\n") {
  if (!token.empty()) fields_ += "Authorization: Bearer " + token + "\r\n";
}

void request_writer::write(std::string& out, std::string_view method, std::string_view target, std::string_view body,
                           std::string_view extra) const {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n").append(fields_).append(extra);
  if (!body.empty()) out.append("Content-Type: application/json\r\n");
  if (method != "GET") out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  out.append("\r\n").append(body);
}

} // namespace dr::bench
