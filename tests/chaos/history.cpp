#include "tests/chaos/history.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

namespace dr::chaos {

namespace {

/// 503 answers that promise that nothing was done.
constexpr std::array<std::string_view, 5> nothing_done = {"/problems/store-unavailable", "/problems/overloaded",
                                                          "/problems/fenced", "/problems/shutting-down",
                                                          "/problems/unavailable"};

double seconds(steady::time_point at, steady::time_point since) {
  return std::chrono::duration<double>(at - since).count();
}

json to_json(const attempt& a, steady::time_point since) {
  return {{"begun", seconds(a.begun, since)},
          {"ended", seconds(a.ended, since)},
          {"status", a.status},
          {"result", to_string(a.result)},
          {"body", a.body}};
}

} // namespace

const char* to_string(outcome what) noexcept {
  switch (what) {
  case outcome::acknowledged:
    return "acknowledged";
  case outcome::refused:
    return "refused";
  case outcome::unknown:
    break;
  }
  return "unknown";
}

const char* to_string(operation_kind what) noexcept {
  constexpr std::array names = {"enrol",           "import_list",  "withdraw_user",   "order_campaign",
                                "change_campaign", "end_campaign", "cancel_campaign", "answer",
                                "withdraw_points", "recheck"};
  return names.at(static_cast<std::size_t>(what));
}

outcome outcome_of(unsigned status, const json& body) {
  if (status >= 200 && status < 300) return outcome::acknowledged;
  if (status >= 400 && status < 500 && status != 408) return outcome::refused;
  if (status == 503 && body.is_object() && body.contains("type")) {
    const auto type = body["type"].get<std::string>();
    if (std::ranges::find(nothing_done, type) != nothing_done.end()) return outcome::refused;
  }
  return outcome::unknown;
}

operation posted(operation_kind kind, std::string path, json wanted) {
  operation made;
  made.kind = kind;
  made.method = "POST";
  made.path = std::move(path);
  made.wanted = std::move(wanted);
  return made;
}

outcome operation::result() const {
  const auto is = [](outcome what) { return [what](const attempt& a) { return a.result == what; }; };
  if (std::ranges::any_of(attempts, is(outcome::acknowledged))) return outcome::acknowledged;
  if (std::ranges::none_of(attempts, is(outcome::unknown)))
    return attempts.empty() ? outcome::unknown : outcome::refused;
  // A final refusal is kept under the key, so an earlier attempt that is still on its way will get it too. A 503 is not
  // kept and settles nothing.
  const bool settled = !key.empty() && attempts.back().result == outcome::refused && attempts.back().status < 500;
  return settled ? outcome::refused : outcome::unknown;
}

const json& operation::acknowledged_body() const {
  static const json none;
  for (const auto& a : attempts)
    if (a.result == outcome::acknowledged) return a.body;
  return none;
}

operation& history::begin(operation what) {
  std::scoped_lock lock{mutex_};
  return operations_.emplace_back(std::move(what));
}

session& history::begin(session what) {
  std::scoped_lock lock{mutex_};
  return sessions_.emplace_back(std::move(what));
}

void history::add(moment what) {
  std::scoped_lock lock{mutex_};
  moments_.push_back(std::move(what));
}

std::vector<operation*> history::unresolved() {
  std::scoped_lock lock{mutex_};
  std::vector<operation*> open;
  for (auto& op : operations_)
    if (op.kind != operation_kind::answer && op.result() == outcome::unknown) open.push_back(&op);
  return open;
}

void history::write(const std::filesystem::path& file) const {
  std::ofstream out(file);
  auto since = steady::time_point::max();
  for (const auto& op : operations_)
    if (!op.attempts.empty()) since = std::min(since, op.attempts.front().begun);
  for (const auto& op : operations_) {
    json line{{"operation", to_string(op.kind)},
              {"method", op.method},
              {"path", op.path},
              {"key", op.key},
              {"wanted", op.wanted},
              {"user", op.user},
              {"campaign", op.campaign},
              {"response", op.response},
              {"result", to_string(op.result())}};
    for (const auto& a : op.attempts) line["attempts"].push_back(to_json(a, since));
    out << line.dump() << '\n';
  }
  for (const auto& s : sessions_) {
    json line{{"session", s.user},
              {"opened", seconds(s.opened, since)},
              {"whole", s.snapshot.is_null() ? json(nullptr) : json(seconds(s.whole, since))},
              {"closed", s.ended ? json(seconds(s.closed, since)) : json(nullptr)},
              {"code", s.close_code},
              {"snapshot", s.snapshot}};
    for (const auto& m : s.messages) line["messages"].push_back({{"at", seconds(m.at, since)}, {"body", m.body}});
    out << line.dump() << '\n';
  }
}

} // namespace dr::chaos
