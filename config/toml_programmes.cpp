#include "config/toml_programmes.hpp"

#include "config/toml_editions.hpp"

#include <algorithm>
#include <cmath>

namespace dr {

namespace {

using std::chrono::minutes;

// "09:30" since midnight; "24:00" is the day's end.
std::optional<minutes> parse_time_of_day(const std::string& text) {
  if (text.size() != 5 || text[2] != ':') return {};
  const auto hours = parse_whole(text.substr(0, 2));
  const auto rest = parse_whole(text.substr(3));
  if (!hours || !rest || *hours < 0 || *rest < 0 || *rest > 59 || *hours * 60 + *rest > 24 * 60) return {};
  return minutes{*hours * 60 + *rest};
}

bool is_code(const std::string& text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

bool read_methods(const std::string& text, std::vector<baseline_method>& into) {
  into.clear();
  for (const auto& name : split_list(text)) {
    const auto method = parse_baseline_method(name);
    if (!method) return false;
    into.push_back(*method);
  }
  return !into.empty();
}

template <class Assign> auto on_or_off(Assign assign) {
  return [=](programme& p, const std::string& text) {
    const auto value = parse_switch(text);
    if (value) assign(p, *value);
    return value.has_value();
  };
}

template <class Assign> auto time_of_day(Assign assign) {
  return [=](programme& p, const std::string& text) {
    const auto value = parse_time_of_day(text);
    if (value) assign(p, *value);
    return value.has_value();
  };
}

bool set_points(programme& p, const std::string& text) {
  const auto value = parse_decimal(text);
  if (!value || *value < 0 || *value > 1'000'000) return false;
  const auto per_mwh = *value * 1000;
  if (std::abs(per_mwh - std::round(per_mwh)) > 1e-6) return false;
  p.terms.points_per_mwh = std::llround(per_mwh);
  return true;
}

bool set_baseline(programme& p, const std::string& text) {
  const auto method = parse_baseline_method(text);
  if (method) p.terms.default_baseline.method = *method;
  return method.has_value();
}

bool set_korean(programme& p, const std::string& text) {
  p.korean = text;
  return !text.empty() && text.size() <= 200;
}

bool set_code(programme& p, const std::string& text) {
  p.code = text;
  return is_code(text);
}

const char* const time_range = "a time of day from \"00:00\" to \"24:00\"";
const char* const method_range = "max-4-5, mid-6-10, mid-4-6 or mid-8-10";

const std::vector<edition_field<programme>>& programme_fields() {
  static const std::vector<edition_field<programme>> fields{
      {"code", "1 to 32 of a-z, 0-9 and -", true, set_code},
      {"korean", "1 to 200 bytes", true, set_korean},
      {"effective_from", "a date such as 2024-02-01", true, set_effective_from<programme>},
      {"notice_minutes", "a whole number from 0 to 10080", true,
       whole_between(0, 10'080, [](programme& p, std::int64_t v) { p.notice = minutes{v}; })},
      {"weekdays_only", "true or false", true, on_or_off([](programme& p, bool v) { p.weekdays_only = v; })},
      {"window_begin", time_range, true, time_of_day([](programme& p, minutes v) { p.window_begin = v; })},
      {"window_end", time_range, true, time_of_day([](programme& p, minutes v) { p.window_end = v; })},
      {"excluded_hour", "a whole number from 0 to 23, or absent", false,
       whole_between(0, 23, [](programme& p, std::int64_t v) { p.excluded_hour = static_cast<int>(v); })},
      {"min_length_minutes", "a whole number from 15 to 1440", true,
       whole_between(15, 1440, [](programme& p, std::int64_t v) { p.min_length = minutes{v}; })},
      {"max_length_minutes", "a whole number from 15 to 1440", true,
       whole_between(15, 1440, [](programme& p, std::int64_t v) { p.max_length = minutes{v}; })},
      {"baseline", method_range, true, set_baseline},
      {"saa", "true or false", true, on_or_off([](programme& p, bool v) { p.terms.default_baseline.saa = v; })},
      {"allowed_methods", std::string("a list of ") + method_range, true,
       [](programme& p, const std::string& text) { return read_methods(text, p.terms.allowed_methods); }},
      {"saa_allowed", "true or false", true, on_or_off([](programme& p, bool v) { p.terms.saa_allowed = v; })},
      {"cap_percent", "a whole number from 1 to 1000, or absent for none", false,
       whole_between(1, 1000, [](programme& p, std::int64_t v) { p.terms.cap_percent = static_cast<int>(v); })},
      {"performs_at_percent", "a whole number from 0 to 100", true,
       whole_between(0, 100, [](programme& p, std::int64_t v) { p.terms.performs_at_percent = static_cast<int>(v); })},
      {"points_per_kwh", "a number from 0 to 1000000 with up to three decimals", true, set_points},
      {"mandatory", "true or false", true, on_or_off([](programme& p, bool v) { p.terms.mandatory = v; })},
  };
  return fields;
}

void check_programme(const programme& p, const std::string& where, error& wrong) {
  if (p.window_end <= p.window_begin) wrong.fields.push_back({where + "window_end", "must be later than window_begin"});
  if (p.max_length < p.min_length)
    wrong.fields.push_back({where + "max_length_minutes", "must be at least min_length_minutes"});
  const auto& methods = p.terms.allowed_methods;
  if (std::find(methods.begin(), methods.end(), p.terms.default_baseline.method) == methods.end())
    wrong.fields.push_back({where + "allowed_methods", "must contain the programme's own baseline"});
  if (p.terms.default_baseline.saa && !p.terms.saa_allowed)
    wrong.fields.push_back({where + "saa", "must be false where saa_allowed is false"});
}

} // namespace

result<std::vector<programme>> read_programmes(const toml::array& tables) {
  if (tables.empty()) return error{errc::invalid, {}, {{"programmes", "must hold at least one programme"}}};
  return read_editions<programme>(
      tables, {"programmes", programme_fields(), [](const programme& p) { return p.code; }, check_programme});
}

} // namespace dr
