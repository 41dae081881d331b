// The market's figures for a configuration without tables of its own; config/drplatform.toml spells the same ones out.
#include "config/settings.hpp"

namespace dr {

namespace {

using namespace std::chrono_literals;

// The edition is of February 2024; it is dated early because older data is replayed under it as well.
constexpr korean_day always{std::chrono::local_days{std::chrono::year{2000} / 1 / 1}};

programme_terms mandatory_terms() {
  programme_terms terms;
  terms.default_baseline = {baseline_method::max_4_5, false};
  terms.allowed_methods = {baseline_method::max_4_5, baseline_method::mid_6_10};
  terms.saa_allowed = true;
  terms.cap_percent = 120;
  terms.performs_at_percent = 70;
  terms.points_per_mwh = 1000;
  terms.mandatory = true;
  return terms;
}

programme reliable() {
  programme p;
  p.code = "reliable";
  p.korean = "표준DR (신뢰성)";
  p.effective_from = always;
  p.notice = 60min;
  p.window_begin = 9h;
  p.window_end = 20h;
  p.excluded_hour = 12;
  p.min_length = 60min;
  p.max_length = 240min;
  p.terms = mandatory_terms();
  return p;
}

programme small() {
  auto p = reliable();
  p.code = "small";
  p.korean = "중소형DR";
  p.max_length = 60min;
  return p;
}

programme jeju() {
  auto p = small();
  p.code = "jeju";
  p.korean = "제주DR";
  p.window_begin = 10h;
  p.window_end = 21h;
  p.excluded_hour.reset();
  return p;
}

programme citizen() {
  auto p = small();
  p.code = "citizen";
  p.korean = "국민DR (에너지쉼표)";
  p.notice = 30min;
  p.window_begin = 6h;
  p.window_end = 21h;
  p.excluded_hour.reset();
  p.terms.default_baseline = {baseline_method::mid_4_6, false};
  p.terms.allowed_methods = {baseline_method::mid_4_6, baseline_method::mid_8_10};
  p.terms.saa_allowed = false;
  p.terms.cap_percent.reset();
  p.terms.performs_at_percent = 10;
  return p;
}

programme voluntary() {
  auto p = reliable();
  p.code = "voluntary";
  p.korean = "자발적DR (경제성)";
  p.notice = 24h;
  p.window_begin = 0h;
  p.window_end = 24h;
  p.excluded_hour.reset();
  p.max_length = 24h;
  p.terms.saa_allowed = false;
  p.terms.cap_percent = 100;
  p.terms.performs_at_percent = 10;
  p.terms.mandatory = false;
  return p;
}

} // namespace

std::vector<programme> shipped_programmes() { return {reliable(), small(), jeju(), citizen(), voluntary()}; }

std::vector<baseline_edition> shipped_baselines() {
  const baseline_rules built_in;
  std::vector<baseline_edition> all;
  all.reserve(std::size(all_baseline_methods));
  for (const auto method : all_baseline_methods) all.push_back({method, always, built_in.of(method)});
  return all;
}

} // namespace dr
