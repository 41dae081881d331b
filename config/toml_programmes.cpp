#include "config/toml_programmes.hpp"

#include "config/parse.hpp"
#include "config/table.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <sstream>

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

struct programme_field {
  std::string name;
  std::string range;
  bool required;
  std::function<bool(programme&, const std::string&)> set;
};

template <class Assign> auto whole_between(std::int64_t least, std::int64_t most, Assign assign) {
  return [=](programme& p, const std::string& text) {
    const auto value = parse_whole(text);
    if (!value || *value < least || *value > most) return false;
    assign(p, *value);
    return true;
  };
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

bool set_day(programme& p, const std::string& text) {
  const auto day = parse_day(text);
  if (day) p.effective_from = *day;
  return day.has_value();
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

const std::vector<programme_field>& programme_fields() {
  static const std::vector<programme_field> fields{
      {"code", "1 to 32 of a-z, 0-9 and -", true, set_code},
      {"korean", "1 to 200 bytes", true, set_korean},
      {"effective_from", "a date such as 2024-02-01", true, set_day},
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

void refuse_unknown(const toml::table& table, const std::string& where, error& wrong) {
  std::vector<std::string> known;
  for (const auto& field : programme_fields()) known.push_back(field.name);
  for (const auto& [key, node] : table) {
    const std::string name{key.str()};
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest_name(name, known, 4);
    wrong.fields.push_back({where + name, "is not known" + (near ? "; did you mean " + *near + "?" : std::string())});
  }
}

void check_together(const programme& p, const std::string& where, error& wrong) {
  if (p.window_end <= p.window_begin) wrong.fields.push_back({where + "window_end", "must be later than window_begin"});
  if (p.max_length < p.min_length)
    wrong.fields.push_back({where + "max_length_minutes", "must be at least min_length_minutes"});
  const auto& methods = p.terms.allowed_methods;
  if (std::find(methods.begin(), methods.end(), p.terms.default_baseline.method) == methods.end())
    wrong.fields.push_back({where + "allowed_methods", "must contain the programme's own baseline"});
  if (p.terms.default_baseline.saa && !p.terms.saa_allowed)
    wrong.fields.push_back({where + "saa", "must be false where saa_allowed is false"});
}

programme read_programme(const toml::table& table, const std::string& where, error& wrong) {
  programme p;
  const auto before = wrong.fields.size();
  refuse_unknown(table, where, wrong);
  for (const auto& field : programme_fields()) {
    const auto* node = table.get(field.name);
    if (!node) {
      if (field.required) wrong.fields.push_back({where + field.name, "is missing; it must be " + field.range});
      continue;
    }
    const auto text = scalar_text(*node);
    if (!text || !field.set(p, *text))
      wrong.fields.push_back({where + field.name, "= \"" + text.value_or("{…}") + "\": must be " + field.range});
  }
  if (wrong.fields.size() == before) check_together(p, where, wrong);
  return p;
}

} // namespace

std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return decimal_text(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  std::ostringstream out;
  if (const auto* day = node.as_date()) return out << day->get(), out.str();
  if (const auto* time = node.as_time()) return out << time->get(), out.str().substr(0, 5);
  if (const auto* instant = node.as_date_time()) return out << instant->get(), out.str();
  if (const auto* list = node.as_array()) {
    std::string all;
    for (const auto& element : *list) {
      const auto text = element.is_array() || element.is_table() ? std::nullopt : scalar_text(element);
      if (!text) return {};
      all += (all.empty() ? "" : ",") + *text;
    }
    return all;
  }
  return {};
}

result<std::vector<programme>> read_programmes(const toml::array& tables) {
  std::vector<programme> all;
  std::set<std::pair<std::string, korean_day>> seen;
  error wrong{errc::invalid, {}, {}};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto where = "programmes[" + std::to_string(i) + "].";
    const auto* table = tables[i].as_table();
    if (!table) {
      wrong.fields.push_back({where, "must be a table"});
      continue;
    }
    all.push_back(read_programme(*table, where, wrong));
    if (!seen.emplace(all.back().code, all.back().effective_from).second)
      wrong.fields.push_back({where + "effective_from", "is that of an earlier edition of " + all.back().code});
  }
  if (tables.empty()) wrong.fields.push_back({"programmes", "must hold at least one programme"});
  if (!wrong.fields.empty()) return wrong;
  return all;
}

} // namespace dr
