// The statements of the readers. Filters that are not wanted are null; every list is bounded by a limit.
#pragma once

#include "storage/postgres/columns.hpp"
#include "storage/postgres/connection.hpp"

namespace dr::storage::sql {

// OFFSET 0, here and below, keeps the look into the index by key inside: a queue that is long beside a page of
// responses invites to walk all of it, and the statistics of a young table to walk that.
#define DR_QUEUE                                                                                                       \
  " LEFT JOIN LATERAL (SELECT x.response_id FROM verification x WHERE x.response_id = r.id OFFSET 0) AS v ON true "
#define DR_RESPONSE_TABLES " FROM response r JOIN users u ON u.id = r.user_id" DR_QUEUE
#define DR_QUEUED "v.response_id IS NOT NULL"

inline constexpr statement ping{"ping", "SELECT 1"};

inline constexpr statement user_by_id{"user_by_id", "SELECT " DR_USER_COLUMNS " FROM users u WHERE u.id = $1"};
#define DR_USER_FILTER " ($1::text IS NULL OR lower(u.name) LIKE lower($1)) AND ($2::bool IS NULL OR u.enrolled = $2) "
inline constexpr statement list_users{"list_users", "SELECT " DR_USER_COLUMNS " FROM users u WHERE" DR_USER_FILTER
                                                    "AND u.id > $3 ORDER BY u.id LIMIT $4 OFFSET $5"};
inline constexpr statement count_users{"count_users", "SELECT count(*) FROM users u WHERE" DR_USER_FILTER};
inline constexpr statement user_of_token{"user_of_token", "SELECT id FROM users WHERE token_hash = $1"};

inline constexpr statement campaigns_by_id{"campaigns_by_id", "SELECT " DR_CAMPAIGN_COLUMNS " FROM campaign c "
                                                              "WHERE c.id = ANY($1::bigint[])"};
#define DR_CAMPAIGN_FILTER " ($1::smallint IS NULL OR c.status = $1) AND ($2::text IS NULL OR c.type = $2) "
inline constexpr statement list_campaigns{"list_campaigns",
                                          "SELECT " DR_CAMPAIGN_COLUMNS " FROM campaign c WHERE" DR_CAMPAIGN_FILTER
                                          "AND c.id > $3 ORDER BY c.id LIMIT $4 OFFSET $5"};
inline constexpr statement count_campaigns{"count_campaigns",
                                           "SELECT count(*) FROM campaign c WHERE" DR_CAMPAIGN_FILTER};
// The same filter, and the user whose campaigns they are.
#define DR_CAMPAIGNS_OF_USER                                                                                           \
  " FROM (SELECT x.campaign_id FROM response x WHERE x.user_id = $3 OFFSET 0) AS r "                                   \
  "JOIN campaign c ON c.id = r.campaign_id WHERE" DR_CAMPAIGN_FILTER
inline constexpr statement list_campaigns_of_user{"list_campaigns_of_user",
                                                  "SELECT " DR_CAMPAIGN_COLUMNS DR_CAMPAIGNS_OF_USER
                                                  "AND c.id > $4 ORDER BY c.id LIMIT $5 OFFSET $6"};
inline constexpr statement count_campaigns_of_user{"count_campaigns_of_user", "SELECT count(*)" DR_CAMPAIGNS_OF_USER};
// 1 scheduled, 2 running, 3 ended; settlement 2 is verifying.
inline constexpr statement unfinished_campaigns{
    "unfinished_campaigns", "SELECT " DR_CAMPAIGN_COLUMNS " FROM campaign c WHERE c.status IN (1,2) "
                            "OR (c.status = 3 AND NOT c.frozen) OR c.settlement = 2 ORDER BY c.id"};

inline constexpr statement response_by_id{"response_by_id", "SELECT " DR_RESPONSE_COLUMNS "," DR_QUEUED
                                                            "," DR_CAMPAIGN_COLUMNS DR_RESPONSE_TABLES
                                                            "JOIN campaign c ON c.id = r.campaign_id WHERE r.id = $1"};
#define DR_RESPONSE_FILTER                                                                                             \
  " ($1::bigint IS NULL OR r.campaign_id = $1) AND ($2::bigint IS NULL OR r.user_id = $2) "                            \
  "AND ($3::smallint IS NULL OR r.answer = $3) "
// The page first, then what belongs to its rows: pages far behind skip responses only.
inline constexpr statement list_responses{
    "list_responses",
    "SELECT " DR_RESPONSE_COLUMNS "," DR_QUEUED ",c.version FROM "
    "(SELECT * FROM response r WHERE" DR_RESPONSE_FILTER "AND r.id > $4 ORDER BY r.id LIMIT $5 OFFSET $6) AS r "
    "JOIN users u ON u.id = r.user_id JOIN campaign c ON c.id = r.campaign_id" DR_QUEUE "ORDER BY r.id"};
inline constexpr statement count_responses{"count_responses",
                                           "SELECT count(*) FROM response r WHERE" DR_RESPONSE_FILTER};
// Takes the same filter, of which at most the campaign is given. (Not with an answer: a campaign's numbers of those are
// the frozen ones, and an answer may be turned later.)
inline constexpr statement count_dispatched{
    "count_dispatched", "SELECT coalesce(sum(c.dispatched),0)::bigint FROM campaign c WHERE ($1::bigint IS NULL "
                        "OR c.id = $1) AND $2::bigint IS NULL AND $3::smallint IS NULL"};
// Campaigns are opened one after the other, so that none that is open has responses before those of the first: a user's
// whole history need not be looked at.
inline constexpr statement open_responses{
    "open_responses",
    "SELECT " DR_RESPONSE_COLUMNS "," DR_QUEUED "," DR_CAMPAIGN_COLUMNS
    " FROM (SELECT * FROM response x WHERE x.user_id = $1 AND x.id >= (SELECT y.id FROM response y WHERE y.campaign_id "
    "= "
    "(SELECT min(c.id) FROM campaign c WHERE c.status IN (1,2) AND c.dispatched > 0) ORDER BY y.id LIMIT 1) OFFSET 0) "
    "AS r JOIN users u ON u.id = r.user_id" DR_QUEUE
    "JOIN campaign c ON c.id = r.campaign_id WHERE c.status IN (1,2) ORDER BY r.id"};
// By the range of the campaign's responses, as material_neighbours.
inline constexpr statement part_of{
    "part_of", "WITH span AS MATERIALIZED (SELECT "
               "(SELECT x.id FROM response x WHERE x.campaign_id = $1 ORDER BY x.id LIMIT 1) AS first,"
               "(SELECT x.id FROM response x WHERE x.campaign_id = $1 ORDER BY x.id DESC LIMIT 1) AS last) "
               "SELECT w.user_id FROM span, unnest($2::bigint[]) AS w(user_id) WHERE EXISTS "
               "(SELECT FROM response r WHERE r.user_id = w.user_id AND r.id BETWEEN span.first AND span.last "
               "AND r.campaign_id = $1 OFFSET 0)"};
#define DR_DISPATCHED "SELECT r.id,r.user_id,r.capacity_w,r.answer,r.version"
#define DR_DISPATCHED_TIMES ",dr_ms(r.answered_at),dr_ms(r.delivered_at) FROM response r "
// Alerts wait for these: of an open campaign, from one table.
inline constexpr statement dispatched_open{"dispatched_open", DR_DISPATCHED DR_DISPATCHED_TIMES
                                           "WHERE (SELECT c.status FROM campaign c WHERE c.id = $1) IN (1,2) "
                                           "AND r.campaign_id = $1 AND r.id > $2 ORDER BY r.id LIMIT $3"};
// Of an ended one; no other has responses in the queue.
inline constexpr statement dispatched_queued{
    "dispatched_queued", DR_DISPATCHED " + (r.verification = 0)::int" DR_DISPATCHED_TIMES DR_QUEUE
                                       "WHERE (SELECT c.status FROM campaign c WHERE c.id = $1) = 3 "
                                       "AND r.campaign_id = $1 AND r.id > $2 AND " DR_QUEUED " ORDER BY r.id LIMIT $3"};

inline constexpr statement check_by_id{"check_by_id", "SELECT " DR_CHECK_COLUMNS " FROM reduction_check k "
                                                      "JOIN users u ON u.id = k.user_id WHERE k.id = $1"};
#define DR_CHECK_FILTER " ($1::bigint IS NULL OR k.campaign_id = $1) AND ($2::bigint IS NULL OR k.user_id = $2) "
inline constexpr statement list_checks{"list_checks", "SELECT " DR_CHECK_COLUMNS
                                                      " FROM (SELECT * FROM reduction_check k WHERE" DR_CHECK_FILTER
                                                      "AND k.id > $3 ORDER BY k.id LIMIT $4 OFFSET $5) AS k "
                                                      "JOIN users u ON u.id = k.user_id ORDER BY k.id"};
inline constexpr statement count_checks{"count_checks", "SELECT count(*) FROM reduction_check k WHERE" DR_CHECK_FILTER};

inline constexpr statement list_entries{"list_entries",
                                        "SELECT " DR_LEDGER_COLUMNS " FROM ledger l WHERE l.user_id = $1 "
                                        "AND ($2::bigint = 0 OR l.id < $2) ORDER BY l.id DESC LIMIT $3 OFFSET $4"};
inline constexpr statement count_entries{"count_entries", "SELECT count(*) FROM ledger l WHERE l.user_id = $1"};

inline constexpr statement list_events{
    "list_events",
    "SELECT " DR_EVENT_COLUMNS " FROM event e WHERE e.seq > $1 AND ($2::bigint IS NULL OR e.campaign_id = $2) "
    "AND ($3::bigint IS NULL OR e.user_id = $3) AND ($4::text IS NULL OR e.type = $4) "
    "ORDER BY e.seq LIMIT $5"};
inline constexpr statement last_events{"last_events", "SELECT * FROM (SELECT " DR_EVENT_COLUMNS " FROM event e "
                                                      "ORDER BY e.seq DESC LIMIT $1) newest ORDER BY 1"};

inline constexpr statement statement_rows{"statement_rows",
                                          "SELECT " DR_RESPONSE_COLUMNS "," DR_QUEUED
                                          ",u.cust_no,k.id IS NOT NULL," DR_CHECK_COLUMNS DR_RESPONSE_TABLES
                                          "LEFT JOIN LATERAL (SELECT * FROM reduction_check x "
                                          "WHERE x.response_id = r.id OFFSET 0) AS k ON true "
                                          "WHERE r.campaign_id = $1 AND r.id > $2 ORDER BY r.id LIMIT $3"};

inline constexpr statement find_keyed{"find_keyed",
                                      "SELECT body_hash,answer FROM keyed_request WHERE principal = $1 "
                                      "AND method = $2 AND path = $3 AND key = $4 AND created_at > dr_instant($5)"};

inline constexpr statement due_checks{"due_checks",
                                      "SELECT v.response_id,v.attempts FROM verification v WHERE NOT v.parked "
                                      "AND v.next_try_at <= dr_instant($1) "
                                      "ORDER BY v.next_try_at, v.response_id LIMIT $2"};
inline constexpr statement expired_parked{
    "expired_parked", "SELECT v.response_id,v.attempts FROM verification v JOIN campaign c ON c.id = v.campaign_id "
                      "WHERE v.parked AND v.revision = 1 AND c.ended_at <= dr_instant($1) "
                      "ORDER BY v.response_id LIMIT $2"};
inline constexpr statement next_check_due{"next_check_due", "SELECT dr_ms(min(v.next_try_at)) FROM verification v "
                                                            "WHERE NOT v.parked"};
inline constexpr statement history{
    "history", "WITH who AS (SELECT id, cust_no FROM users WHERE id > $1 AND enrolled AND cust_no IS NOT NULL "
               "ORDER BY id LIMIT $2) SELECT who.id, who.cust_no, d.day - date '1970-01-01', "
               "CASE WHEN d.closed THEN NULL ELSE dr_ms(d.fetched_at) END FROM who "
               "LEFT JOIN day_profile d ON d.cust_no = who.cust_no "
               "AND d.day BETWEEN date '1970-01-01' + $3::int AND date '1970-01-01' + $4::int ORDER BY who.id"};
inline constexpr statement overview{"overview", "SELECT (SELECT count(*) FROM users WHERE enrolled), "
                                                "count(*) FILTER (WHERE NOT parked), count(*) FILTER (WHERE parked) "
                                                "FROM verification"};

// A parked check's next try is the moment when it was parked.
inline constexpr statement parked_checks{
    "parked_checks", "SELECT v.response_id,v.campaign_id,v.user_id,u.name,dr_ms(v.next_try_at),v.attempts,v.reason "
                     "FROM verification v JOIN users u ON u.id = v.user_id WHERE v.parked "
                     "ORDER BY v.next_try_at, v.response_id LIMIT $1"};
inline constexpr statement parked_by_campaign{"parked_by_campaign",
                                              "SELECT v.campaign_id,count(*),dr_ms(min(v.next_try_at)) "
                                              "FROM verification v WHERE v.parked GROUP BY 1 ORDER BY 1"};

// ---- the material of verifications; each row starts with the response it belongs to --------------------------------

inline constexpr statement material_jobs{
    "material_jobs",
    "SELECT " DR_RESPONSE_COLUMNS "," DR_QUEUED ",u.cust_no," DR_QUEUE_COLUMNS
    ",coalesce(k.spread,'[]'::jsonb),coalesce(k.id,0) FROM verification v "
    "JOIN response r ON r.id = v.response_id JOIN users u ON u.id = r.user_id LEFT JOIN LATERAL "
    "(SELECT * FROM reduction_check x WHERE v.revision > 1 AND x.response_id = v.response_id OFFSET 0) "
    "AS k ON true WHERE v.response_id = ANY($1::bigint[])"};
// 4 is canceled; a campaign that is frozen counts with its accepts, one that is not with every answer. First the
// few campaigns that may be neighbours, then of each the user's response, by the range of its responses' numbers: a
// user may have hundreds of responses, and all of them would be looked at for every check. The range is two look-ups
// (min and max together would read the whole campaign).
inline constexpr statement material_neighbours{
    "material_neighbours",
    "WITH near AS MATERIALIZED (SELECT c.id,c.starts_at,c.frozen,"
    "(SELECT x.id FROM response x WHERE x.campaign_id = c.id ORDER BY x.id LIMIT 1) AS first,"
    "(SELECT x.id FROM response x WHERE x.campaign_id = c.id ORDER BY x.id DESC LIMIT 1) AS last FROM campaign c "
    "WHERE c.status <> 4 AND NOT c.test AND c.starts_at >= (SELECT dr_instant(min(f)) FROM unnest($3::bigint[]) AS f) "
    "AND c.starts_at < (SELECT dr_instant(max(l)) FROM unnest($4::bigint[]) AS l)) "
    "SELECT w.response_id," DR_RESPONSE_COLUMNS "," DR_QUEUED ",coalesce(NOT v.parked,false),"
    "coalesce(k.spread,'[]'::jsonb),coalesce(k.id,0) "
    "FROM unnest($1::bigint[],$2::bigint[],$3::bigint[],$4::bigint[]) "
    "AS w(response_id,user_id,first,last) JOIN near ON near.starts_at >= dr_instant(w.first) "
    "AND near.starts_at < dr_instant(w.last) CROSS JOIN LATERAL (SELECT * FROM response x WHERE x.user_id = w.user_id "
    "AND x.id BETWEEN near.first AND near.last AND x.campaign_id = near.id AND x.id <> w.response_id "
    "AND (x.answer = 1 OR x.turned OR NOT near.frozen) OFFSET 0) AS r JOIN users u ON u.id = r.user_id LEFT JOIN "
    "LATERAL "
    "(SELECT * FROM verification x WHERE x.response_id = r.id OFFSET 0) AS v ON true LEFT JOIN LATERAL "
    "(SELECT * FROM reduction_check x WHERE x.response_id = r.id OFFSET 0) AS k ON true "
    "ORDER BY w.response_id, r.id"};
// Of a closed day, which nobody asks KEPCO for again, only the values that matter: writing out an array is most of the
// work.
inline constexpr statement material_days{
    "material_days", "SELECT w.response_id,d.day-date '1970-01-01',d.closed,dr_ms(d.fetched_at),CASE WHEN d.closed "
                     "THEN d.wh[w.first_wh:w.last_wh] ELSE d.wh END FROM "
                     "unnest($1::bigint[],$2::text[],$3::int[],$4::int[],$5::int[],$6::int[]) "
                     "AS w(response_id,cust_no,first,last,first_wh,last_wh) CROSS JOIN LATERAL (SELECT * FROM "
                     "day_profile p WHERE p.cust_no = w.cust_no AND p.day BETWEEN date '1970-01-01' + w.first AND "
                     "date '1970-01-01' + w.last OFFSET 0) AS d"};

} // namespace dr::storage::sql
