#include "simulator/wire.hpp"

#include "kepco/codec.hpp"
#include "simulator/generator.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace dr::sim {

namespace {

using ordered_json = nlohmann::ordered_json;

/// Energy as KEPCO may write it: kWh as a string or as a bare number.
ordered_json kwh(std::int32_t wh, std::uint64_t random) {
  char text[32];
  if (wh % 1000 == 0) {
    if (random % 2 == 0) return wh / 1000;
    std::snprintf(text, sizeof text, "%d", wh / 1000);
    return text;
  }
  if (random % 4 == 0) return wh / 1000.0; // written with the fewest digits that give it back: three at most here
  std::snprintf(text, sizeof text, "%d.%03d", wh / 1000, wh % 1000);
  std::string out = text;
  while (out.ends_with('0')) out.pop_back();
  return out;
}

struct meter {
  std::string number;
  day_profile profile;
};

/// The customer's meters with what this call shows of them; a missing value is missing on one of them only.
std::vector<meter> meters_of(const std::string& cust_no, const day_profile& whole, const call_fate& fate,
                             std::uint64_t salt = 0) {
  std::vector<meter> meters{{cust_no + "1", whole}};
  bool two = has_two_meters(cust_no);
  if (two) meters.push_back({cust_no + "2", whole});
  for (std::size_t quarter = 0; quarter < whole.wh.size(); ++quarter) {
    auto wh = whole.wh[quarter];
    if (wh == day_profile::missing) continue;
    if (two) {
      meters[0].profile.wh[quarter] = static_cast<std::int32_t>(std::int64_t{wh} * 6 / 10);
      meters[1].profile.wh[quarter] = wh - meters[0].profile.wh[quarter];
    }
    if (fate.value_missing(salt + quarter)) meters[two ? quarter % 2 : 0].profile.wh[quarter] = day_profile::missing;
  }
  return meters;
}

void append_escaped(std::string& out, const std::string& text) {
  for (char c : text) {
    switch (c) {
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '&':
      out += "&amp;";
      break;
    default:
      out += c;
    }
  }
}

std::string xml_of(const ordered_json& document) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>";
  for (const auto& [list, rows] : document.items()) {
    for (const auto& row : rows) {
      out += "<" + list + ">";
      for (const auto& [name, value] : row.items()) {
        out += "<" + name + ">";
        append_escaped(out, value.is_string() ? value.get_ref<const std::string&>() : value.dump());
        out += "</" + name + ">";
      }
      out += "</" + list + ">";
    }
  }
  return out + "</response>\n";
}

std::string text_of(wire_format format, const char* list, ordered_json rows) {
  ordered_json document{{list, std::move(rows)}};
  return format == wire_format::xml ? xml_of(document) : document.dump();
}

} // namespace

const char* content_type(wire_format format) noexcept {
  return format == wire_format::xml ? "text/xml;charset=UTF-8" : "application/json;charset=UTF-8";
}

bool has_two_meters(const std::string& cust_no) noexcept { return cust_no.ends_with('7'); }

std::string day_answer(wire_format format, const std::string& cust_no, korean_day day, const day_profile& profile,
                       const call_fate& fate) {
  ordered_json rows = ordered_json::array();
  for (const auto& m : meters_of(cust_no, profile, fate)) {
    ordered_json row{{"custNo", cust_no},
                     {"meterNo", m.number},
                     {"mr_ymd", kepco::format_ymd(day)},
                     {"multi_meter_yn", has_two_meters(cust_no) ? "Y" : "N"}};
    for (int quarter = 0; quarter < quarters_per_day; ++quarter) {
      auto wh = m.profile.wh[static_cast<std::size_t>(quarter)];
      auto& field = row["pwr_qty" + kepco::quarter_label(quarter)];
      if (wh == day_profile::missing)
        field = "";
      else
        field = kwh(wh, mixed(mixed(0, m.number), static_cast<std::uint64_t>(quarter)));
    }
    rows.push_back(std::move(row));
  }
  return text_of(format, "dayLpDataInfoList", std::move(rows));
}

std::string minute_answer(wire_format format, const std::string& cust_no, korean_day day, int quarter,
                          const day_profile& profile, const call_fate& fate) {
  ordered_json rows = ordered_json::array();
  for (const auto& m : meters_of(cust_no, profile, fate)) {
    ordered_json row{{"custNo", cust_no},
                     {"meterNo", m.number},
                     {"mr_ymd", kepco::format_ymd(day)},
                     {"mr_hhmi", kepco::quarter_label(quarter)}};
    auto wh = m.profile.wh[static_cast<std::size_t>(quarter)];
    if (wh != day_profile::missing)
      row["pwr_qty"] = kwh(wh, mixed(mixed(0, m.number), static_cast<std::uint64_t>(quarter)));
    rows.push_back(std::move(row));
  }
  return text_of(format, "minuteLpDataInfoList", std::move(rows));
}

std::string customers_answer(wire_format format, const std::vector<std::string>& cust_nos) {
  ordered_json rows = ordered_json::array();
  for (const auto& cust_no : cust_nos) rows.push_back({{"custNm", "고객 " + cust_no}, {"custNo", cust_no}});
  return text_of(format, "custNoInfoList", std::move(rows));
}

std::string period_answer(wire_format format, korean_day day,
                          const std::vector<std::pair<std::string, day_profile>>& customers, const call_fate& fate) {
  ordered_json rows = ordered_json::array();
  std::uint64_t salt = 0;
  for (const auto& [cust_no, profile] : customers) {
    for (const auto& m : meters_of(cust_no, profile, fate, salt)) {
      for (int quarter = 0; quarter < quarters_per_day; ++quarter) {
        auto wh = m.profile.wh[static_cast<std::size_t>(quarter)];
        if (wh == day_profile::missing && profile.wh[static_cast<std::size_t>(quarter)] == day_profile::missing)
          continue;
        ordered_json row{{"custNo", cust_no},
                         {"meter", m.number},
                         {"mr_ymd", kepco::format_ymd(day)},
                         {"mr_hhmi", kepco::quarter_label(quarter)},
                         {"pwr_qty", ""}};
        if (wh != day_profile::missing)
          row["pwr_qty"] = kwh(wh, mixed(mixed(0, m.number), static_cast<std::uint64_t>(quarter)));
        rows.push_back(std::move(row));
      }
    }
    salt += quarters_per_day;
  }
  return text_of(format, "allCustPeriodDataInfoList", std::move(rows));
}

std::string error_answer(wire_format format, const char* list, const std::string& code, const std::string& message) {
  return text_of(format, list, ordered_json::array({{{"errMsg", message}}, {{"returnCode", code}}}));
}

namespace {

/// A JSON answer with the value of every quarter hour replaced.
std::string values_replaced(const std::string& answer, const std::string& by) {
  std::string out;
  std::size_t done = 0;
  for (auto at = answer.find("\"pwr_qty"); at != std::string::npos; at = answer.find("\"pwr_qty", done)) {
    auto colon = answer.find(':', at);
    auto end = colon == std::string::npos ? colon : answer.find_first_of(",}", colon);
    if (end == std::string::npos) break;
    out.append(answer, done, colon + 1 - done).append(by);
    done = end;
  }
  return out.append(answer, done, std::string::npos);
}

} // namespace

std::string garbage_answer(const std::string& answer, const std::string& cust_no, std::uint64_t variant,
                           std::string& type) {
  switch (variant % garbage_names.size()) {
  case 0:
    type = "text/html;charset=UTF-8";
    return "<!DOCTYPE html><html><head><title>오류</title></head><body><h1>시스템 점검 중입니다</h1></body></html>";
  case 1:
    return R"({"header":{"resultCode":"99","resultMsg":"UNKNOWN"}})";
  case 2: { // the right answer, but another customer's
    auto other = cust_no;
    if (!other.empty()) other.front() = other.front() == '9' ? '8' : '9';
    auto swapped = answer;
    auto field = "\"custNo\":\"" + cust_no + "\"";
    auto at = swapped.find(field);
    if (cust_no.empty() || at == std::string::npos) return "[]";
    return swapped.replace(at, field.size(), "\"custNo\":\"" + other + "\"");
  }
  case 3:
    return std::string("\xff\xfe\x00\x81garbage\x00", 12);
  case 5:
    return std::string(100'000, '[');
  case 6:
    return values_replaced(answer, "1e999");
  case 7:
    return values_replaced(answer, R"({"value":[null,true]})");
  default:
    return "";
  }
}

} // namespace dr::sim
