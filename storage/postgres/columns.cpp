#include "storage/postgres/columns.hpp"

#include "storage/postgres/json_columns.hpp"

#include <algorithm>
#include <charconv>

namespace dr::storage {

namespace {

constexpr std::string_view copied_null = "\\N";

/// A cell of COPY's text format without its backslashes: what the letter behind one stands for, or itself.
std::string without_escapes(std::string_view cell) {
  constexpr std::string_view letters = "bfnrtv";
  constexpr std::string_view meanings = "\b\f\n\r\t\v";
  std::string out;
  out.reserve(cell.size());
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] != '\\' || i + 1 == cell.size()) {
      out += cell[i];
      continue;
    }
    const auto letter = letters.find(cell[++i]);
    out += letter == std::string_view::npos ? cell[i] : meanings[letter];
  }
  return out;
}

} // namespace

bool column_cursor::null() const {
  if (cell_) return cell_->is_null();
  return rest_.substr(0, rest_.find('\t')) == copied_null;
}

std::string_view column_cursor::view() {
  if (cell_) {
    const std::string_view cell{cell_->c_str(), cell_->size()};
    ++*cell_;
    return cell;
  }
  const auto cell = rest_.substr(0, rest_.find('\t'));
  rest_.remove_prefix(std::min(cell.size() + 1, rest_.size()));
  if (cell == copied_null) return {};
  if (cell.find('\\') == std::string_view::npos) return cell;
  unescaped_ = without_escapes(cell);
  return unescaped_;
}

std::int64_t column_cursor::number() {
  auto text = view();
  std::int64_t value = 0;
  auto end = text.data() + text.size();
  if (auto read = std::from_chars(text.data(), end, value); read.ec != std::errc{} || read.ptr != end)
    throw std::runtime_error("a column that should be a number is none");
  return value;
}

bool column_cursor::flag() { return view().starts_with('t'); }
std::string column_cursor::text() { return std::string{view()}; }
time_point column_cursor::time() { return time_point{std::chrono::milliseconds{number()}}; }

std::optional<std::int64_t> column_cursor::optional_number() {
  if (!null()) return number();
  (void)view();
  return std::nullopt;
}

std::optional<bool> column_cursor::optional_flag() {
  if (!null()) return flag();
  (void)view();
  return std::nullopt;
}

std::optional<time_point> column_cursor::optional_time() {
  if (!null()) return time();
  (void)view();
  return std::nullopt;
}

user read_user(column_cursor& at) {
  user u;
  u.id = at.id<user_id>();
  u.name = at.text();
  u.capacity_w = at.number();
  u.points = at.number();
  u.owed_points = at.number();
  u.cust_no = at.text(); // null reads as empty
  if (auto method = at.optional_number()) u.method = static_cast<baseline_method>(*method);
  u.saa = at.optional_flag();
  u.enrolled = at.flag();
  u.token_created_at = at.optional_time();
  u.created_at = at.time();
  u.version = at.number();
  return u;
}

campaign read_campaign(column_cursor& at) {
  campaign c;
  c.id = at.id<campaign_id>();
  c.name = at.text();
  c.type = at.text();
  c.status = at.enumerator<campaign_status>();
  c.settlement = at.enumerator<settlement_status>();
  c.ordered_at = at.time();
  c.starts_at = at.time();
  c.respond_by = at.optional_time();
  c.ends_at = at.optional_time();
  c.ended_at = at.optional_time();
  c.order_w = at.optional_number();
  c.test = at.flag();
  c.frozen = at.flag();
  c.cancel_reason = at.text();
  c.warnings = decode_texts(at.view());
  c.terms = decode_terms(at.view());
  auto& n = c.counts;
  for (auto* count : {&n.dispatched, &n.delivered, &n.accept, &n.deny, &n.committed_w, &n.real, &n.unreal,
                      &n.unverifiable, &n.pending, &n.reduction_wh, &n.credited_wh, &n.points_credited})
    *count = at.number();
  c.version = at.number();
  return c;
}

response read_response(column_cursor& at) {
  response r;
  r.id = at.id<response_id>();
  r.campaign = at.id<campaign_id>();
  r.user = at.id<user_id>();
  r.user_name = at.text();
  r.capacity_w = at.number();
  r.baseline.method = at.enumerator<baseline_method>();
  r.baseline.saa = at.flag();
  r.answer = at.enumerator<answer>();
  r.turned = at.flag();
  r.answered_at = at.optional_time();
  r.delivered_at = at.optional_time();
  r.verification = at.enumerator<verification>();
  r.version = at.number();
  return r;
}

reduction_check read_check(column_cursor& at) {
  reduction_check k;
  k.id = at.id<check_id>();
  k.campaign = at.id<campaign_id>();
  k.user = at.id<user_id>();
  k.user_name = at.text();
  k.response = at.id<response_id>();
  k.revision = static_cast<int>(at.number());
  k.response_answer = at.enumerator<answer>();
  k.is_real = at.flag();
  k.adjust_points = at.number();
  k.baseline.method = at.enumerator<baseline_method>();
  k.baseline.saa = at.flag();
  k.baseline_wh = at.number();
  k.metered_wh = at.number();
  k.reduction_wh = at.number();
  k.credited_wh = at.number();
  k.quality = at.enumerator<check_quality>();
  k.detail = at.text();
  k.spread = decode_spread(at.view());
  k.checked_at = at.time();
  k.version = at.number();
  return k;
}

ledger_entry read_entry(column_cursor& at) {
  ledger_entry l;
  l.id = at.id<entry_id>();
  l.user = at.id<user_id>();
  l.kind = at.enumerator<entry_kind>();
  l.amount = at.number();
  l.balance_after = at.number();
  l.campaign.value = at.optional_number().value_or(0);
  l.response.value = at.optional_number().value_or(0);
  l.revision = static_cast<int>(at.number());
  if (auto reverses = at.optional_number()) l.reverses = entry_id{*reverses};
  l.at = at.time();
  return l;
}

event read_event(column_cursor& at) {
  event e;
  e.seq = at.number();
  e.at = at.time();
  e.type = at.text();
  e.campaign.value = at.optional_number().value_or(0);
  e.user.value = at.optional_number().value_or(0);
  e.response.value = at.optional_number().value_or(0);
  e.data = at.text();
  return e;
}

queued_check read_queued(column_cursor& at) {
  queued_check v;
  v.response = at.id<response_id>();
  v.campaign = at.id<campaign_id>();
  v.user = at.id<user_id>();
  v.revision = static_cast<int>(at.number());
  v.next_try_at = at.time();
  v.attempts = static_cast<int>(at.number());
  v.parked = at.flag();
  v.fresh = at.flag();
  v.reason = at.text();
  v.queued_at = at.time();
  return v;
}

day_row read_day(column_cursor& at) {
  day_row row;
  row.cust_no = at.text();
  row.day = korean_day{std::chrono::days{at.number()}};
  row.stored.closed = at.flag();
  row.stored.fetched_at = at.time();
  row.stored.profile = read_profile(at.view());
  return row;
}

day_profile read_profile(std::string_view array, quarter_span part) {
  day_profile profile;
  const char* from = array.data();
  const char* end = from + array.size();
  for (auto i = part.first; i < part.first + part.count; ++i) {
    if (from == end || ++from > end) throw std::runtime_error("a stored day profile is too short");
    from = std::from_chars(from, end, profile.wh[static_cast<std::size_t>(i)]).ptr;
  }
  if (from + 1 != end) throw std::runtime_error("a stored day profile is too long");
  return profile;
}

} // namespace dr::storage
