// Pages of responses, which are given row by row while they are read.
#include "tests/storage/house.hpp"

#include <algorithm>

namespace dr::test {
namespace {

using numbers = std::vector<std::int64_t>;

/// A page's ids as they are given, and its end.
struct taken {
  numbers ids;
  result<page_end> end = page_end{};
};
taken take(reader& from, const response_filter& filter, const page_request& at) {
  taken all;
  all.end = from.each_response(filter, at, [&](const response& r) { all.ids.push_back(r.id.value); });
  return all;
}

/// A campaign of many users whose names fill more than a socket holds.
campaign crowded(house& s, int users) {
  s.postgres().run("INSERT INTO users (id,capacity_w,points,created_at,version,enrolled,name,cust_no) "
                   "SELECT n, 1000, 0, now(), 1, true, repeat('절전', 20), lpad(n::text, 10, '0') "
                   "FROM generate_series(1, " +
                   std::to_string(users) + ") n");
  return s.open();
}

} // namespace

TEST_CASE("a page is given row by row, in order, with what lies behind it", "[storage][pages]") {
  house s{DR_BOTH};
  for (int i = 0; i < 3; ++i) s.enrol("user");
  const auto first = s.open();
  const auto second = s.open();
  const auto whole = take(s.read(), {}, {.size = 4});
  CHECK(whole.ids == numbers{1, 2, 3, 4}); // of two campaigns, of which nothing was known
  CHECK(whole.end->total == 6);
  CHECK(whole.end->more);
  const auto behind = take(s.read(), {}, {.after = 4, .size = 4});
  CHECK(behind.ids == numbers{5, 6});
  CHECK_FALSE(behind.end->total);
  CHECK_FALSE(behind.end->more);
  CHECK(take(s.read(), {second.id, {}, {}}, {.number = 1, .size = 2}).ids == numbers{6});
  CHECK(take(s.read(), {first.id, {2}, {}}, {}).ids == numbers{2});
  CHECK(take(s.read(), {{}, {}, answer::accept}, {}).ids.empty());
}

TEST_CASE("rows of a campaign whose terms changed wait for them and keep their order", "[storage][pages]") {
  const int size = GENERATE(20, 1'000);
  house s{DR_BOTH};
  for (int i = 0; i < 2; ++i) s.enrol("user", 100'000);
  s.open();
  const auto changed = s.open();
  s.open();
  CHECK(take(s.read(), {}, {.size = size}).ids == numbers{1, 2, 3, 4, 5, 6}); // all are known now
  s.end(changed.id, noon(30));
  const auto all = s.read().responses({}, {.size = size}).value().items;
  REQUIRE(all.size() == 6);
  CHECK(std::ranges::is_sorted(all, {}, [](const response& r) { return r.id.value; }));
  for (const auto& r : all) CHECK(r == s.response_now(r.id));
  CHECK(all[2].expected_points < all[1].expected_points);
}

TEST_CASE("a large page knows what lies behind it", "[storage][postgres][pages]") {
  house s{kind::postgres};
  const auto c = crowded(s, 700);
  const auto first = take(s.read(), {c.id, {}, {}}, {.size = 400});
  CHECK(first.ids.size() == 400);
  CHECK(first.end->total == 700);
  CHECK(first.end->more);
  const auto second = take(s.read(), {c.id, {}, {}}, {.number = 1, .size = 400});
  CHECK(second.ids.size() == 300);
  CHECK_FALSE(second.end->more);
  const auto behind = take(s.read(), {c.id, {}, answer::ignore}, {.after = 300, .size = 400});
  REQUIRE(behind.ids.size() == 400);
  CHECK(behind.ids.front() == 301);
  CHECK(behind.ids.back() == 700);
  CHECK_FALSE(behind.end->more);
}

TEST_CASE("names of any characters come as they are", "[storage][postgres][pages]") {
  house s{kind::postgres};
  const std::vector<std::string> names{"tab\there",       "line\nbreak\r",  "back\\slash", "\\N",         "\\.",
                                       "ends with one\\", "\b\f\v\x01\x7f", "\"'$1'\"",    "한국 절전 ⚡", "\\t"};
  for (const auto& name : names) s.enrol(name);
  const auto c = s.open();
  for (const int size : {20, 1'000}) {
    CAPTURE(size);
    const auto all = s.read().responses({c.id, {}, {}}, {.size = size}).value().items;
    REQUIRE(all.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i) CHECK(all[i].user_name == names[i]);
  }
}

TEST_CASE("a page whose connection is lost half-way fails, and no row is given twice", "[storage][postgres][pages]") {
  house s{kind::postgres};
  constexpr int users = 20'000;
  const auto c = crowded(s, users);
  REQUIRE(take(s.read(), {c.id, {}, {}}, {.size = 1}).end); // its terms are known
  numbers given;
  const auto end = s.read().each_response({c.id, {}, {}}, {.size = users}, [&](const response& r) {
    given.push_back(r.id.value);
    if (given.size() == 1) s.postgres().end_connections();
  });
  REQUIRE_FALSE(end);
  CHECK(end.error().code == errc::store_unavailable);
  CHECK(given.size() < users);
  CHECK(std::ranges::adjacent_find(given, std::greater_equal{}) == given.end());
  const auto again = take(s.read(), {c.id, {}, {}}, {.size = users});
  REQUIRE(again.end);
  CHECK(again.ids.size() == users);
}

TEST_CASE("a page that the database breaks off fails, and the connection is good for the next",
          "[storage][postgres][pages]") {
  house s{kind::postgres};
  const auto c = crowded(s, 2'000);
  REQUIRE(take(s.read(), {c.id, {}, {}}, {.size = 1}).end);
  s.postgres().run("UPDATE response SET answered_at = 'infinity' WHERE user_id = 1500 RETURNING 1"); // is no number
  const auto spoilt = take(s.read(), {c.id, {}, {}}, {.size = 2'000});
  REQUIRE_FALSE(spoilt.end);
  CHECK(spoilt.end.error().code == errc::internal);
  CHECK(take(s.read(), {c.id, {}, {}}, {.size = 1'000}).end);
}

TEST_CASE("whoever takes rows may give up", "[storage][postgres][pages]") {
  house s{kind::postgres};
  const auto c = crowded(s, 2'000);
  REQUIRE(take(s.read(), {c.id, {}, {}}, {.size = 1}).end);
  const auto end = s.read().each_response({c.id, {}, {}}, {.size = 2'000},
                                          [](const response&) { throw std::runtime_error("no room"); });
  CHECK_FALSE(end);
  CHECK(take(s.read(), {c.id, {}, {}}, {.size = 2'000}).ids.size() == 2'000);
}

} // namespace dr::test
