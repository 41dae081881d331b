#include "http/codecs/entities.hpp"

namespace dr::http {

namespace {

/// A field that is null when the text is empty.
void text_or_null(json_writer& out, std::string_view name, const std::string& text) {
  if (text.empty())
    out.key(name).null();
  else
    out.field(name, text);
}

/// A field that is null when the id means "none".
template <class Id> void id_or_null(json_writer& out, std::string_view name, Id id) {
  if (id)
    out.field(name, id.value);
  else
    out.key(name).null();
}

std::string path_of(std::string_view collection, std::int64_t id) {
  return "/" + std::string(collection) + "/" + std::to_string(id);
}

/// A link to "/collection/id": rows have several of them, so they are put together without strings in between.
void write_item_link(json_writer& out, std::string_view name, const std::string& origin, std::string_view folder,
                     std::int64_t id) {
  const digits number(id);
  // A valid origin holds nothing to escape.
  out.key(name).raw({R"({"href":")", origin, folder, number.view(), R"("})"});
}

/// Spring Data REST's habit: `self`, and the same under the item's own name.
void begin_item_links(json_writer& out, std::string_view name, const std::string& origin, std::string_view folder,
                      std::int64_t id) {
  out.key("_links").begin_object();
  write_item_link(out, "self", origin, folder, id);
  write_item_link(out, name, origin, folder, id);
}

void write_counts(json_writer& out, const campaign_counts& n) {
  out.field("dispatched", n.dispatched).field("delivered", n.delivered);
  out.field("accept", n.accept).field("deny", n.deny).field("ignore", n.ignore());
  out.kilowatts("committedKw", n.committed_w);
  out.key("verification").begin_object();
  out.field("pending", n.pending).field("real", n.real).field("unreal", n.unreal);
  out.field("unverifiable", n.unverifiable).end_object();
  out.field("reductionWh", n.reduction_wh).field("creditedWh", n.credited_wh);
  out.field("pointsCredited", n.points_credited);
}

} // namespace

void write_link(json_writer& out, std::string_view name, const std::string& origin, std::string_view path) {
  out.key(name).begin_object().field("href", origin + std::string(path)).end_object();
}

void write_user(json_writer& out, const user& u, origin_ptr origin) {
  out.begin_object();
  out.field("id", u.id.value).field("name", u.name);
  out.field("point", u.points).field("owedPoints", u.owed_points);
  out.kilowatts("capacity", u.capacity_w);
  text_or_null(out, "custNo", u.cust_no);
  if (u.method)
    out.field("baselineMethod", to_string(*u.method));
  else
    out.key("baselineMethod").null();
  out.field("saa", u.saa).field("enrolled", u.enrolled);
  out.field("createdAt", u.created_at).field("tokenCreatedAt", u.token_created_at);
  if (origin != nullptr) {
    const auto path = path_of("users", u.id.value);
    begin_item_links(out, "user", *origin, "/users/", u.id.value);
    write_link(out, "ledger", *origin, path + "/ledger");
    write_link(out, "responses", *origin, "/responses?userId=" + std::to_string(u.id.value));
    out.end_object();
  }
  out.end_object();
}

void write_campaign(json_writer& out, const campaign& c, origin_ptr origin) {
  out.begin_object();
  out.field("id", c.id.value).field("name", c.name).field("type", c.type);
  out.field("status", to_string(c.status)).field("settlement", to_string(c.settlement));
  out.field("date", c.ordered_at).field("startsAt", c.starts_at).field("respondBy", c.respond_by);
  out.field("endsAt", c.ends_at).field("endedAt", c.ended_at);
  if (c.order_w)
    out.kilowatts("orderKw", *c.order_w);
  else
    out.key("orderKw").null();
  out.field("test", c.test);
  if (!c.cancel_reason.empty()) out.field("cancelReason", c.cancel_reason);
  out.key("warnings").begin_array();
  for (const auto& warning : c.warnings) out.value(warning);
  out.end_array().field("version", c.version);
  if (origin != nullptr) {
    const auto path = path_of("drs", c.id.value);
    begin_item_links(out, "dr", *origin, "/drs/", c.id.value);
    write_link(out, "responses", *origin, "/responses?drId=" + std::to_string(c.id.value));
    write_link(out, "kepcos", *origin, "/kepcos?drId=" + std::to_string(c.id.value));
    write_link(out, "summary", *origin, path + "/summary");
    write_link(out, "statement", *origin, path + "/statement.csv");
    out.end_object();
  }
  out.end_object();
}

void write_response(json_writer& out, const response& r, origin_ptr origin) {
  out.begin_object();
  out.field("id", r.id.value).field("drId", r.campaign.value).field("userId", r.user.value);
  out.field("userName", r.user_name);
  out.kilowatts("userCapacity", r.capacity_w);
  out.field("answer", to_string(r.answer));
  out.field("answeredAt", r.answered_at).field("deliveredAt", r.delivered_at);
  out.field("expectedPoints", r.expected_points).field("verification", to_string(r.verification));
  out.field("version", r.version);
  if (origin != nullptr) {
    begin_item_links(out, "response", *origin, "/responses/", r.id.value);
    write_item_link(out, "dr", *origin, "/drs/", r.campaign.value);
    write_item_link(out, "user", *origin, "/users/", r.user.value);
    out.end_object();
  }
  out.end_object();
}

void write_check(json_writer& out, const reduction_check& c, origin_ptr origin) {
  out.begin_object();
  out.field("id", c.id.value).field("drId", c.campaign.value).field("userId", c.user.value);
  out.field("userName", c.user_name).field("responseId", c.response.value).field("revision", c.revision);
  out.field("responseAnswer", to_string(c.response_answer)).field("isReal", c.is_real);
  out.field("adjustPoint", c.adjust_points);
  out.field("method", to_string(c.baseline.method)).field("saa", c.baseline.saa);
  out.field("baselineWh", c.baseline_wh).field("meteredWh", c.metered_wh).field("reductionWh", c.reduction_wh);
  out.field("creditedWh", c.credited_wh).field("quality", to_string(c.quality));
  out.field("checkedAt", c.checked_at).field("detail", c.detail);
  if (origin != nullptr) {
    begin_item_links(out, "kepco", *origin, "/kepcos/", c.id.value);
    write_item_link(out, "response", *origin, "/responses/", c.response.value);
    write_item_link(out, "dr", *origin, "/drs/", c.campaign.value);
    write_item_link(out, "user", *origin, "/users/", c.user.value);
    out.end_object();
  }
  out.end_object();
}

void write_entry(json_writer& out, const ledger_entry& e, origin_ptr origin) {
  out.begin_object();
  out.field("id", e.id.value).field("userId", e.user.value).field("kind", to_string(e.kind));
  out.field("amount", e.amount).field("balanceAfter", e.balance_after);
  id_or_null(out, "drId", e.campaign);
  id_or_null(out, "responseId", e.response);
  id_or_null(out, "reverses", e.reverses.value_or(entry_id{}));
  out.field("at", e.at);
  if (origin != nullptr) {
    out.key("_links").begin_object();
    write_item_link(out, "user", *origin, "/users/", e.user.value);
    if (e.response) write_item_link(out, "response", *origin, "/responses/", e.response.value);
    out.end_object();
  }
  out.end_object();
}

void write_event(json_writer& out, const event& e, origin_ptr) {
  out.begin_object();
  out.field("seq", e.seq).field("at", e.at).field("type", e.type);
  id_or_null(out, "drId", e.campaign);
  id_or_null(out, "userId", e.user);
  id_or_null(out, "responseId", e.response);
  out.key("data").raw(e.data.empty() ? "{}" : e.data);
  out.end_object();
}

void write_summary(json_writer& out, const campaign& c, bool with_name, origin_ptr origin) {
  out.begin_object();
  out.field("drId", c.id.value);
  if (with_name) out.field("name", c.name).field("type", c.type).field("test", c.test);
  out.field("status", to_string(c.status)).field("settlement", to_string(c.settlement));
  if (with_name) out.field("startsAt", c.starts_at).field("respondBy", c.respond_by).field("endsAt", c.ends_at);
  write_counts(out, c.counts);
  if (origin != nullptr) {
    const auto path = path_of("drs", c.id.value);
    out.key("_links").begin_object();
    write_link(out, "self", *origin, path + "/summary");
    write_item_link(out, "dr", *origin, "/drs/", c.id.value);
    out.end_object();
  }
  out.end_object();
}

} // namespace dr::http
