#include "tests/chaos/judge.hpp"

#include <algorithm>

namespace dr::chaos {

bool findings::broke(const char* promise) const {
  return std::ranges::any_of(all_, [&](const finding& f) { return f.promise == promise; });
}

void judge(const history& seen, const final_state& said, const settlement_model& model, findings& out) {
  judge_operations(seen, said, out);
  judge_answers(seen, said, out);
  judge_books(said, out);
  judge_counts(seen, said, out);
  judge_events(said, out);
  judge_settlements(seen, said, model, out);
  judge_alerts(seen, said, out);
}

std::map<std::int64_t, std::string> choices_of(const final_state& said) {
  std::map<std::int64_t, std::string> last;
  for (const auto& [id, response] : said.responses) last[id] = "ignore";
  for (const auto& event : said.events) {
    const auto& type = event.at("type");
    if (type == "AcceptChosen") last[event.at("responseId").get<std::int64_t>()] = "accept";
    if (type == "DenyChosen") last[event.at("responseId").get<std::int64_t>()] = "deny";
  }
  return last;
}

} // namespace dr::chaos
