// How rows come out of Postgres: for each table the list of columns and the function that reads exactly these.
#pragma once

#include "storage/engine/rows.hpp"

#include <pqxx/pqxx>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dr::storage {

/// Reads the columns of one row from left to right: of a result, or of a line of COPY in its text format.
class column_cursor {
public:
  explicit column_cursor(const pqxx::row& row) : cell_(row.begin()) {}
  /// The line must outlive the cursor.
  explicit column_cursor(std::string_view copied) : rest_(copied) {}
  bool null() const;
  std::int64_t number();
  bool flag();
  std::string text();
  /// Valid until the next column is read.
  std::string_view view();
  time_point time();
  std::optional<std::int64_t> optional_number();
  std::optional<bool> optional_flag();
  std::optional<time_point> optional_time();
  template <class E> E enumerator() { return static_cast<E>(number()); }
  template <class Id> Id id() { return Id{number()}; }

private:
  /// Steps through the cells; one look-up of a cell by its number would count references to the whole result.
  std::optional<pqxx::row::const_iterator> cell_;
  std::string_view rest_; ///< of a copied line
  std::string unescaped_; ///< the cell of a copied line that has other bytes than the line
};
using row_taker = std::function<void(column_cursor&)>;

// Aliases: u users, c campaign, r response, k reduction_check, l ledger, e event, v verification, d day_profile.
#define DR_USER_COLUMNS                                                                                                \
  "u.id,u.name,u.capacity_w,u.points,u.owed_points,u.cust_no,u.method,u.saa,u.enrolled,dr_ms(u.token_created_at),"     \
  "dr_ms(u.created_at),u.version"
#define DR_CAMPAIGN_COLUMNS                                                                                            \
  "c.id,c.name,c.type,c.status,c.settlement,dr_ms(c.ordered_at),dr_ms(c.starts_at),dr_ms(c.respond_by),"               \
  "dr_ms(c.ends_at),dr_ms(c.ended_at),c.order_w,c.test,c.frozen,c.cancel_reason,c.warnings,c.terms,c.dispatched,"      \
  "c.delivered,c.accept,c.deny,c.committed_w,c.real,c.unreal,c.unverifiable,c.pending,c.reduction_wh,c.credited_wh,"   \
  "c.points_credited,c.version"
#define DR_RESPONSE_COLUMNS                                                                                            \
  "r.id,r.campaign_id,r.user_id,u.name,r.capacity_w,r.method,r.saa,r.answer,r.turned,dr_ms(r.answered_at),"            \
  "dr_ms(r.delivered_at),r.verification,r.version"
#define DR_CHECK_COLUMNS                                                                                               \
  "k.id,k.campaign_id,k.user_id,u.name,k.response_id,k.revision,k.response_answer,k.is_real,k.adjust_points,k.method," \
  "k.saa,k.baseline_wh,k.metered_wh,k.reduction_wh,k.credited_wh,k.quality,k.detail,k.spread,dr_ms(k.checked_at),"     \
  "k.version"
#define DR_LEDGER_COLUMNS                                                                                              \
  "l.id,l.user_id,l.kind,l.amount,l.balance_after,l.campaign_id,l.response_id,l.revision,l.reverses,dr_ms(l.at)"
#define DR_EVENT_COLUMNS "e.seq,dr_ms(e.at),e.type,e.campaign_id,e.user_id,e.response_id,e.data"
#define DR_QUEUE_COLUMNS                                                                                               \
  "v.response_id,v.campaign_id,v.user_id,v.revision,dr_ms(v.next_try_at),v.attempts,v.parked,v.fresh,v.reason,"        \
  "dr_ms(v.queued_at)"
#define DR_DAY_COLUMNS "d.cust_no,d.day-date '1970-01-01',d.closed,dr_ms(d.fetched_at),d.wh"

user read_user(column_cursor& at);
campaign read_campaign(column_cursor& at);
/// As stored: see presented().
response read_response(column_cursor& at);
reduction_check read_check(column_cursor& at);
ledger_entry read_entry(column_cursor& at);
event read_event(column_cursor& at);
queued_check read_queued(column_cursor& at);
struct day_row {
  std::string cust_no;
  korean_day day{};
  stored_day stored;
};
day_row read_day(column_cursor& at);
/// The text of an array of that part of a day's values; the others are missing. Throws when there are fewer or more.
day_profile read_profile(std::string_view array, quarter_span part = {});

/// Days cross the border as days since 1970.
inline std::int64_t day_number(korean_day day) { return day.time_since_epoch().count(); }

} // namespace dr::storage
