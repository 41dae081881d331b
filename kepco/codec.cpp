#include "kepco/codec.hpp"

#include "kepco/decimal.hpp"
#include "kepco/json_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <map>

namespace dr::kepco {

namespace {

using kind = json_text::kind;

constexpr nano_wh absent = -1;
constexpr std::size_t max_meters = 64; // of one customer
using meter_day = std::array<nano_wh, quarters_per_day>;
using meters = std::map<std::string, meter_day>; // by meter number

meter_error garbage(std::string what) { return {meter_errc::garbage, std::move(what)}; }

std::string_view trimmed(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// A field's text, trimmed; empty when it is absent, null or no scalar.
std::string text_of(const json_text& object, std::string_view name) {
  const auto* found = object.find(name);
  return found == nullptr ? std::string() : std::string(trimmed(found->text));
}

/// Bare numbers have lost their leading zeros.
std::string padded(std::string text, std::size_t width) {
  if (text.empty() || text.size() >= width) return text;
  return std::string(width - text.size(), '0') + text;
}

/// KEPCO says in Korean from when on the customer has consented to be read.
bool speaks_of_consent(const std::string& message) {
  auto has = [&](const char* word) { return message.find(word) != std::string::npos; };
  if (has("동의") && (has("일") || has("날") || has("부터") || has("이후") || has("않"))) return true;
  std::string lower = message;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower.find("consent") != std::string::npos;
}

meter_error error_of(const std::string& code, const std::string& message) {
  auto detail = one_line(code.empty()      ? "\"" + message + "\" without a code"
                         : message.empty() ? code
                                           : code + ": " + message);
  if (code == "openapi-4001") return {meter_errc::unavailable, detail}; // whatever service it speaks of
  if (speaks_of_consent(message)) return {meter_errc::no_consent, detail};
  if (code == "openapi-9001") return {meter_errc::no_data, detail};
  // A message alone may mean anything, so that it is tried again.
  return {code.empty() ? meter_errc::garbage : meter_errc::refused, detail};
}

/// Rows of an answer, as long as it lives.
using row_list = std::vector<const json_text*>;

/// The error that the entries carry, in one of them or spread over several, in any order.
std::optional<meter_error> find_error(const row_list& list) {
  std::string code;
  std::string message;
  for (const auto* entry : list) {
    if (!entry->is(kind::object)) continue;
    if (auto text = text_of(*entry, "returnCode"); !text.empty()) code = text;
    if (auto text = text_of(*entry, "errMsg"); !text.empty()) message = text;
  }
  if (code.empty() && message.empty()) return std::nullopt;
  return error_of(code, message);
}

struct answer_rows {
  json_document answer;
  row_list rows;
};

/// The rows of an answer's list, or the error it carries. They refer to the body.
meter_result<answer_rows> rows_of(std::string_view body, const char* list_name) {
  auto text = trimmed(body);
  if (text.empty()) return garbage("an empty body");
  if (text.front() == '<') return garbage("an HTML or XML page instead of JSON");
  auto answer = parse_json_text(text);
  if (!answer) return garbage("not JSON, or cut off (" + std::to_string(body.size()) + " bytes)");
  const auto& root = answer->root();
  if (!root.is(kind::object)) return garbage("no JSON object");
  const auto* list = root.find(list_name);
  if (list == nullptr) {
    if (auto error = find_error({&root})) return *error;
    if (root.find("header") != nullptr) return garbage("a bare header instead of data");
    return garbage(std::string("no ") + list_name);
  }
  row_list rows;
  if (list->is(kind::array)) {
    for (const auto& row : *list) rows.push_back(&row);
  } else if (list->is(kind::object)) {
    rows.push_back(list); // a lone row without its brackets
  } else {
    return garbage(std::string(list_name) + " is no list");
  }
  if (auto error = find_error(rows)) return *error;
  for (const auto* row : rows)
    if (!row->is(kind::object)) return garbage("a row that is no object");
  return answer_rows{std::move(*answer), std::move(rows)};
}

/// absent for an empty value; garbage for one that cannot be.
meter_result<nano_wh> energy_in(const json_text& value) {
  if (value.is(kind::null)) return absent;
  const std::string_view field = value.name;
  if (!value.is(kind::text)) return garbage(std::string(field) + " is no number");
  auto text = trimmed(value.text);
  if (text.empty()) return absent;
  auto energy = parse_kwh(text);
  if (!energy) return garbage(std::string(field) + " is \"" + one_line(text, 40) + "\"");
  return *energy;
}

/// The same of a field that need not be there.
meter_result<nano_wh> energy_of(const json_text& row, std::string_view field) {
  const auto* found = row.find(field);
  return found == nullptr ? meter_result<nano_wh>(absent) : energy_in(*found);
}

meter_result<meter_day> meter_day_of(const json_text& row) {
  constexpr std::string_view quantity = "pwr_qty";
  meter_day day;
  day.fill(absent);
  for (const auto& field : row) {
    if (!field.name.starts_with(quantity)) continue;
    auto quarter = quarter_of_label(field.name.substr(quantity.size()));
    if (quarter < 0) continue;
    auto energy = energy_in(field);
    if (!energy) return energy.error();
    day[static_cast<std::size_t>(quarter)] = *energy;
  }
  return day;
}

/// nWh of all meters in one quarter hour as Wh; missing when one of them is.
meter_result<std::int32_t> sum_of(const meters& all, std::size_t quarter) {
  nano_wh sum = 0;
  for (const auto& [meter, day] : all) {
    if (day[quarter] == absent) return day_profile::missing;
    sum += day[quarter];
    if (sum > max_quarter_nwh) return garbage("an absurd sum of meters");
  }
  return round_to_wh(sum);
}

meter_result<day_profile> profile_of(const meters& all) {
  day_profile profile;
  for (std::size_t quarter = 0; quarter < profile.wh.size(); ++quarter) {
    auto wh = sum_of(all, quarter);
    if (!wh) return wh.error();
    profile.wh[quarter] = *wh;
  }
  return profile;
}

/// Is this row about the customer and the day that were asked for?
std::optional<meter_error> wrong_row(const json_text& row, const std::string& cust_no, korean_day day) {
  auto got = padded(text_of(row, "custNo"), 10);
  if (got != cust_no) return garbage("a row of customer \"" + one_line(got, 20) + "\"");
  auto date = text_of(row, "mr_ymd");
  if (date != format_ymd(day)) return garbage("a row of day \"" + one_line(date, 20) + "\"");
  return std::nullopt;
}

/// Rows without a meter number are taken for different meters.
std::string meter_key(const json_text& row, std::string_view field, std::size_t rows_before) {
  auto number = text_of(row, field);
  return number.empty() ? "#" + std::to_string(rows_before) : number;
}

bool says_multi(const json_text& row) {
  auto text = text_of(row, "multi_meter_yn");
  return text == "Y" || text == "y";
}

} // namespace

meter_result<day_profile> decode_day(std::string_view body, const std::string& cust_no, korean_day day) {
  auto answer = rows_of(body, "dayLpDataInfoList");
  if (!answer) return answer.error();
  const auto& list = answer->rows;
  if (list.empty()) return meter_error{meter_errc::no_data, "an empty list"};
  meters all;
  bool multi = false;
  for (const auto* row : list) {
    if (auto wrong = wrong_row(*row, cust_no, day)) return *wrong;
    auto values = meter_day_of(*row);
    if (!values) return values.error();
    multi = multi || says_multi(*row);
    auto [known, added] = all.try_emplace(meter_key(*row, "meterNo", all.size()), *values);
    if (!added && known->second != *values) return garbage("two different rows of one meter");
    if (all.size() > max_meters) return garbage("too many meters");
  }
  if (all.size() > 1 && !multi) return garbage("several meters, but multi_meter_yn is not Y");
  return profile_of(all);
}

meter_result<std::int32_t> decode_minute(std::string_view body, const std::string& cust_no, korean_day day,
                                         int quarter) {
  auto answer = rows_of(body, "minuteLpDataInfoList");
  if (!answer) return answer.error();
  const auto& list = answer->rows;
  if (list.empty()) return meter_error{meter_errc::no_data, "an empty list"};
  meters all;
  auto index = static_cast<std::size_t>(quarter);
  for (const auto* row : list) {
    if (auto wrong = wrong_row(*row, cust_no, day)) return *wrong;
    auto label = padded(text_of(*row, "mr_hhmi"), 4);
    if (!label.empty() && label != quarter_label(quarter))
      return garbage("a row of time \"" + one_line(label, 20) + "\"");
    auto energy = energy_of(*row, "pwr_qty");
    if (!energy) return energy.error();
    auto [known, added] = all.try_emplace(meter_key(*row, "meterNo", all.size()));
    if (!added && known->second[index] != *energy) return garbage("two different rows of one meter");
    known->second[index] = *energy;
    if (all.size() > max_meters) return garbage("too many meters");
  }
  return sum_of(all, index);
}

meter_result<std::vector<customer>> decode_customers(std::string_view body) {
  auto answer = rows_of(body, "custNoInfoList");
  if (!answer) return answer.error();
  const auto& list = answer->rows;
  std::vector<customer> out;
  for (const auto* row : list) {
    auto cust_no = padded(text_of(*row, "custNo"), 10);
    auto digits = std::all_of(cust_no.begin(), cust_no.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (cust_no.size() != 10 || !digits) return garbage("a row of customer \"" + one_line(cust_no, 20) + "\"");
    out.push_back({cust_no, text_of(*row, "custNm")});
  }
  return out;
}

meter_result<std::vector<customer_day>> decode_period(std::string_view body, korean_day day) {
  auto answer = rows_of(body, "allCustPeriodDataInfoList");
  if (!answer) return answer.error();
  const auto& list = answer->rows;
  if (list.empty()) return meter_error{meter_errc::no_data, "an empty list"};
  std::map<std::string, meters> by_customer;
  for (const auto* row : list) {
    auto cust_no = padded(text_of(*row, "custNo"), 10);
    if (auto wrong = wrong_row(*row, cust_no, day)) return *wrong;
    auto quarter = quarter_of_label(padded(text_of(*row, "mr_hhmi"), 4));
    if (cust_no.size() != 10 || quarter < 0) return garbage("a row without customer or time");
    auto energy = energy_of(*row, "pwr_qty");
    if (!energy) return energy.error();
    auto& all = by_customer[cust_no];
    auto [meter, added] = all.try_emplace(text_of(*row, "meter"));
    if (added) meter->second.fill(absent);
    if (all.size() > max_meters) return garbage("too many meters");
    auto& slot = meter->second[static_cast<std::size_t>(quarter)];
    if (slot != absent && *energy != absent && slot != *energy) return garbage("two different rows of one meter");
    if (*energy != absent) slot = *energy;
  }
  std::vector<customer_day> out;
  for (const auto& [cust_no, all] : by_customer) {
    auto profile = profile_of(all);
    if (!profile) return profile.error();
    out.push_back({cust_no, *profile});
  }
  return out;
}

std::string format_ymd(korean_day day) {
  std::chrono::year_month_day date{day};
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

std::string quarter_label(int quarter) {
  auto minutes = (quarter + 1) * 15;
  char text[32];
  std::snprintf(text, sizeof text, "%02d%02d", minutes / 60, minutes % 60);
  return text;
}

int quarter_of_label(std::string_view label) noexcept {
  if (label.size() != 4) return -1;
  int digits[4];
  for (std::size_t i = 0; i < 4; ++i) {
    if (label[i] < '0' || label[i] > '9') return -1;
    digits[i] = label[i] - '0';
  }
  int hour = digits[0] * 10 + digits[1];
  int minute = digits[2] * 10 + digits[3];
  if (minute % 15 != 0 || minute > 45) return -1;
  int quarter = (hour * 60 + minute) / 15 - 1;
  return quarter >= 0 && quarter < quarters_per_day ? quarter : -1;
}

std::string one_line(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
    text = text.substr(0, max_bytes);
  }
  std::string out(text);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return out;
}

} // namespace dr::kepco
