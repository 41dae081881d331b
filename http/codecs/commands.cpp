#include "http/codecs/commands.hpp"

#include "http/codecs/fields.hpp"

#include <span>

namespace dr::http {

namespace {

constexpr std::string_view method_names = "max-4-5, mid-6-10, mid-4-6 or mid-8-10";
constexpr std::size_t max_type_characters = 50;
constexpr std::size_t max_reason_characters = 500;

using names = std::span<const std::string_view>;

constexpr std::string_view user_fields[] = {
    "id",  "name",     "capacity",   "point",     "custNo",         "baselineMethod",
    "saa", "enrolled", "owedPoints", "createdAt", "tokenCreatedAt", "_links"};
constexpr std::string_view campaign_fields[] = {"id",           "name",      "type",    "status",  "settlement", "date",
                                                "startsAt",     "respondBy", "endsAt",  "endedAt", "orderKw",    "test",
                                                "cancelReason", "warnings",  "version", "_links"};
constexpr std::string_view response_fields[] = {
    "id",         "drId",        "userId",         "userName",     "userCapacity", "answer",
    "answeredAt", "deliveredAt", "expectedPoints", "verification", "version",      "_links"};
constexpr std::string_view check_fields[] = {"id",       "drId",           "userId",    "userName",    "responseId",
                                             "revision", "responseAnswer", "isReal",    "adjustPoint", "method",
                                             "saa",      "baselineWh",     "meteredWh", "reductionWh", "creditedWh",
                                             "quality",  "checkedAt",      "detail",    "_links"};

/// Every field of a resource as it is read: what of it a request does not ask for may be sent back, and changes
/// nothing.
names fields_of(resource what) {
  switch (what) {
  case resource::user:
    return user_fields;
  case resource::campaign:
    return campaign_fields;
  case resource::response:
    return response_fields;
  case resource::check:
    break;
  }
  return check_fields;
}

} // namespace

result<storage::create_user> decode_new_user(std::string_view body) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json, null_is::absent);
  storage::create_user made;
  fields.require("name");
  fields.require("capacity");
  made.name = fields.text("name", 1, max_name_characters).value_or("");
  made.capacity_w = fields.kilowatts("capacity", min_capacity_w, max_capacity_w).value_or(0);
  made.opening_points = fields.whole("point", 0, max_points).value_or(0);
  made.cust_no = fields.cust_no("custNo").value_or("");
  made.method = fields.named<baseline_method>("baselineMethod", parse_baseline_method, method_names);
  made.saa = fields.flag("saa");
  fields.ignore(fields_of(resource::user));
  if (auto fine = fields.finish(); !fine) return fine.error();
  return made;
}

result<storage::change_user> decode_user_change(std::string_view body, leniency how) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json);
  storage::change_user made;
  made.name = fields.text("name", 1, max_name_characters);
  made.capacity_w = fields.kilowatts("capacity", min_capacity_w, max_capacity_w);
  if (fields.is_null("custNo"))
    made.cust_no = "";
  else
    made.cust_no = fields.cust_no("custNo");
  made.method = fields.clearable("baselineMethod", [&] {
    return fields.named<baseline_method>("baselineMethod", parse_baseline_method, method_names);
  });
  made.saa = fields.clearable("saa", [&] { return fields.flag("saa"); });
  if (how == leniency::lenient) {
    fields.ignore(fields_of(resource::user));
  } else {
    fields.refuse({"id", "point", "enrolled", "owedPoints", "createdAt", "tokenCreatedAt", "_links"});
  }
  if (auto fine = fields.finish(); !fine) return fine.error();
  return made;
}

result<std::int64_t> decode_withdrawal(std::string_view body) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json);
  fields.require("amount");
  const auto amount = fields.whole("amount", 1, max_points);
  fields.ignore(fields_of(resource::user));
  if (auto fine = fields.finish(); !fine) return fine.error();
  return *amount;
}

result<campaign_order> decode_order(std::string_view body, time_point now) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json, null_is::absent);
  campaign_order made;
  fields.require("name");
  fields.require("type");
  made.name = fields.text("name", 1, max_name_characters).value_or("");
  made.type = fields.text("type", 1, max_type_characters).value_or("");
  made.ordered_at = fields.instant("date", true).value_or(now);
  made.starts_at = fields.instant("startsAt");
  made.ends_at = fields.instant("endsAt");
  made.respond_by = fields.instant("respondBy");
  made.order_w = fields.kilowatts("orderKw", 1, max_order_w);
  made.test = fields.flag("test").value_or(false);
  fields.ignore(fields_of(resource::campaign));
  if (auto fine = fields.finish(); !fine) return fine.error();
  return made;
}

result<campaign_edit> decode_campaign_edit(std::string_view body, leniency how) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json);
  campaign_edit made;
  made.change.name = fields.text("name", 1, max_name_characters);
  made.change.respond_by = fields.clearable("respondBy", [&] { return fields.instant("respondBy"); });
  made.change.ends_at = fields.clearable("endsAt", [&] { return fields.instant("endsAt"); });
  made.change.order_w = fields.clearable("orderKw", [&] { return fields.kilowatts("orderKw", 1, max_order_w); });
  const auto status =
      fields.named<campaign_status>("status", parse_campaign_status, "scheduled, running, end or canceled");
  made.end = status == campaign_status::end;
  made.canceled = status == campaign_status::canceled;
  if (how == leniency::lenient) {
    fields.ignore(fields_of(resource::campaign));
  } else {
    fields.refuse({"id", "type", "settlement", "date", "startsAt", "endedAt", "test", "warnings", "cancelReason",
                   "version", "_links"});
    if (made.canceled) fields.note("status", canceled_elsewhere);
    if (status == campaign_status::scheduled || status == campaign_status::running)
      fields.note("status", "is read-only but for end");
    if (made.end && json->members.size() > 1) fields.note("status", "goes alone when it ends the campaign");
  }
  if (auto fine = fields.finish(); !fine) return fine.error();
  return made;
}

result<std::string> decode_cancellation(std::string_view body) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json);
  fields.require("reason");
  const auto reason = fields.text("reason", 1, max_reason_characters);
  fields.ignore(fields_of(resource::campaign));
  if (auto fine = fields.finish(); !fine) return fine.error();
  return *reason;
}

result<answer> decode_answer(std::string_view body) {
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json);
  fields.require("answer");
  const auto choice = [](std::string_view text) {
    const auto value = parse_answer(text);
    return value == answer::ignore ? std::nullopt : value;
  };
  const auto value = fields.named<answer>("answer", choice, "accept or deny");
  fields.ignore(fields_of(resource::response));
  if (auto fine = fields.finish(); !fine) return fine.error();
  return *value;
}

result<void> decode_nothing(std::string_view body, resource about) {
  if (body.empty()) return {};
  const auto json = parse_json_object(body);
  if (!json) return json.error();
  field_reader fields(*json);
  fields.ignore(fields_of(about));
  return fields.finish();
}

} // namespace dr::http
