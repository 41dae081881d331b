// The judge: from what clients saw and what the product says in the end, whether it kept its promises.
#pragma once

#include "tests/chaos/final_state.hpp"
#include "tests/chaos/history.hpp"
#include "tests/chaos/settlement_model.hpp"

#include <string>
#include <vector>

namespace dr::chaos {

/// A broken promise: which one, and how.
struct finding {
  std::string promise;
  std::string what;
};

/// The promises, by the name that their findings carry.
namespace promises {
inline constexpr const char* answers = "acknowledged answers are there";
inline constexpr const char* campaigns = "acknowledged campaigns are there";
inline constexpr const char* users = "acknowledged users are there";
inline constexpr const char* payouts = "acknowledged payouts are there, once";
inline constexpr const char* retries = "a retry with the same key agrees";
inline constexpr const char* settlements = "each response is settled once, and rightly";
inline constexpr const char* books = "balances are the sum of their ledgers";
inline constexpr const char* counts = "a campaign's counts equal its responses";
inline constexpr const char* events = "the event log has no gaps and explains every state";
inline constexpr const char* alerts = "every customer gets every alert";
inline constexpr const char* audit = "the product's own audit finds nothing";
inline constexpr const char* contract = "answers keep the contract";
} // namespace promises

/// Collects findings; the same promise may be broken many times.
class findings {
public:
  template <class... Parts> void add(const char* promise, const Parts&... parts) {
    std::string what;
    (append(what, parts), ...);
    all_.push_back({promise, std::move(what)});
  }
  const std::vector<finding>& all() const noexcept { return all_; }
  bool broke(const char* promise) const;

private:
  static void append(std::string& to, const std::string& text) { to += text; }
  static void append(std::string& to, const char* text) { to += text; }
  static void append(std::string& to, const json& value) { to += value.dump(); }
  static void append(std::string& to, std::int64_t number) { to += std::to_string(number); }

  std::vector<finding> all_;
};

/// Everything at once.
void judge(const history& seen, const final_state& said, const settlement_model& model, findings& out);

// The parts of it.
void judge_operations(const history& seen, const final_state& said, findings& out);
void judge_answers(const history& seen, const final_state& said, findings& out);
void judge_books(const final_state& said, findings& out);
void judge_counts(const history& seen, const final_state& said, findings& out);
void judge_events(const final_state& said, findings& out);
void judge_settlements(const history& seen, const final_state& said, const settlement_model& model, findings& out);
void judge_alerts(const history& seen, const final_state& said, findings& out);

/// What the event log says of one response: its last choice ("ignore" when there is none).
std::map<std::int64_t, std::string> choices_of(const final_state& said);

} // namespace dr::chaos
