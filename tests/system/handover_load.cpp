#include "tests/system/handover_load.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <utility>

namespace dr::test {

using namespace std::chrono_literals;

http_answer lasting_connection::request(const std::string& method, const std::string& path) {
  if (!wire_.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
    throw client_error("the connection was closed before " + method + " " + path);
  const auto head = wire_.read_until("\r\n\r\n");
  http_answer answer;
  answer.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  for (auto at = head.find("\r\n") + 2; head.compare(at, 2, "\r\n") != 0; at = head.find("\r\n", at) + 2) {
    const auto colon = head.find(':', at);
    answer.headers.emplace_back(head.substr(at, colon - at), head.substr(colon + 2, head.find("\r\n", at) - colon - 2));
  }
  answer.body = wire_.read_exactly(std::stoul(answer.header("Content-Length").value_or("0")));
  if (answer.header("Connection").value_or("") == "close") throw client_error("the server closes the connection");
  return answer;
}

handover_load::handover_load(platform& on, numbers how_many) : on_(on) {
  for (int i = 0; i < how_many.answerers; ++i) users_.push_back(enrol(on, "site " + std::to_string(i + 1), 100));
  campaign_ = start_campaign(on);
  for (const int user : users_) responses_.push_back(response_of(on, campaign_, user).at("id").get<int>());
  const auto start = [](auto& group, int count, auto work) {
    for (int i = 0; i < count; ++i) {
      auto& who = *group.emplace_back(std::make_unique<client>());
      who.thread = std::thread([work, &who, i] { work(who, static_cast<std::size_t>(i)); });
    }
  };
  answerers_.reserve(static_cast<std::size_t>(how_many.answerers));
  start(answerers_, how_many.answerers,
        [this](client& who, std::size_t i) { run(who, [&] { answer(who, responses_[i]); }); });
  start(newcomers_, how_many.newcomers, [this](client& who, std::size_t) { run(who, [&] { enrol_newcomers(who); }); });
  start(customers_, how_many.customers,
        [this](client& who, std::size_t i) { run(who, [&] { listen(who, users_[i % users_.size()]); }); });
}

handover_load::~handover_load() {
  stop_ = true;
  for (auto* group : {&answerers_, &newcomers_, &customers_})
    for (auto& who : *group)
      if (who->thread.joinable()) who->thread.join();
}

template <class Work> void handover_load::run(client&, Work work) {
  try {
    work();
  } catch (const std::exception& why) {
    fail(why.what());
  }
}

void handover_load::fail(const std::string& what) {
  const std::scoped_lock lock(mutex_);
  failures_.push_back(what);
}

template <class Call> http_answer handover_load::timed(client& who, Call call) {
  const auto began = std::chrono::steady_clock::now();
  auto answer = call();
  const long took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count();
  for (auto longest = longest_us_.load(); took > longest && !longest_us_.compare_exchange_weak(longest, took);) {}
  ++requests_;
  ++who.answers;
  return answer;
}

void handover_load::answer(client& who, int response) {
  lasting_connection wire(on_.port());
  const auto path = "/responses/" + std::to_string(response);
  for (bool accepts = true; !stop_; accepts = !accepts) {
    const std::string wanted = accepts ? "accept" : "deny";
    const auto put = timed(who, [&] { return wire.request("PUT", path + "/" + wanted); });
    if (put.status != 200) fail("PUT " + path + " was answered " + std::to_string(put.status) + ": " + put.body);
    who.last_answer = wanted;
    const auto got = timed(who, [&] { return wire.request("GET", path); });
    if (got.status != 200 || json::parse(got.body).at("answer") != wanted)
      fail("GET " + path + " after " + wanted + " was answered " + std::to_string(got.status) + ": " + got.body);
  }
}

void handover_load::enrol_newcomers(client& who) {
  for (int count = 0; !stop_; ++count) {
    const auto name = "newcomer " + std::to_string(count);
    const auto made = timed(who, [&] {
      return http_client(on_.port()).post("/users", json{{"name", name}, {"capacity", 10}}.dump());
    });
    if (made.status != 201) {
      fail("POST /users was answered " + std::to_string(made.status) + ": " + made.body);
      continue;
    }
    const std::scoped_lock lock(mutex_);
    enrolled_.insert(json::parse(made.body).at("id").get<int>());
  }
}

void handover_load::listen(client& who, int user) {
  while (!stop_) {
    auto socket = on_.socket_of(user);
    bool first = true;
    while (!stop_ && !socket.closed()) {
      const auto text = socket.receive(100ms);
      if (!text) continue;
      ++who.answers;
      if (!std::exchange(first, false)) continue;
      const auto snapshot = json::parse(*text);
      if (snapshot.at("type") != "snapshot" || snapshot.at("campaigns").size() != 1 ||
          snapshot["campaigns"][0].at("campaign").at("id") != campaign_ ||
          snapshot["campaigns"][0].at("response").at("userId") != user)
        fail("a snapshot is not whole: " + *text);
      ++who.snapshots;
    }
    if (!socket.closed()) continue;
    if (socket.close_code() != 1012) fail("a WebSocket was closed with " + std::to_string(socket.close_code()));
    ++who.closed;
  }
}

int handover_load::returns_of_each() const {
  int fewest = 1'000'000;
  for (const auto& who : customers_) fewest = std::min({fewest, who->closed.load(), who->snapshots.load() - 1});
  return fewest;
}

void handover_load::wait_for_progress() {
  std::vector<std::pair<client*, long>> before;
  for (auto* group : {&answerers_, &newcomers_, &customers_})
    for (auto& who : *group) before.emplace_back(who.get(), who->answers.load());
  for (auto& [who, had] : before)
    eventually("every client is answered again", [&, who = who, had = had] {
      const std::scoped_lock lock(mutex_);
      return who->answers > had || !failures_.empty();
    });
}

void handover_load::finish() {
  stop_ = true;
  for (auto* group : {&answerers_, &newcomers_, &customers_})
    for (auto& who : *group) who->thread.join();
  INFO((failures_.empty() ? std::string() : failures_.front()));
  CHECK(failures_.size() == 0);
  for (std::size_t i = 0; i < answerers_.size(); ++i)
    CHECK(response_of(on_, campaign_, users_[i]).at("answer") == answerers_[i]->last_answer);
  const auto all = on_.get("/users?size=1").at("page").at("totalElements").get<std::size_t>();
  CHECK(all == users_.size() + enrolled_.size());
  for (const int user : enrolled_) CHECK(on_.call("GET", "/users/" + std::to_string(user)).status == 200);
}

} // namespace dr::test
