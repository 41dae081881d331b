// What every storage test stands on: a fresh store of either kind, and short ways to write and read.
#pragma once

#include "storage/memory/memory_database.hpp"
#include "storage/postgres/postgres_database.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace dr::test {

using namespace dr::storage;

enum class kind { memory, postgres };

/// A database of its own in the server that DR_TEST_DATABASE_URL names, dropped at the end. Fails the test when the
/// variable is not set.
class test_database {
public:
  test_database();
  ~test_database();
  test_database(const test_database&) = delete;
  test_database& operator=(const test_database&) = delete;
  const std::string& url() const noexcept { return url_; }
  const std::string& name() const noexcept { return name_; }
  /// Runs SQL of a test in it; the first column of the first row.
  std::string run(const std::string& sql) const;
  /// Ends every connection to it from the server's side.
  void end_connections() const;
  /// An address with further libpq options.
  static std::string with(std::string url, const std::string& name, const std::string& value);

private:
  std::string name_;
  std::string url_;
};

/// 2026-07-01 14:00 in Korea, a Wednesday; everything in the tests happens around it.
time_point noon(std::int64_t minutes_later = 0);
programme_terms terms();
/// A running campaign without an end.
campaign planned(const std::string& name = "dr for test");
day_profile profile(std::int32_t wh);

class house {
public:
  explicit house(kind which);
  database& db() { return *db_; }
  memory_database* memory() { return memory_.get(); }
  const test_database& postgres() const { return *postgres_; }
  std::int64_t epoch() const noexcept { return epoch_; }

  writer& on(lane which) { return which == lane::hot ? *hot_ : *bulk_; }
  reader& read() { return *reader_; }
  /// A batch of plain changes on the lane of the first.
  committed batch(std::vector<change> changes);
  committed batch(const std::string& id, const std::vector<write>& writes, lane which = lane::hot);
  result<written> attempt(change what, std::shared_ptr<const keyed_request> keyed = {});
  template <class T> T must(change what) {
    auto outcome = attempt(std::move(what));
    if (!outcome) FAIL("refused: " << to_string(outcome.error().code) << " " << outcome.error().detail);
    REQUIRE(std::holds_alternative<T>(*outcome));
    return std::get<T>(std::move(*outcome));
  }
  errc refused(change what);
  std::string next_id();

  user enrol(const std::string& name, std::int64_t capacity_w = 400'000, std::int64_t points = 1000,
             const std::string& cust_no = {});
  campaign open(campaign what = planned());
  campaign end(campaign_id id, time_point at = noon(60));
  campaign freeze(campaign_id id, time_point at = noon(60));
  check_settled settle(response_id of, std::int64_t points, bool real = true, int revision = 1);
  user user_now(user_id id) { return read().find_user(id).value(); }
  campaign campaign_now(campaign_id id) { return read().find_campaign(id).value(); }
  response response_now(response_id id) { return read().find_response(id).value().response; }
  std::vector<event> events(event_filter filter = {});
  std::vector<std::string> event_types();
  std::vector<ledger_entry> ledger_of(user_id id);

  /// What must be true of every store at any time: event numbers without gaps, counts that equal the rows, balances
  /// that equal the ledger, and events that tell how every answer and balance came about.
  void holds();

private:
  void counts_hold(const campaign& c, const std::vector<response>& responses);
  void balances_hold(const std::vector<user>& users, const std::vector<event>& log);

  std::unique_ptr<test_database> postgres_;
  std::shared_ptr<memory_database> memory_;
  std::unique_ptr<database> owned_;
  database* db_ = nullptr;
  std::int64_t epoch_ = 0;
  std::unique_ptr<writer> hot_;
  std::unique_ptr<writer> bulk_;
  std::unique_ptr<reader> reader_;
  int batches_ = 0;
};

/// A check as verification would make it.
reduction_check check_of(response_id of, std::int64_t points, bool real, int revision);
std::shared_ptr<keyed_request> keyed(const std::string& key, const std::string& body_hash = "h1");

/// Both kinds of store, one after the other.
#define DR_BOTH GENERATE(dr::test::kind::memory, dr::test::kind::postgres)

} // namespace dr::test

/// How Catch shows a result: what matters of a failed one is its code.
template <class T> struct Catch::StringMaker<boost::system::result<T, dr::error>> {
  static std::string convert(const boost::system::result<T, dr::error>& shown) {
    if (shown) return "a value";
    return std::string("the error ") + dr::to_string(shown.error().code) + ": " + shown.error().detail;
  }
};
template <> struct Catch::StringMaker<dr::errc> {
  static std::string convert(dr::errc code) { return dr::to_string(code); }
};
