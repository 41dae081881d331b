// The flat JSON that KEPCO's answers are read from: texts as they came, and nothing that is not whole and sound.
#include "kepco/json_text.hpp"

#include <catch2/catch.hpp>

using namespace dr::kepco;
using kind = json_text::kind;

namespace {

std::string_view text_at(const json_document& in, std::string_view field) {
  const auto* found = in.root().find(field);
  REQUIRE(found != nullptr);
  return found->text;
}

} // namespace

TEST_CASE("strings and numbers keep their text", "[kepco][json]") {
  const std::string body =
      R"({"a":"0.10","b":0.10,"c":12345678901234567890123,"d":1e3,"이름":"서울 \"1\"\nA\uAC00","e":""})";
  const auto got = parse_json_text(body);
  REQUIRE(got);
  CHECK(text_at(*got, "a") == "0.10");
  CHECK(text_at(*got, "b") == "0.10");
  CHECK(text_at(*got, "c") == "12345678901234567890123");
  CHECK(text_at(*got, "d") == "1e3");
  CHECK(text_at(*got, "이름") == "서울 \"1\"\nA가");
  CHECK(text_at(*got, "e").empty());
  CHECK(got->root().find("f") == nullptr);
}

TEST_CASE("what is nested is stepped over, and of a repeated name the last one counts", "[kepco][json]") {
  const std::string body = R"({"list":[{"x":1},[2,[]],null,true,"t"],"x":"2","x":"3"})";
  auto parsed = parse_json_text(body);
  REQUIRE(parsed);
  const auto got = std::move(*parsed); // what points into it stays right
  CHECK(text_at(got, "x") == "3");
  std::vector<kind> kinds;
  for (const auto& one : *got.root().find("list")) kinds.push_back(one.what);
  CHECK(kinds == std::vector{kind::object, kind::array, kind::null, kind::boolean, kind::text});
  const auto* inner = (*got.root().find("list")->begin()).find("x");
  REQUIRE(inner != nullptr);
  CHECK(inner->text == "1");
}

TEST_CASE("what is cut off, goes on, nests too deep or is not UTF-8 is no document", "[kepco][json]") {
  const std::string whole = R"({"a":[{"b":"\u00e9","c":-1.5e2}],"d":null})";
  REQUIRE(parse_json_text(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(parse_json_text(std::string_view(whole).substr(0, n)));
  CHECK_FALSE(parse_json_text(whole + "x"));
  CHECK_FALSE(parse_json_text(whole + whole));
  CHECK(parse_json_text("\xEF\xBB\xBF" + whole));
  CHECK_FALSE(parse_json_text("\xEF\xBB\xBF"));
  CHECK(parse_json_text("[[[1]]]", 3));
  CHECK_FALSE(parse_json_text("[[[[1]]]]", 3));
  CHECK_FALSE(parse_json_text("{\"a\":\"\xff\"}"));
  CHECK_FALSE(parse_json_text("{\"a\":\"\xed\xa0\x80\"}"));
  for (const char* bad : {"{a:1}", "{'a':1}", "[1,]", "[01]", "[NaN]", "// no\n1", "\"\\x\"", "[\"\n\"]"})
    CHECK_FALSE(parse_json_text(bad));
}
