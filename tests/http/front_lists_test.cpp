// Collections, names, statements and imports.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

#include <sstream>

namespace {

using namespace dr;
using namespace dr::test;

std::string import_of(int count, int from = 0) {
  std::string text = "name,capacity,custNo\r\n";
  for (int i = from; i < from + count; ++i) {
    auto number = std::to_string(1'000'000'000 + i);
    text += "site " + std::to_string(i) + ",10," + number + "\r\n";
  }
  return text;
}

json_answer import_list(front_world& world, const std::string& text, header_list headers = {}) {
  headers.emplace_back("Content-Type", "text/csv");
  return read_json(world.admin().post("/users/import", text, headers));
}

/// The path and query of an href.
std::string target_of(const json& href) {
  const auto text = href.get<std::string>();
  return text.substr(text.find('/', 8));
}

TEST_CASE("pages count, and next walks by keyset with the filters kept", "[http][front]") {
  front_world world;
  REQUIRE(import_list(world, import_of(104)).body["created"] == 104);
  const auto first = world.get("/users?page=0&size=20&q=SITE");
  CHECK(first.body["_embedded"]["users"].size() == 20);
  CHECK(first.body["page"] == json{{"size", 20}, {"totalElements", 104}, {"totalPages", 6}, {"number", 0}});
  CHECK(target_of(first.body["_links"]["self"]["href"]) == "/users?page=0&size=20&q=SITE");
  CHECK(target_of(first.body["_links"]["next"]["href"]) == "/users?q=SITE&after=20&size=20");
  CHECK_FALSE(first.body["_links"].contains("prev"));
  std::vector<int> seen;
  auto page = first;
  for (;;) {
    for (const auto& user : page.body["_embedded"]["users"]) seen.push_back(user["id"]);
    if (!page.body["_links"].contains("next")) break;
    page = world.get(target_of(page.body["_links"]["next"]["href"]));
    CHECK_FALSE(page.body["page"].contains("totalElements"));
  }
  REQUIRE(seen.size() == 104);
  for (int i = 0; i < 104; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i + 1);
  const auto last = world.get(target_of(first.body["_links"]["last"]["href"]));
  CHECK(last.body["_embedded"]["users"].size() == 4);
  CHECK(last.body["page"]["number"] == 5);
  CHECK(last.body["_links"].contains("prev"));
  CHECK_FALSE(last.body["_links"].contains("next"));
  CHECK(world.get("/users?page=6").body["_embedded"]["users"].empty());
  CHECK(world.get("/users?size=1000").body["_embedded"]["users"].size() == 104);
  CHECK(world.get("/users").body["_embedded"]["users"].size() == 20);
}

TEST_CASE("an empty collection still has its key", "[http][front]") {
  front_world world;
  for (const std::string name : {"users", "drs", "responses", "kepcos", "events"}) {
    const auto got = world.get("/" + name);
    CHECK(got.status == 200);
    CHECK(got.body["_embedded"][name] == json::array());
  }
}

TEST_CASE("the ledger is walked newest first", "[http][front]") {
  front_world world;
  world.enrol("a", 1, 1000);
  for (int i = 0; i < 5; ++i)
    world.call("POST", "/users/1/withdraw", {{"amount", i + 1}}, {{"Idempotency-Key", "k" + std::to_string(i)}});
  auto page = world.get("/users/1/ledger?size=2");
  std::vector<int> amounts;
  for (;;) {
    for (const auto& entry : page.body["_embedded"]["ledger"]) amounts.push_back(entry["amount"]);
    if (!page.body["_links"].contains("next")) break;
    page = world.get(target_of(page.body["_links"]["next"]["href"]));
  }
  CHECK(amounts == std::vector{-5, -4, -3, -2, -1, 1000});
}

TEST_CASE("the event log is walked without a gap", "[http][front]") {
  front_world world;
  for (int i = 0; i < 7; ++i) world.enrol("a");
  std::int64_t expected = 0;
  auto page = world.get("/events?size=3");
  for (;;) {
    for (const auto& event : page.body["_embedded"]["events"]) CHECK(event["seq"] == ++expected);
    if (!page.body["_links"].contains("next")) break;
    page = world.get(target_of(page.body["_links"]["next"]["href"]));
  }
  CHECK(expected >= 7);
}

TEST_CASE("Korean, emoji and 200-character names survive REST, list, statement and import", "[http][front]") {
  front_world world;
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += i % 2 ? "😀" : "한";
  const std::vector<std::string> names{"삼성전자 주식회사", "🏭⚡", longest, "a, \"b\" and c"};
  for (const auto& name : names) {
    const int id = world.enrol(name);
    CHECK(world.get("/users/" + std::to_string(id)).body["name"] == name);
  }
  CHECK(world.get("/users?q=%EC%82%BC%EC%84%B1").body["_embedded"]["users"].size() == 1);
  const int dr = world.start_campaign({{"name", longest}});
  CHECK(world.get("/drs/1").body["name"] == longest);
  for (const auto answer = world.get("/responses?drId=" + std::to_string(dr));
       const auto& response : answer.body["_embedded"]["responses"])
    CHECK(response["userName"] == names[response["userId"].get<std::size_t>() - 1]);
  const auto csv = world.nobody().get("/drs/1/statement.csv");
  CHECK(csv.body.find(longest) != std::string::npos);
  CHECK(csv.body.find("\"a, \"\"b\"\" and c\"") != std::string::npos);
  REQUIRE(import_list(world, "custNo,name,capacity\n7777777777," + longest + ",5\n").body["created"] == 1);
  CHECK(world.get("/users?page=4&size=1").body["_embedded"]["users"][0]["name"] == longest);
}

TEST_CASE("the statement has one row per user, more than one read brings", "[http][front]") {
  front_world world;
  REQUIRE(import_list(world, import_of(2500)).body["created"] == 2500);
  world.start_campaign();
  const auto csv = world.nobody().get("/drs/1/statement.csv");
  CHECK(csv.status == 200);
  CHECK(csv.header("Content-Type") == "text/csv; charset=utf-8");
  CHECK(std::count(csv.body.begin(), csv.body.end(), '\n') == 2501);
  CHECK(csv.body.starts_with("responseId,userId,userName,"));
}

TEST_CASE("an import enrols, updates and reports by line", "[http][front]") {
  front_world world;
  const auto first =
      import_list(world, "name,capacity,custNo,point\na,10,1111111111,50\nb,0,2222222222,\nc,20,333,\nd,30,,7\n");
  INFO(first.raw.body);
  CHECK(first.status == 200);
  CHECK(first.body["created"] == 2);
  CHECK(first.body["updated"] == 0);
  REQUIRE(first.body["errors"].size() == 2);
  CHECK(first.body["errors"][0]["line"] == 3);
  CHECK(first.body["errors"][0]["field"] == "capacity");
  CHECK(first.body["errors"][1]["field"] == "custNo");
  const auto second = import_list(world, "name,capacity,custNo,point\nA,15,1111111111,99\n");
  CHECK(second.body["created"] == 0);
  CHECK(second.body["updated"] == 1);
  const auto user = world.get("/users/1").body;
  CHECK(user["name"] == "A");
  CHECK(user["capacity"] == 15);
  CHECK(user["point"] == 50);
  CHECK(import_list(world, "name,colour\n").status == 400);
  CHECK(import_list(world, "").status == 400);
}

TEST_CASE("an import that broke off goes on where it stopped when it is sent again", "[http][front]") {
  front_world world;
  const header_list key{{"Idempotency-Key", "import-1"}};
  const auto text = import_of(5000);
  const auto broken = text.substr(0, text.size() / 2) + "\"x\"y\"";
  CHECK(import_list(world, broken, key).status == 400);
  CHECK(world.get("/users").body["page"]["totalElements"] == 2000);
  const auto whole = import_list(world, text, key);
  CHECK(whole.body["created"] == 5000);
  CHECK(world.get("/users").body["page"]["totalElements"] == 5000);
  CHECK(import_list(world, text, key).body == whole.body);
  CHECK(world.get("/users").body["page"]["totalElements"] == 5000);
  CHECK(import_list(world, import_of(10, 9000), key).status == 422);
  CHECK(import_list(world, import_of(4000), key).status == 422);
  CHECK(import_list(world, import_of(6000), key).status == 422);
  CHECK(world.get("/users").body["page"]["totalElements"] == 5000);
}

TEST_CASE("an import's key belongs to the whole list, wrong lines included, and to no other import", "[http][front]") {
  front_world world;
  const header_list key{{"Idempotency-Key", "i"}};
  const auto first = import_list(world, "name,capacity\nA,1\nbad,0\n", key);
  CHECK(first.body["created"] == 1);
  CHECK(import_list(world, "name,capacity\nA,1\nother,-7\n", key).status == 422);
  CHECK(import_list(world, "name,capacity\nA,1\nbad,0\n", key).body == first.body);
  // The chunks have keys of their own, which no client can name.
  CHECK(import_list(world, "name,capacity\nB,1\n", {{"Idempotency-Key", "i#1"}}).body["created"] == 1);
}

TEST_CASE("an import that breaks off on its way says what it has enrolled", "[http][front]") {
  front_world world;
  raw_client client(world.port());
  client.send("POST /users/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
              "Transfer-Encoding: chunked\r\n\r\n");
  const auto list = import_of(2500);
  std::ostringstream size;
  size << std::hex << list.size();
  client.send(size.str() + "\r\n" + list + "\r\n");
  const auto enrolled = [&] { return world.get("/users").body["page"]["totalElements"].get<int>(); };
  for (int looks = 0; enrolled() < 2000 && looks < 5000;) ++looks;
  REQUIRE(enrolled() == 2000);
  client.send("no size\r\n");
  const auto answer = client.read_to_end();
  CHECK(answer.find(" 400 ") != std::string::npos);
  CHECK(answer.find("Before it 2000 users were enrolled") != std::string::npos);
}

TEST_CASE("a list in another encoding is refused as a whole", "[http][front]") {
  front_world world;
  const auto import_as = [&](const std::string& type) {
    return world.admin().request("POST", "/users/import", "name,capacity\n\xC4\xAB\xC4\xAB,1\n",
                                 {{"Content-Type", type}});
  };
  for (const std::string type : {"text/csv; charset=euc-kr", "text/csv;header=present; Charset=\"CP949\"",
                                 "text/csv; charset", "text/csv; charset="})
    CHECK(import_as(type).status == 415);
  CHECK(world.get("/users").body["page"]["totalElements"] == 0);
  for (const std::string type : {"text/csv; charset=\"UTF-8\"", "text/csv ; charset=utf8", "text/csv;charset=US-ASCII"})
    CHECK(import_as(type).status == 200);
}

TEST_CASE("names are found whichever way Hangul is composed, and by their owners as by the admin", "[http][front]") {
  front_world world({auth_mode::token, {}});
  world.enrol("삼성전자");
  const std::string letters = "/users?q=%E1%84%89%E1%85%A1%E1%86%B7"; // 삼 in its three letters
  CHECK(world.get(letters).body["page"]["totalElements"] == 1);
  CHECK(read_json(world.with_token(world.token_of(1)).get(letters)).body["page"]["totalElements"] == 1);
  world.enrol("ＬＧ화학");
  CHECK(
      read_json(world.with_token(world.token_of(2)).get("/users?q=%EF%BD%8C%EF%BD%87")).body["page"]["totalElements"] ==
      1); // ｌｇ
}

TEST_CASE("a repeated import whose key runs out on the way is told so", "[http][front]") {
  front_world world({auth_mode::off, [](settings& s) { s.metering.collect_history = false; }});
  const header_list key{{"Idempotency-Key", "nightly"}};
  REQUIRE(import_list(world, "name,capacity\na,1\n", key).status == 200);
  raw_client client(world.port());
  const std::string list = "name,capacity\nb,2\n";
  client.send("POST /users/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nConnection: close\r\n"
              "Idempotency-Key: nightly\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(list.size()) + "\r\n\r\n");
  client.read_until("100 Continue\r\n\r\n"); // the key has been looked up
  world.clock().advance(25h);
  client.send(list);
  const auto refused = client.read_to_end();
  CHECK(refused.find(" 503 ") != std::string::npos);
  CHECK(refused.find("send it again") != std::string::npos);
  CHECK(world.get("/users").body["page"]["totalElements"] == 1);
  CHECK(import_list(world, list, key).body["created"] == 1);
}

} // namespace
