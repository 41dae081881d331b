#include "http/codecs/commands.hpp"
#include "http/codecs/entities.hpp"
#include "http/codecs/etag.hpp"
#include "http/codecs/import_csv.hpp"
#include "http/codecs/json_reader.hpp"
#include "http/codecs/numbers.hpp"
#include "http/codecs/problem.hpp"
#include "http/codecs/push_codec.hpp"
#include "http/codecs/queries.hpp"
#include "http/codecs/statement_csv.hpp"
#include "http/codecs/text.hpp"
#include "http/idempotency.hpp"
#include "http/tokens.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {

using namespace dr;
using namespace dr::http;
using json = nlohmann::json;

std::vector<std::string> pointers(const error& why) {
  std::vector<std::string> out;
  for (const auto& f : why.fields) out.push_back(f.pointer);
  return out;
}
using names = std::vector<std::string>;

TEST_CASE("kilowatts are exact to the watt in both directions", "[http][codecs]") {
  for (const auto& [text, watts] : std::vector<std::pair<std::string, std::int64_t>>{{"400", 400'000},
                                                                                     {"0.125", 125},
                                                                                     {"1000000", 1'000'000'000},
                                                                                     {"400.5", 400'500},
                                                                                     {"0.001", 1},
                                                                                     {"-0.005", -5}}) {
    CHECK(parse_thousandths(text) == watts);
    CHECK(format_kilowatts(watts) == text);
  }
  CHECK(parse_thousandths("4e2") == 400'000);
  CHECK(parse_thousandths("1.25E-1") == 125);
  CHECK(parse_thousandths("0.1230") == 123);
  CHECK_FALSE(parse_thousandths("0.0001"));
  CHECK_FALSE(parse_thousandths("1e300"));
  CHECK_FALSE(parse_thousandths("abc"));
  CHECK(format_kilowatts(INT64_MIN) == "-9223372036854775.808");
}

TEST_CASE("JSON from strangers is bounded and without repeated names", "[http][codecs]") {
  CHECK(parse_json(R"({"a":[1,2.50,null,true,"x"]})").has_value());
  CHECK(parse_json(R"({"a":2.50})")->find("a")->text == "2.50");
  CHECK(parse_json(std::string(17, '[') + std::string(17, ']')).error().code == errc::malformed);
  CHECK(parse_json(R"({"a":1,"a":2})").error().detail.find("twice") != std::string::npos);
  CHECK(parse_json("{\"a\":\"\xC3\x28\"}").error().code == errc::malformed);
  CHECK(parse_json("{\"a\":\"\\ud800\"}").error().code == errc::malformed);
  CHECK(parse_json("{} {}").error().code == errc::malformed);
  CHECK(parse_json(std::string("{}\0 and more", 11)).error().code == errc::malformed);
  CHECK(parse_json(std::string("{}\0", 3)).error().code == errc::malformed);
  const std::string long_name(1'000, 'n');
  CHECK(parse_json("{\"" + long_name + "\":1,\"" + long_name + "\":1}").error().detail.size() < 200);
  CHECK(parse_json("{\"a\":1").error().code == errc::malformed);
  CHECK(parse_json_object("[1]").error().code == errc::malformed);
  CHECK(parse_json_object("").error().code == errc::malformed);
  std::string wide = "[0";
  for (int i = 0; i < 300; ++i) wide += ",0";
  CHECK(parse_json(wide + "]").error().code == errc::malformed);
}

TEST_CASE("all wrong fields are reported at once, with their pointers", "[http][codecs]") {
  const auto wrong =
      decode_new_user(R"({"capacity":0,"point":-1,"custNo":"12","baselineMethod":"best","saa":1,"x/y":1})");
  REQUIRE(wrong.has_error());
  CHECK(pointers(wrong.error()) ==
        names{"/name", "/capacity", "/point", "/custNo", "/baselineMethod", "/saa", "/x~1y"});
  CHECK(wrong.error().fields[1].detail == "must be between 1 and 1000000");
}

TEST_CASE("a wrong name is repeated in short", "[http][codecs]") {
  std::string name;
  for (int i = 0; i < 10'000; ++i) name += "감";
  const auto wrong = decode_nothing("{\"" + name + "\":1}", resource::user);
  REQUIRE(wrong.has_error());
  CHECK(wrong.error().fields[0].pointer.size() < 120);
  CHECK(valid_utf8(wrong.error().fields[0].pointer));
  CHECK(wrong.error().detail.size() < 200);
}

TEST_CASE("a command takes the resource it is sent to as it was read, and no other", "[http][codecs]") {
  const std::string origin = "http://host";
  const auto written = [&](const auto& row, auto write) {
    std::string text;
    json_writer out(text);
    write(out, row, &origin);
    return text;
  };
  campaign c;
  c.cancel_reason = "x";
  c.warnings = {"short notice"};
  CHECK(decode_nothing(written(user{}, write_user), resource::user).has_value());
  CHECK(decode_nothing(written(c, write_campaign), resource::campaign).has_value());
  CHECK(decode_nothing(written(response{}, write_response), resource::response).has_value());
  CHECK(decode_nothing(written(reduction_check{}, write_check), resource::check).has_value());
  CHECK(decode_nothing("", resource::campaign).has_value());
  CHECK(decode_nothing(R"({"id":1,"status":"running","endsAt":null,"_links":{}})", resource::campaign).has_value());
  CHECK(decode_nothing(R"({"userCapacity":400,"answer":"deny"})", resource::response).has_value());
  CHECK(decode_nothing(R"({"baselineWh":1,"revision":1})", resource::check).has_value());
  CHECK(decode_nothing(R"({"point":1,"custNo":null})", resource::user).has_value());
  CHECK(decode_nothing(R"({"drId":1})", resource::user).has_error());
  CHECK(decode_nothing(R"({"answer":"deny"})", resource::campaign).has_error());
  CHECK(decode_cancellation(R"({"reason":"x","id":1,"name":"n","status":"running"})").value() == "x");
  CHECK(decode_cancellation(R"({"reason":"x","amount":1})").has_error());
  CHECK(decode_withdrawal(R"({"amount":5,"id":1,"point":9})").value() == 5);
}

TEST_CASE("a name is counted in characters, not bytes", "[http][codecs]") {
  std::string emoji;
  for (int i = 0; i < 200; ++i) emoji += "😀";
  const auto body = [](const std::string& name) { return json{{"name", name}, {"capacity", 400}}.dump(); };
  CHECK(decode_new_user(body(emoji))->name == emoji);
  CHECK(decode_new_user(body(emoji + "!")).has_error());
  CHECK(decode_new_user(body("")).has_error());
  CHECK(decode_new_user(body("a\nb")).has_error());
  CHECK(decode_new_user(body("한국전력")).has_value());
}

TEST_CASE("POST and PUT ignore what was read, PATCH refuses it", "[http][codecs]") {
  user u;
  u.id = user_id{7};
  u.name = "samsung";
  u.capacity_w = 400'000;
  std::string text;
  json_writer out(text);
  const std::string origin = "http://host";
  write_user(out, u, &origin);
  CHECK(decode_new_user(text).has_value());
  const auto change = decode_user_change(text, leniency::lenient);
  REQUIRE(change.has_value());
  CHECK(change->capacity_w == 400'000);
  CHECK(change->cust_no == "");
  const auto refused = decode_user_change(text, leniency::strict);
  REQUIRE(refused.has_error());
  CHECK(pointers(refused.error()) ==
        names{"/id", "/point", "/enrolled", "/owedPoints", "/createdAt", "/tokenCreatedAt", "/_links"});
  const auto partial = decode_user_change(R"({"saa":null})", leniency::strict);
  REQUIRE(partial.has_value());
  CHECK_FALSE(partial->name);
  REQUIRE(partial->saa);
  CHECK_FALSE(*partial->saa);
  CHECK(decode_user_change(R"({"name":null})", leniency::lenient).has_error());
}

TEST_CASE("a plain date means that day's start in Korea", "[http][codecs]") {
  const auto now = *parse_rfc3339("2026-07-01T04:50:00Z");
  const auto order = decode_order(R"({"name":"n","type":"reliable","date":"2026-11-22"})", now);
  REQUIRE(order.has_value());
  CHECK(format_rfc3339(order->ordered_at) == "2026-11-21T15:00:00Z");
  CHECK(decode_order(R"({"name":"n","type":"reliable"})", now)->ordered_at == now);
  CHECK(decode_order(R"({"name":"n","type":"reliable","startsAt":"2026-11-22"})", now).has_error());
  CHECK(decode_order(R"({"name":"n","type":"reliable","date":"2026-13-22"})", now).has_error());
  CHECK(decode_order(R"({"name":"n","type":"reliable","status":"running","id":4,"_links":{}})", now).has_value());
}

TEST_CASE("a campaign is ended by its status, which goes alone in a PATCH", "[http][codecs]") {
  CHECK(decode_campaign_edit(R"({"status":"end"})", leniency::strict)->end);
  CHECK(decode_campaign_edit(R"({"id":1,"name":"n","status":"end"})", leniency::lenient)->end);
  CHECK(decode_campaign_edit(R"({"name":"n","status":"end"})", leniency::strict).has_error());
  CHECK(decode_campaign_edit(R"({"status":"canceled"})", leniency::strict).has_error());
  CHECK(decode_campaign_edit(R"({"status":"canceled"})", leniency::lenient)->canceled); // as it was read, perhaps
  CHECK(decode_campaign_edit(R"({"status":"bogus"})", leniency::lenient).has_error());
  const auto change = decode_campaign_edit(R"({"respondBy":null,"orderKw":1.5})", leniency::strict);
  REQUIRE(change.has_value());
  CHECK(change->change.respond_by == std::optional<std::optional<time_point>>(std::in_place, std::nullopt));
  CHECK(change->change.order_w == std::optional<std::optional<std::int64_t>>(std::in_place, 1500));
  CHECK_FALSE(change->change.ends_at);
}

TEST_CASE("query parameters are strict and named in the error", "[http][codecs]") {
  request_context request;
  REQUIRE(request.parse_target("/users?size=1001&page=-1&bogus=1&enrolled=maybe&q=a&q=b").has_value());
  query_reader query(request);
  query.text("q", 200);
  query.flag("enrolled");
  query.page();
  CHECK(pointers(query.finish().error()) == names{"q", "enrolled", "size", "page", "bogus"});
}

TEST_CASE("entity tags are strong and carry the version", "[http][codecs]") {
  CHECK(make_etag(7) == "\"7\"");
  CHECK(make_etag(7, "a") != make_etag(7, "b"));
  CHECK(none_match_hits("\"1\", W/\"7\"", "\"7\""));
  CHECK(none_match_hits("*", "\"7\""));
  CHECK_FALSE(none_match_hits("\"8\"", "\"7\""));
  CHECK(expected_version("\"7\"").value() == 7);
  CHECK(expected_version(make_etag(9, "derived")).value() == 9);
  CHECK_FALSE(expected_version("*").value());
  CHECK(expected_version("W/\"7\"").error().code == errc::version_conflict);
  CHECK(expected_version("\"abc\"").error().code == errc::version_conflict);
  CHECK(expected_version("7").error().code == errc::version_conflict);
  CHECK(expected_version("\"1\", \"2\"").error().code == errc::invalid);
}

TEST_CASE("a problem names its type, status, instance and fields, and keeps internals to itself", "[http][codecs]") {
  const auto shown =
      json::parse(to_json(problem_of(invalid_field("/capacity", "must be between 1 and 1000000")), "/users"));
  CHECK(shown["type"] == "/problems/invalid");
  CHECK(shown["status"] == 400);
  CHECK(shown["instance"] == "/users");
  CHECK(shown["message"] == shown["detail"]);
  CHECK(shown["errors"][0]["pointer"] == "/capacity");
  CHECK(to_json(problem_of(fail(errc::internal, "SELECT secret FROM t")), "/").find("SELECT") == std::string::npos);
  CHECK(problem_of(fail(errc::version_conflict)).status == 412);
  CHECK(problem_of(fail(errc::key_reused)).status == 422);
  CHECK(problem_of(fail(errc::insufficient_points)).status == 409);
  CHECK(problem_of(fail(errc::outcome_unknown)).status == 503);
}

TEST_CASE("text in JSON is escaped, and broken UTF-8 never leaves", "[http][codecs]") {
  std::string text;
  append_json_string(text, "\"\\\n\x01\x7F한😀\xFF\xC3");
  CHECK(text == "\"\\\"\\\\\\n\\u0001\\u007f한😀\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(json::parse(text).is_string());
  std::string ends;
  append_json_string(ends, "\xED\xA0\x80한\xED");
  CHECK(ends == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD한\xEF\xBF\xBD\"");
}

TEST_CASE("JSON that is put together from pieces is one value among others", "[http][codecs]") {
  std::string text;
  json_writer out(text);
  out.begin_object().field("least", INT64_MIN).key("ids").begin_array();
  out.raw({"1", "2"}).raw({"", "3"}).value(std::uint64_t{UINT64_MAX}).end_array().field("name", "").end_object();
  CHECK(text == R"({"least":-9223372036854775808,"ids":[12,3,18446744073709551615],"name":""})");
}

TEST_CASE("a statement's texts are quoted and never run as formulas", "[http][codecs]") {
  const auto field = [](std::string_view text) {
    std::string out;
    append_csv_text(out, text);
    return out;
  };
  CHECK(field("plain 한") == "plain 한");
  CHECK(field("a,b") == "\"a,b\"");
  CHECK(field("say \"hi\"\n") == "\"say \"\"hi\"\"\n\"");
  CHECK(field("=SUM(A1)") == "'=SUM(A1)");
  CHECK(field("@x,y") == "\"'@x,y\"");
  storage::statement_row row;
  row.response.id.value = 1;
  std::string line;
  append_statement_row(line, row);
  const auto columns = [](const std::string& of) { return std::count(of.begin(), of.end(), ','); };
  CHECK(columns(line) == columns(statement_header()));
  row.check.emplace();
  row.check->reduction_wh = -5;
  line.clear();
  append_statement_row(line, row);
  CHECK(columns(line) == columns(statement_header()));
  CHECK(line.find(",-5,") != std::string::npos);
}

std::vector<storage::import_row> import_in_pieces(const std::string& text, std::size_t piece, import_reader& reader) {
  for (std::size_t at = 0; at < text.size(); at += piece)
    REQUIRE(reader.feed(std::string_view(text).substr(at, piece)).has_value());
  REQUIRE(reader.finish().has_value());
  return reader.rows();
}

TEST_CASE("a customer list is read the same in pieces of any size", "[http][codecs]") {
  const std::string text = "\xEF\xBB\xBF"
                           "capacity,name,custNo,saa\r\n400,\"삼성, 전자\",0000000001,true\r\n\r\n"
                           "0.5,small,,\n300.125,\"two\nlines\",0000000002,\nx\n500,\"a \"\"b\"\"\",0000000003,false";
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    import_reader reader;
    const auto rows = import_in_pieces(text, piece, reader);
    INFO("pieces of " << piece);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == "삼성, 전자");
    CHECK(rows[0].capacity_w == 400'000);
    CHECK(rows[0].line == 2);
    CHECK(rows[0].saa == true);
    CHECK(rows[1].name == "a \"b\"");
    CHECK(rows[1].line == 8);
    REQUIRE(reader.errors().size() == 3);
    CHECK(reader.errors()[0].line == 4);
    CHECK(reader.errors()[0].field == "capacity");
    CHECK(reader.errors()[1].line == 5);
    CHECK(reader.errors()[1].field == "name");
    CHECK(reader.errors()[2].line == 7);
  }
}

TEST_CASE("a customer list with a wrong header, endless row or broken quoting is refused", "[http][codecs]") {
  const auto failure = [](const std::string& text) {
    import_reader reader;
    if (auto fed = reader.feed(text); !fed) return fed.error().code;
    return reader.finish().error().code;
  };
  CHECK(failure("name,capacity,colour\n") == errc::invalid);
  CHECK(failure("name,custNo\n") == errc::invalid);
  CHECK(failure("name,name,capacity\n") == errc::invalid);
  CHECK(failure("") == errc::malformed);
  CHECK(failure("name,capacity\na\"b,4\n") == errc::malformed);
  CHECK(failure("name,capacity\n\"open,4\n") == errc::malformed);
  CHECK(failure("name,capacity\n" + std::string(20'000, 'x')) == errc::malformed);
}

TEST_CASE("live messages are JSON in the documented shapes", "[http][codecs]") {
  const push_codec codec;
  campaign c;
  c.id.value = 3;
  c.name = "발령 😀";
  response r;
  r.id.value = 9;
  r.expected_points = 400;
  const auto alert = json::parse(codec.alert_head(actors::campaign_notice_kind::started, c) + codec.alert_tail(r));
  CHECK(alert["type"] == "campaign.started");
  CHECK(alert["campaign"]["name"] == "발령 😀");
  CHECK(alert["response"]["expectedPoints"] == 400);
  CHECK(json::parse(codec.campaign_message(actors::campaign_notice_kind::canceled, c))["type"] == "campaign.canceled");
  CHECK(json::parse(codec.response_changed(r))["response"]["id"] == 9);
  CHECK(json::parse(codec.reduction_checked({}))["check"]["isReal"] == false);
  CHECK(json::parse(codec.point_changed(user_id{4}, 12, {}))["point"] == 12);
  CHECK(json::parse(codec.admin_event({1, {}, "DRstarted", {}, {}, {}, "{}"}))["event"]["seq"] == 1);
  CHECK(json::parse(codec.admin_summary(c))["summary"]["drId"] == 3);
}

TEST_CASE("an answer is kept and read back whole", "[http][codecs]") {
  auto made = make_reply(201, "application/hal+json", "{\"name\":\"한 \\\"x\\\"\"}");
  made.with("Location", "http://host/users/1").with("ETag", "\"1\"");
  const auto again = unpack(pack(made));
  REQUIRE(again.has_value());
  CHECK(again->status == 201);
  CHECK(again->body == made.body);
  CHECK(again->headers == made.headers);
  CHECK(again->content_type == made.content_type);
  CHECK(unpack("rubbish").has_error());
}

TEST_CASE("tokens are random, hashed, and sealed answers open only with their secret", "[http][codecs]") {
  CHECK(may_be_customer_token(new_customer_token()));
  for (const auto& wrong : {std::string{}, std::string("drc_"), new_admin_token(), new_customer_token() + "x"})
    CHECK_FALSE(may_be_customer_token(wrong));
  CHECK(new_customer_token() != new_customer_token());
  CHECK(new_customer_token().starts_with("drc_"));
  CHECK(hash_hex("a").size() == 64);
  CHECK(hash_hex("a") != hash_hex("b"));
  const auto sealed = seal("the token", "secret");
  CHECK(sealed.find("token") == std::string::npos);
  CHECK(unseal(sealed, "secret").value() == "the token");
  CHECK(unseal(sealed, "other").has_error());
  CHECK(unseal("zz", "secret").has_error());
}

TEST_CASE("lines of a customer list may end in any of the three ways", "[http][codecs]") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto text = "name,capacity" + end + "a,1" + end + end + "\"b" + end + "c\",0" + end + "d,0" + end + "e,5";
    for (const std::size_t piece : {1U, 2U, 1000U}) {
      import_reader reader;
      const auto rows = import_in_pieces(text, piece, reader);
      INFO("pieces of " << piece << ", " << end.size() << " characters at the end");
      REQUIRE(rows.size() == 2);
      CHECK(rows[0].line == 2);
      CHECK(rows[1].line == 7);
      std::vector<int> lines;
      for (const auto& one : reader.errors()) lines.push_back(one.line);
      CHECK(lines == std::vector<int>{4, 4, 6}); // the name of two lines, its capacity, and d's
    }
  }
  import_reader long_list;
  std::string text = "name,capacity\r";
  for (int i = 0; i < 5000; ++i) text += "site " + std::to_string(i) + ",1\r";
  CHECK(import_in_pieces(text, 4096, long_list).size() == 5000);
}

TEST_CASE("Hangul is one text, whichever way a device composes it", "[http][codecs]") {
  const std::string whole = "삼성전자";
  const std::string letters = "\u1109\u1161\u11B7\u1109\u1165\u11BC\u110C\u1165\u11AB\u110C\u1161";
  CHECK(letters != whole);
  CHECK(composed(letters, 4) == whole);
  CHECK(composed(whole, 4) == whole);
  CHECK(composed("plain", 5) == "plain");
  CHECK(composed("\xFF broken", 8) == "\xFF broken"); // what is no UTF-8 is refused elsewhere
  CHECK(composed(letters, 1) == letters);             // far too long, and not worth the time
  const auto user = decode_new_user(json{{"name", letters}, {"capacity", 1}}.dump());
  REQUIRE(user.has_value());
  CHECK(user->name == whole);
  import_reader reader;
  CHECK(import_in_pieces("name,capacity\n" + letters + ",1\n", 1000, reader).at(0).name == whole);
}

TEST_CASE("case is folded in every script", "[http][codecs]") {
  CHECK(folded("ＬＧ화학 École") == folded("ｌｇ화학 éCOLE"));
  CHECK(folded("LG") != folded("LC"));
}

TEST_CASE("a name that nobody can see is none", "[http][codecs]") {
  for (const std::string name : {" ", "\u00A0", "\u3000 \u200B", "\uFEFF", "\u3164", "\u115F\uFE0F", "\u2800"}) {
    INFO(name.size() << " bytes");
    CHECK(is_blank(name));
    const auto user = decode_new_user(json{{"name", name}, {"capacity", 1}}.dump());
    REQUIRE_FALSE(user.has_value());
    CHECK(user.error().fields.at(0).pointer == "/name");
    CHECK(user.error().fields.at(0).detail == "must not be blank");
    import_reader reader;
    CHECK(import_in_pieces("name,capacity\n\"" + name + "\",1\n", 1000, reader).empty());
    CHECK(reader.errors().size() == 1);
  }
  CHECK_FALSE(is_blank(" 1 "));
  CHECK_FALSE(is_blank("😀"));
  import_reader reader;
  CHECK(import_in_pieces("name,capacity\n a b ,1\n", 1000, reader).at(0).name == "a b");
}

} // namespace
