// Changes of several tables that go to the server as one statement. Round trips are most of a small batch's time.
#pragma once

#include "storage/postgres/connection.hpp"

#include <optional>
#include <vector>

namespace dr::storage {

class bundle {
public:
  /// Adds an INSERT, UPDATE or DELETE without RETURNING. The parts of a bundle are carried out in this order, but see
  /// nothing of each other: no two may touch the same row. `count`: so many rows must be changed, or the statement
  /// fails with sqlstate::changed_meanwhile and `why` (without quotes).
  void add(const statement& what, parameters values, std::optional<std::size_t> count = {}, const char* why = "");
  bool empty() const noexcept { return parts_.empty(); }
  /// Carries all out and forgets them.
  void run(connection& over, pqxx::transaction_base& in);
  /// The same, with common table expressions (not beginning with WITH) and columns made of them. Returns the one named
  /// `number`, a bigint.
  std::int64_t run_with(connection& over, pqxx::transaction_base& in, const statement& last, parameters values,
                        const char* columns);

private:
  struct part {
    const statement* what = nullptr;
    parameters values;
    std::optional<std::size_t> count;
    const char* why = "";
  };
  std::vector<part> parts_;
};

} // namespace dr::storage
