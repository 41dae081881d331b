// The statements of the writer: the rows that a batch needs, and the changes it made, each for many rows at once.
#pragma once

#include "storage/postgres/columns.hpp"
#include "storage/postgres/connection.hpp"

namespace dr::storage::sql {

// ---- loading -------------------------------------------------------------------------------------------------------

inline constexpr statement load_users{"load_users", "SELECT " DR_USER_COLUMNS ",u.token_hash FROM users u "
                                                    "WHERE u.id = ANY($1::bigint[])"};
inline constexpr statement users_by_cust_no{
    "users_by_cust_no", "SELECT " DR_USER_COLUMNS ",u.token_hash FROM users u WHERE u.cust_no = ANY($1::text[])"};
// In the order of their ids, as every transaction locks them.
inline constexpr statement lock_campaigns{"lock_campaigns",
                                          "SELECT " DR_CAMPAIGN_COLUMNS " FROM campaign c "
                                          "WHERE c.id = ANY($1::bigint[]) ORDER BY c.id FOR NO KEY UPDATE"};
inline constexpr statement read_campaigns{"read_campaigns", "SELECT " DR_CAMPAIGN_COLUMNS " FROM campaign c "
                                                            "WHERE c.id = ANY($1::bigint[])"};
inline constexpr statement load_responses{"load_responses", "SELECT " DR_RESPONSE_COLUMNS
                                                            " FROM response r JOIN users u ON u.id = r.user_id "
                                                            "WHERE r.id = ANY($1::bigint[])"};
// The first of each campaign comes with it; xmin names the transaction that wrote the campaign's row.
inline constexpr statement load_responses_and_campaigns{
    "load_responses_and_campaigns",
    "SELECT " DR_RESPONSE_COLUMNS ",c.xmin," DR_CAMPAIGN_COLUMNS
    " FROM (SELECT *, row_number() OVER (PARTITION BY campaign_id ORDER BY id) AS nth FROM response "
    "WHERE id = ANY($1::bigint[])) r JOIN users u ON u.id = r.user_id "
    "LEFT JOIN campaign c ON c.id = CASE WHEN r.nth = 1 THEN r.campaign_id END"};
inline constexpr statement load_queued{"load_queued", "SELECT " DR_QUEUE_COLUMNS " FROM verification v "
                                                      "WHERE v.response_id = ANY($1::bigint[])"};
// OFFSET 0, here and below, keeps the index look-up inside: while the table is young, or was emptied, its statistics
// invite to walk all of it for every batch.
inline constexpr statement load_checks{"load_checks",
                                       "SELECT " DR_CHECK_COLUMNS
                                       " FROM unnest($1::bigint[]) AS w(response_id) CROSS JOIN LATERAL (SELECT * "
                                       "FROM reduction_check x WHERE x.response_id = w.response_id OFFSET 0) AS k "
                                       "JOIN users u ON u.id = k.user_id"};
inline constexpr statement load_checks_by_id{
    "load_checks_by_id", "SELECT " DR_CHECK_COLUMNS " FROM reduction_check k JOIN users u ON u.id = k.user_id "
                         "WHERE k.id = ANY($1::bigint[])"};
inline constexpr statement last_credit{"last_credit",
                                       "SELECT " DR_LEDGER_COLUMNS " FROM ledger l "
                                       "WHERE l.response_id = $1 AND l.kind = 2 ORDER BY l.revision DESC LIMIT 1"};
inline constexpr statement load_requests{
    "load_requests", "SELECT q.principal,q.method,q.path,q.key,q.body_hash,q.answer,dr_ms(q.created_at) "
                     "FROM unnest($1::text[],$2::text[],$3::text[],$4::text[]) AS w(principal,method,path,key) "
                     "CROSS JOIN LATERAL (SELECT * FROM keyed_request x WHERE x.principal = w.principal "
                     "AND x.method = w.method AND x.path = w.path AND x.key = w.key OFFSET 0) AS q"};
inline constexpr statement latest_time{"latest_time", "SELECT dr_ms(last_at) FROM writer_state"};

// ---- numbers -------------------------------------------------------------------------------------------------------

inline constexpr statement new_user_ids{"new_user_ids",
                                        "SELECT nextval('users_id_seq') FROM generate_series(1,$1::int)"};
inline constexpr statement new_campaign_ids{"new_campaign_ids",
                                            "SELECT nextval('campaign_id_seq') FROM generate_series(1,$1::int)"};
inline constexpr statement new_check_ids{"new_check_ids",
                                         "SELECT nextval('reduction_check_id_seq') FROM generate_series(1,$1::int)"};
inline constexpr statement new_entry_ids{"new_entry_ids",
                                         "SELECT nextval('ledger_id_seq') FROM generate_series(1,$1::int)"};

// ---- storing -------------------------------------------------------------------------------------------------------

inline constexpr statement insert_users{
    "insert_users",
    "INSERT INTO users (id,name,capacity_w,points,owed_points,cust_no,method,saa,enrolled,token_created_at,created_at,"
    "version,token_hash) SELECT d.id,d.name,d.capacity_w,d.points,d.owed,d.cust_no,d.method,d.saa,d.enrolled,"
    "dr_instant(d.token_at),dr_instant(d.created),d.version,d.token FROM unnest($1::bigint[],$2::text[],$3::bigint[],"
    "$4::bigint[],$5::bigint[],$6::text[],$7::smallint[],$8::bool[],$9::bool[],$10::bigint[],$11::bigint[],$12::bigint["
    "],"
    "$13::text[],$14::bigint[]) AS "
    "d(id,name,capacity_w,points,owed,cust_no,method,saa,enrolled,token_at,created,version,"
    "token,was)"};
inline constexpr statement update_users{
    "update_users",
    "UPDATE users u SET name=d.name,capacity_w=d.capacity_w,points=d.points,owed_points=d.owed,cust_no=d.cust_no,"
    "method=d.method,saa=d.saa,enrolled=d.enrolled,token_created_at=dr_instant(d.token_at),version=d.version,"
    "token_hash=d.token FROM unnest($1::bigint[],$2::text[],$3::bigint[],$4::bigint[],$5::bigint[],$6::text[],"
    "$7::smallint[],$8::bool[],$9::bool[],$10::bigint[],$11::bigint[],$12::bigint[],$13::text[],$14::bigint[]) AS d(id,"
    "name,capacity_w,points,owed,cust_no,method,saa,enrolled,token_at,created,version,token,was) "
    "WHERE u.id = d.id AND u.version = d.was"};
inline constexpr statement put_campaign{
    "put_campaign",
    "INSERT INTO campaign AS c "
    "(id,name,type,status,settlement,ordered_at,starts_at,respond_by,ends_at,ended_at,order_w,"
    "test,frozen,cancel_reason,warnings,terms,dispatched,delivered,accept,deny,committed_w,real,unreal,unverifiable,"
    "pending,reduction_wh,credited_wh,points_credited,version) VALUES ($1,$2,$3,$4,$5,dr_instant($6),dr_instant($7),"
    "dr_instant($8),dr_instant($9),dr_instant($10),$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,"
    "$28,$29) ON CONFLICT (id) DO UPDATE SET name=excluded.name,status=excluded.status,settlement=excluded.settlement,"
    "starts_at=excluded.starts_at,respond_by=excluded.respond_by,ends_at=excluded.ends_at,ended_at=excluded.ended_at,"
    "order_w=excluded.order_w,frozen=excluded.frozen,cancel_reason=excluded.cancel_reason,warnings=excluded.warnings,"
    "terms=excluded.terms,dispatched=excluded.dispatched,delivered=excluded.delivered,accept=excluded.accept,"
    "deny=excluded.deny,committed_w=excluded.committed_w,real=excluded.real,unreal=excluded.unreal,"
    "unverifiable=excluded.unverifiable,pending=excluded.pending,reduction_wh=excluded.reduction_wh,"
    "credited_wh=excluded.credited_wh,points_credited=excluded.points_credited,version=excluded.version"};
// Over any row, or only over the one that was read.
inline constexpr statement update_counts{
    "update_counts",
    "UPDATE campaign c SET dispatched=d.dispatched,delivered=d.delivered,accept=d.accept,deny=d.deny,"
    "committed_w=d.committed_w,real=d.real,unreal=d.unreal,unverifiable=d.unverifiable,pending=d.pending,"
    "reduction_wh=d.reduction_wh,credited_wh=d.credited_wh,points_credited=d.points_credited FROM unnest($1::bigint[],"
    "$2::bigint[],$3::bigint[],$4::bigint[],$5::bigint[],$6::bigint[],$7::bigint[],$8::bigint[],$9::bigint[],"
    "$10::bigint[],$11::bigint[],$12::bigint[],$13::bigint[],$14::xid[]) AS "
    "d(id,dispatched,delivered,accept,deny,committed_w,real,unreal,unverifiable,pending,reduction_wh,credited_wh,"
    "points_credited,was) WHERE c.id = d.id AND (d.was IS NULL OR c.xmin = d.was)"};
inline constexpr statement make_responses{
    "make_responses", "INSERT INTO response (campaign_id,user_id,capacity_w,method,saa) SELECT $1,u.id,u.capacity_w,"
                      "CASE WHEN u.method = ANY($2::smallint[]) THEN u.method ELSE $3::smallint END,"
                      "$4::bool AND coalesce(u.saa,$5::bool) FROM users u WHERE u.enrolled ORDER BY u.id"};
inline constexpr statement freeze{
    "freeze",
    "WITH queued AS (INSERT INTO verification (response_id,campaign_id,user_id,next_try_at,queued_at,revision) "
    "SELECT r.id,r.campaign_id,r.user_id,dr_instant($3),dr_instant($4),1 FROM response r "
    "WHERE r.campaign_id = $1 AND r.answer = 1 AND $2::bool ORDER BY r.id ON CONFLICT DO NOTHING RETURNING 1) "
    "SELECT count(*) FILTER (WHERE r.answer = 1), count(*) FILTER (WHERE r.answer = 2), "
    "coalesce(sum(r.capacity_w) FILTER (WHERE r.answer = 1), 0)::bigint, (SELECT count(*) FROM queued) "
    "FROM response r WHERE r.campaign_id = $1"};
inline constexpr statement unpark{
    "unpark", "UPDATE verification SET parked=false,attempts=0,reason='',next_try_at=dr_instant($2),"
              "queued_at=dr_instant($2) WHERE campaign_id = $1 AND parked"};
inline constexpr statement update_responses{
    "update_responses",
    "UPDATE response r SET answer=d.answer,turned=d.turned,answered_at=dr_instant(d.answered),"
    "delivered_at=dr_instant(d.delivered),verification=d.verification,version=d.version FROM unnest($1::bigint[],"
    "$2::smallint[],$3::bool[],$4::bigint[],$5::bigint[],$6::smallint[],$7::bigint[],$8::bigint[]) AS "
    "d(id,answer,turned,"
    "answered,delivered,verification,version,was) WHERE r.id = d.id AND r.version = d.was"};
inline constexpr statement put_queued{
    "put_queued",
    "INSERT INTO verification (response_id,campaign_id,user_id,revision,next_try_at,attempts,parked,fresh,reason,"
    "queued_at) SELECT d.response_id,d.campaign_id,d.user_id,d.revision,dr_instant(d.next_try),d.attempts,d.parked,"
    "d.fresh,d.reason,dr_instant(d.queued) FROM unnest($1::bigint[],$2::bigint[],$3::bigint[],$4::int[],$5::bigint[],"
    "$6::int[],$7::bool[],$8::bool[],$9::text[],$10::bigint[]) AS d(response_id,campaign_id,user_id,revision,next_try,"
    "attempts,parked,fresh,reason,queued) ON CONFLICT (response_id) DO UPDATE SET revision=excluded.revision,"
    "next_try_at=excluded.next_try_at,attempts=excluded.attempts,parked=excluded.parked,fresh=excluded.fresh,"
    "reason=excluded.reason,queued_at=excluded.queued_at"};
inline constexpr statement erase_queued{"erase_queued",
                                        "DELETE FROM verification WHERE response_id = ANY($1::bigint[])"};
inline constexpr statement put_checks{
    "put_checks",
    "INSERT INTO reduction_check (id,campaign_id,user_id,response_id,revision,response_answer,is_real,adjust_points,"
    "method,saa,baseline_wh,metered_wh,reduction_wh,credited_wh,quality,detail,spread,checked_at,version) SELECT d.id,"
    "d.campaign_id,d.user_id,d.response_id,d.revision,d.answer,d.is_real,d.points,d.method,d.saa,d.baseline,d.metered,"
    "d.reduction,d.credited,d.quality,d.detail,d.spread::jsonb,dr_instant(d.checked),d.version FROM "
    "unnest($1::bigint[],"
    "$2::bigint[],$3::bigint[],$4::bigint[],$5::int[],$6::smallint[],$7::bool[],$8::bigint[],$9::smallint[],$10::bool[]"
    ","
    "$11::bigint[],$12::bigint[],$13::bigint[],$14::bigint[],$15::smallint[],$16::text[],$17::text[],$18::bigint[],"
    "$19::bigint[]) AS d(id,campaign_id,user_id,response_id,revision,answer,is_real,points,method,saa,baseline,metered,"
    "reduction,credited,quality,detail,spread,checked,version) ON CONFLICT (id) DO UPDATE SET "
    "revision=excluded.revision,response_answer=excluded.response_answer,is_real=excluded.is_real,"
    "adjust_points=excluded.adjust_points,method=excluded.method,saa=excluded.saa,baseline_wh=excluded.baseline_wh,"
    "metered_wh=excluded.metered_wh,reduction_wh=excluded.reduction_wh,credited_wh=excluded.credited_wh,"
    "quality=excluded.quality,detail=excluded.detail,spread=excluded.spread,checked_at=excluded.checked_at,"
    "version=excluded.version"};
inline constexpr statement insert_entries{
    "insert_entries",
    "INSERT INTO ledger (id,user_id,kind,amount,balance_after,campaign_id,response_id,revision,reverses,at) SELECT "
    "d.id,"
    "d.user_id,d.kind,d.amount,d.balance,d.campaign_id,d.response_id,d.revision,d.reverses,dr_instant(d.at) FROM "
    "unnest("
    "$1::bigint[],$2::bigint[],$3::smallint[],$4::bigint[],$5::bigint[],$6::bigint[],$7::bigint[],$8::int[],$9::bigint["
    "],"
    "$10::bigint[]) AS d(id,user_id,kind,amount,balance,campaign_id,response_id,revision,reverses,at)"};
// Merges with what is stored, as merge() does, without reading it first: only a day with gaps needs the stored values.
// The quarter hours of all days come as one array of numbers, of which the n-th day takes the n-th 96.
inline constexpr statement put_days{
    "put_days",
    "INSERT INTO day_profile AS k (cust_no,day,closed,fetched_at,wh) SELECT d.cust_no,date '1970-01-01' + "
    "d.day,d.closed,dr_instant(d.fetched),($5::int[])[96*d.n-95:96*d.n] "
    "FROM unnest($1::text[],$2::int[],$3::bool[],$4::bigint[]) WITH ORDINALITY AS d(cust_no,day,closed,fetched,n) "
    "ON CONFLICT (cust_no,day) DO UPDATE SET "
    "closed=k.closed OR excluded.closed,fetched_at=excluded.fetched_at,wh=CASE WHEN -1 = ANY(excluded.wh) THEN "
    "ARRAY(SELECT CASE WHEN w.new = -1 THEN w.old ELSE w.new END FROM unnest(excluded.wh,k.wh) WITH ORDINALITY AS "
    "w(new,old,at) ORDER BY w.at) ELSE excluded.wh END"};
// A key that somebody else recorded meanwhile is a conflict; one that has expired is replaced.
inline constexpr statement put_requests{
    "put_requests",
    "INSERT INTO keyed_request AS q (principal,method,path,key,body_hash,answer,created_at) SELECT "
    "d.principal,d.method,"
    "d.path,d.key,d.body_hash,d.answer,dr_instant(d.created) FROM unnest($1::text[],$2::text[],$3::text[],$4::text[],"
    "$5::text[],$6::text[],$7::bigint[]) AS d(principal,method,path,key,body_hash,answer,created) ON CONFLICT "
    "(principal,"
    "method,path,key) DO UPDATE SET body_hash=excluded.body_hash,answer=excluded.answer,created_at=excluded.created_at "
    "WHERE q.created_at <= excluded.created_at - interval '24 hours'"};
// By their places: to find the rows by their keys may mean to walk the whole table. A row that was renewed meanwhile is
// no longer old; that is asked in a way that no index answers.
inline constexpr statement purge_requests{
    "purge_requests",
    "DELETE FROM keyed_request WHERE dr_ms(created_at) <= $1::bigint AND ctid = ANY(ARRAY(SELECT ctid "
    "FROM keyed_request WHERE created_at <= dr_instant($1) ORDER BY created_at LIMIT $2::bigint))"};

// ---- the end of every write transaction ----------------------------------------------------------------------------

// Expressions behind the changes of a batch: take the numbers of the events, note the batch and write the events.
// `counted` has no row when the lease is another's, or when a later connection of the lane has begun: then this is a
// statement of one that was given up.
#define DR_END_BATCH(lane)                                                                                             \
  "counted AS (UPDATE writer_state SET last_seq=last_seq+$1," lane "_batch=$2," lane "_done=$3,"                       \
  "last_at=greatest(last_at,dr_instant($4)) WHERE epoch=$5 AND " lane "_session=$6 RETURNING last_seq), "              \
  "told AS (INSERT INTO event (seq,at,type,campaign_id,user_id,response_id,data) SELECT counted.last_seq-$1+d.n,"      \
  "dr_instant(d.at),d.type,d.campaign_id,d.user_id,d.response_id,d.data::json FROM counted,unnest($7::bigint[],"       \
  "$8::text[],$9::bigint[],$10::bigint[],$11::bigint[],$12::text[]) WITH ORDINALITY AS d(at,type,campaign_id,"         \
  "user_id,response_id,data,n))"
// And a check: sqlstate::session_over when `counted` has no row.
inline constexpr const char* last_number = "(SELECT last_seq FROM counted) AS number, "
                                           "dr_require(EXISTS (SELECT FROM counted), 'DR410', 'the session is over')";
inline constexpr statement end_hot_batch{"end_hot_batch", DR_END_BATCH("hot")};
inline constexpr statement end_bulk_batch{"end_bulk_batch", DR_END_BATCH("bulk")};
#undef DR_END_BATCH
// Before the first batch of a lane's connection: ends all sessions of the lane before it, unless the lease is another's
// by now, and tells what the last batch left. Waits for a transaction of a lost connection that is still at its end.
#define DR_BEGIN_SESSION(lane)                                                                                         \
  "UPDATE writer_state SET " lane "_session=" lane "_session+(epoch=$1)::int WHERE id=1 RETURNING epoch," lane         \
  "_session," lane "_batch," lane "_done,last_seq"
inline constexpr statement begin_hot_session{"begin_hot_session", DR_BEGIN_SESSION("hot")};
inline constexpr statement begin_bulk_session{"begin_bulk_session", DR_BEGIN_SESSION("bulk")};
#undef DR_BEGIN_SESSION
inline constexpr statement read_epoch{"read_epoch", "SELECT epoch FROM writer_state WHERE id = 1"};
inline constexpr statement take_lease{"take_lease", "UPDATE writer_state SET epoch=epoch+1,holder=$1 RETURNING epoch"};

} // namespace dr::storage::sql
