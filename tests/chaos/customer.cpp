#include "tests/chaos/customer.hpp"

#include "tests/support/process.hpp"

namespace dr::chaos {

namespace {

using namespace std::chrono_literals;

constexpr auto call_timeout = 6s;
constexpr auto listen_for = 20ms;
constexpr auto connect_pause = 100ms;
constexpr auto poll_every = 700ms;
constexpr auto socket_patience = 6s;
constexpr std::uint16_t going_away = 1001;

json body_of(const std::string& text) { return json::parse(text, nullptr, false); }

json what_was_said(const test::http_answer& answer) {
  auto body = body_of(answer.body);
  return body.is_discarded() ? json(answer.body) : body;
}

} // namespace

attempt try_once(test::http_client& over, const operation& what) {
  attempt made;
  made.begun = steady::now();
  test::header_list headers;
  if (!what.key.empty()) headers.emplace_back("Idempotency-Key", what.key);
  const bool list = what.kind == operation_kind::import_list;
  if (list) headers.emplace_back("Content-Type", "text/csv");
  try {
    const auto answer = over.request(what.method, what.path,
                                     list                    ? what.wanted.get<std::string>()
                                     : what.wanted.is_null() ? std::string()
                                                             : what.wanted.dump(),
                                     std::move(headers));
    made.status = answer.status;
    made.body = what_was_said(answer);
    made.result = outcome_of(answer.status, made.body);
  } catch (const test::client_error& why) {
    made.body = why.what();
  }
  made.ended = steady::now();
  return made;
}

customer::customer(customer_setup setup, phase& run, history& into)
    : setup_(setup), run_(run), history_(into), dice_(dice_of(setup.seed, "customer", setup.user)),
      rest_(setup.port, "127.0.0.1", call_timeout), thread_([this] { live(); }) {}

void customer::join() {
  if (thread_.joinable()) thread_.join();
}

bool customer::knows(std::int64_t campaign) const {
  std::scoped_lock lock{mutex_};
  return known_.contains(campaign);
}

void customer::live() {
  while (run_.now() != phase::at::over) {
    if (run_.storms() != storms_) {
      storms_ = run_.storms();
      disconnect(true);
    }
    if (setup_.by_socket) {
      if (!socket_ && steady::now() >= away_until_) connect();
      listen();
    } else {
      poll();
    }
    if (run_.now() != phase::at::resting) carry_out_due();
  }
}

// ---- hearing -------------------------------------------------------------------------------------------------------

void customer::connect() {
  session opening;
  opening.user = setup_.user;
  try {
    opening.opened = steady::now();
    socket_.emplace(setup_.port, "/ws?userId=" + std::to_string(setup_.user), test::header_list{}, "127.0.0.1",
                    call_timeout);
  } catch (const test::client_error&) {
    away_until_ = steady::now() + connect_pause;
    return;
  }
  session_ = &history_.begin(std::move(opening));
}

void customer::disconnect(bool by_itself) {
  if (!socket_) return;
  session_->ended = true;
  session_->left = by_itself;
  session_->closed = steady::now();
  session_->close_code = socket_->closed() ? socket_->close_code() : going_away;
  socket_.reset();
  session_ = nullptr;
  attempt lost;
  lost.body = "the socket was closed";
  lost.ended = steady::now();
  for (auto& [ref, op] : waiting_) {
    lost.begun = op->attempts.empty() ? lost.ended : op->attempts.back().begun;
    op->attempts.back() = lost;
  }
  waiting_.clear();
}

void customer::listen() {
  if (!socket_) {
    std::this_thread::yield();
    test::pause_between_looks();
    return;
  }
  try {
    auto text = socket_->receive(listen_for);
    if (text) return hear(body_of(*text));
    if (socket_->closed()) disconnect(false);
  } catch (const test::client_error&) {
    disconnect(false);
  }
  if (!waiting_.empty() && steady::now() - waiting_.begin()->second->attempts.back().begun > socket_patience)
    disconnect(false); // half dead: nobody answers
}

void customer::hear(json body) {
  const auto type = body.value("type", "");
  if (type == "snapshot") {
    session_->whole = steady::now();
    session_->snapshot = body;
    for (const auto& open : body.at("campaigns")) learn(open.at("campaign"), open.at("response"));
    return;
  }
  if (type == "answered" || type == "error") {
    const auto found = waiting_.find(body.value("ref", ""));
    if (found == waiting_.end()) return;
    auto& last = found->second->attempts.back();
    last.ended = steady::now();
    const auto& said = type == "error" ? body.at("problem") : body;
    last.status = type == "error" ? said.at("status").get<unsigned>() : 200;
    last.result = outcome_of(last.status, said);
    last.body = said;
    waiting_.erase(found);
    return;
  }
  if (type == "campaign.announced" || type == "campaign.started") {
    learn(body.at("campaign"), body.at("response"));
    if (happens(dice_, 5) && run_.now() == phase::at::busy)
      away_until_ = steady::now() + milliseconds{throw_dice(dice_, 200, 2'500)};
  }
  session_->messages.push_back({steady::now(), std::move(body)});
  if (away_until_ > steady::now()) disconnect(true);
}

void customer::poll() {
  if (steady::now() < polls_at_) {
    test::pause_between_looks();
    return;
  }
  polls_at_ = steady::now() + poll_every;
  try {
    // The newest are on the last page; a REST-only customer looks at what it was asked lately.
    const auto first = body_of(rest_.get("/responses?size=20&userId=" + std::to_string(setup_.user)).body);
    if (!first.is_object() || !first.contains("page")) return;
    const auto pages = first.at("page").at("totalPages").get<int>();
    const auto last = body_of(rest_
                                  .get("/responses?size=20&userId=" + std::to_string(setup_.user) +
                                       "&page=" + std::to_string(std::max(0, pages - 1)))
                                  .body);
    if (!last.is_object() || !last.contains("_embedded")) return;
    for (const auto& response : last.at("_embedded").at("responses"))
      if (response.at("verification") == "none") learn({{"id", response.at("drId")}}, response);
  } catch (const test::client_error&) {} // the next look will do
}

/// Decides once what to do with a response: mostly accept, sometimes deny, change one's mind, or stay silent.
void customer::learn(const json& campaign, const json& response) {
  const auto id = response.at("id").get<std::int64_t>();
  {
    std::scoped_lock lock{mutex_};
    known_.insert(campaign.at("id").get<std::int64_t>());
  }
  if (!planned_.insert(id).second) return;
  auto with = dice_of(setup_.seed, "answer", setup_.user * 1'000'000 + id);
  if (session_ && happens(with, 70) && socket_) {
    try {
      socket_->send(json{{"type", "received"}, {"responseId", id}}.dump());
    } catch (const test::client_error&) {} // the next listen() finds out
  }
  const auto choices = happens(with, 12) ? 0 : throw_dice(with, 1, 3);
  auto due = steady::now() + milliseconds{throw_dice(with, 0, 800)};
  for (int i = 0; i < choices; ++i) {
    intent next;
    next.due = due;
    next.response = id;
    next.campaign = campaign.at("id").get<std::int64_t>();
    next.answer = happens(with, 80) ? "accept" : "deny";
    next.by_socket = setup_.by_socket && happens(with, 50);
    next.keyed = !next.by_socket && happens(with, 50);
    intents_.emplace(due, next);
    due += milliseconds{throw_dice(with, 50, 2'000)};
  }
}

// ---- answering -----------------------------------------------------------------------------------------------------

void customer::carry_out_due() {
  while (!intents_.empty() && intents_.begin()->first <= steady::now()) {
    const auto next = intents_.begin()->second;
    intents_.erase(intents_.begin());
    if (next.by_socket && socket_)
      answer_by_socket(next);
    else
      answer_by_rest(next);
  }
}

void customer::answer_by_rest(const intent& what) {
  const phase::ticket under_way(run_);
  operation wanted;
  wanted.kind = operation_kind::answer;
  wanted.method = "PUT";
  wanted.path = "/responses/" + std::to_string(what.response) + "/" + what.answer;
  wanted.user = setup_.user;
  wanted.campaign = what.campaign;
  wanted.response = what.response;
  if (what.keyed) wanted.key = "a-" + std::to_string(what.response) + "-" + std::to_string(++refs_);
  auto& op = history_.begin(std::move(wanted));
  op.wanted = json{{"answer", what.answer}};
  const auto call = [&] {
    auto sent = op;
    sent.wanted = nullptr; // the path says it all
    sent.attempts.clear();
    return try_once(rest_, sent);
  };
  op.attempts.push_back(call());
  // A lost answer is asked for again under its key, now and then also one that came.
  const auto give_up = steady::now() + socket_patience;
  while (what.keyed && (op.result() == outcome::unknown || happens(dice_, 10)) && steady::now() < give_up &&
         run_.now() != phase::at::over)
    op.attempts.push_back(call());
}

void customer::answer_by_socket(const intent& what) {
  operation wanted;
  wanted.kind = operation_kind::answer;
  wanted.method = "WS";
  wanted.path = "/ws";
  wanted.wanted = {{"answer", what.answer}};
  wanted.user = setup_.user;
  wanted.campaign = what.campaign;
  wanted.response = what.response;
  attempt begun;
  begun.begun = begun.ended = steady::now();
  begun.body = "no answer yet";
  wanted.attempts.push_back(begun);
  auto& op = history_.begin(std::move(wanted));
  const auto ref = "r" + std::to_string(++refs_);
  try {
    socket_->send(
        json{{"type", "answer"}, {"responseId", what.response}, {"answer", what.answer}, {"ref", ref}}.dump());
    waiting_[ref] = &op;
    const phase::ticket under_way(run_);
    // One thing at a time: its later answers must come later.
    while (waiting_.contains(ref) && socket_) listen();
  } catch (const test::client_error&) {
    disconnect(false);
  }
}

} // namespace dr::chaos
