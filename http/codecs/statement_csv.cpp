#include "http/codecs/statement_csv.hpp"

#include "http/codecs/numbers.hpp"

namespace dr::http {

namespace {

void append_instant(std::string& out, const std::optional<time_point>& at) {
  if (at) out += format_rfc3339(*at);
}

void append_check(std::string& out, const reduction_check& c) {
  out += c.is_real ? ",true," : ",false,";
  out += to_string(c.baseline.method);
  out += c.baseline.saa ? ",true" : ",false";
  for (const auto number : {c.baseline_wh, c.metered_wh, c.reduction_wh, c.credited_wh, c.adjust_points})
    out += "," + std::to_string(number);
  out += ",";
  out += to_string(c.quality);
  out += "," + format_rfc3339(c.checked_at) + ",";
  append_csv_text(out, c.detail);
}

} // namespace

std::string statement_header() {
  return "responseId,userId,userName,custNo,capacityKw,answer,answeredAt,deliveredAt,verification,isReal,method,saa,"
         "baselineWh,meteredWh,reductionWh,creditedWh,points,quality,checkedAt,detail\r\n";
}

void append_csv_text(std::string& out, std::string_view text) {
  const bool formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quoted) out += '"';
}

void append_statement_row(std::string& out, const storage::statement_row& row) {
  const auto& r = row.response;
  out += std::to_string(r.id.value) + "," + std::to_string(r.user.value) + ",";
  append_csv_text(out, r.user_name);
  out += "," + row.cust_no + "," + format_kilowatts(r.capacity_w) + "," + to_string(r.answer) + ",";
  append_instant(out, r.answered_at);
  out += ",";
  append_instant(out, r.delivered_at);
  out += ",";
  out += to_string(r.verification);
  if (row.check)
    append_check(out, *row.check);
  else
    out += ",,,,,,,,,,,";
  out += "\r\n";
}

} // namespace dr::http
