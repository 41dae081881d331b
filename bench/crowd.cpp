#include "bench/crowd.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace dr::bench {

crowd::crowd(const places& where, int count) : data(where), users(count) { data.enrol(count); }

void crowd::dispatch(server& by) {
  campaign = by.start_campaign();
  auto sql = data.open();
  first_response = sql.number(fmt::format("SELECT min(id) FROM response WHERE campaign_id = {}", campaign));
  test::eventually(
      "every response is alive", [&] { return by.alive("responses") >= users; }, std::chrono::minutes(10));
  data.settle_down();
}

void answer_stream::next(std::string& out) {
  const auto number = sent_++;
  const auto id = first_ + number % count_;
  const bool accept = number / count_ % 2 == 0;
  writer_.write(out, "PUT", fmt::format("/responses/{}/{}", id, accept ? "accept" : "deny"));
}

const load_result& all_good(const load_result& result, const std::string& what) {
  if (result.failed() == 0 && result.ok() > 0) return result;
  std::string text = what + ": the answers by status:";
  for (const auto& [status, count] : result.statuses) text += fmt::format(" {} × {}", status, count);
  throw std::runtime_error(text);
}

double cpu_us_per(const usage& before, const usage& after, std::int64_t answers) {
  return answers > 0 ? (after.cpu_s - before.cpu_s) * 1e6 / static_cast<double>(answers) : 0;
}

} // namespace dr::bench
