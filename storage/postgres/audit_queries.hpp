// The statements of the audit. Accounts are read by ranges of user ids, so that every statement follows an index.
#pragma once

#include "storage/postgres/columns.hpp"
#include "storage/postgres/connection.hpp"

namespace dr::storage::sql {

inline constexpr statement audit_user_count{"audit_user_count", "SELECT count(*) FROM users"};
inline constexpr statement audit_campaigns{"audit_campaigns", "SELECT " DR_CAMPAIGN_COLUMNS " FROM campaign c "
                                                              "WHERE c.id > $1 ORDER BY c.id LIMIT $2"};
inline constexpr statement audit_users{"audit_users", "SELECT " DR_USER_COLUMNS " FROM users u "
                                                      "WHERE u.id > $1 ORDER BY u.id LIMIT $2"};
// Of the users of one page: $1 < id <= $2.
inline constexpr statement audit_entries{"audit_entries",
                                         "SELECT " DR_LEDGER_COLUMNS " FROM ledger l WHERE l.user_id > $1 "
                                         "AND l.user_id <= $2 ORDER BY l.user_id, l.id"};
inline constexpr statement audit_responses{"audit_responses", "SELECT " DR_RESPONSE_COLUMNS " FROM response r "
                                                              "JOIN users u ON u.id = r.user_id WHERE r.user_id > $1 "
                                                              "AND r.user_id <= $2 ORDER BY r.user_id, r.id"};
inline constexpr statement audit_checks{"audit_checks", "SELECT " DR_CHECK_COLUMNS " FROM reduction_check k "
                                                        "JOIN users u ON u.id = k.user_id WHERE k.user_id > $1 "
                                                        "AND k.user_id <= $2 ORDER BY k.user_id, k.id"};
// The queue has no index by user; its rows are found by their responses.
inline constexpr statement audit_queue{"audit_queue",
                                       "SELECT r.user_id," DR_QUEUE_COLUMNS " FROM response r "
                                       "JOIN verification v ON v.response_id = r.id WHERE r.user_id > $1 "
                                       "AND r.user_id <= $2 ORDER BY r.user_id, r.id"};
inline constexpr statement audit_events{"audit_events", "SELECT " DR_EVENT_COLUMNS " FROM event e WHERE e.user_id > $1 "
                                                        "AND e.user_id <= $2 ORDER BY e.user_id, e.seq"};
inline constexpr statement audit_days{"audit_days",
                                      "SELECT u.id," DR_DAY_COLUMNS " FROM users u JOIN day_profile d "
                                      "ON d.cust_no = u.cust_no WHERE u.id > $1 AND u.id <= $2 AND EXISTS "
                                      "(SELECT 1 FROM reduction_check k WHERE k.user_id = u.id) ORDER BY u.id"};
inline constexpr statement audit_house_events{"audit_house_events",
                                              "SELECT " DR_EVENT_COLUMNS " FROM event e WHERE e.seq > $1 "
                                              "AND e.type = ANY($2::text[]) ORDER BY e.seq LIMIT $3"};
inline constexpr statement audit_extent{"audit_extent", "SELECT count(*), coalesce(min(seq),0), coalesce(max(seq),0), "
                                                        "(SELECT last_seq FROM writer_state WHERE id = 1) FROM event"};
inline constexpr statement audit_gaps{"audit_gaps", "SELECT before + 1, seq - 1 FROM (SELECT seq, lag(seq,1,0::bigint) "
                                                    "OVER (ORDER BY seq) AS before FROM event) AS neighbours "
                                                    "WHERE seq > before + 1 ORDER BY seq LIMIT $1"};
// One statement per table: composing them would only be harder to read.
#define DR_ID_SOURCE(table)                                                                                            \
  statement {                                                                                                          \
    "audit_ids_" table,                                                                                                \
        "SELECT '" table "', (SELECT coalesce(max(id),0) FROM " table "), (SELECT CASE WHEN is_called "                \
        "THEN last_value ELSE last_value - 1 END FROM " table "_id_seq)"                                               \
  }
inline constexpr statement audit_id_sources[] = {DR_ID_SOURCE("users"), DR_ID_SOURCE("campaign"),
                                                 DR_ID_SOURCE("response"), DR_ID_SOURCE("reduction_check"),
                                                 DR_ID_SOURCE("ledger")};
#define DR_STRAYS(table, id, key, thing, target)                                                                       \
  statement {                                                                                                          \
    "audit_stray_" table "_" thing,                                                                                    \
        "SELECT '" table "', '" thing "', count(*), coalesce(min(x." id "),0) FROM " table " x WHERE x." key           \
        " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM " target " t WHERE t.id = x." key ")"                              \
  }
inline constexpr statement audit_strays[] = {
    DR_STRAYS("ledger", "id", "user_id", "user", "users"),
    DR_STRAYS("response", "id", "user_id", "user", "users"),
    DR_STRAYS("response", "id", "campaign_id", "campaign", "campaign"),
    DR_STRAYS("reduction_check", "id", "user_id", "user", "users"),
    DR_STRAYS("verification", "response_id", "response_id", "response", "response"),
    DR_STRAYS("event", "seq", "user_id", "user", "users"),
    DR_STRAYS("event", "seq", "campaign_id", "campaign", "campaign"),
};

} // namespace dr::storage::sql
