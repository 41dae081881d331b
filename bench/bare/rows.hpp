// The durable half of the bare server: rows from the loop, many in one transaction, without actors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace dr::bench {

struct bare_row {
  std::int64_t id = 0;  ///< of the response, or of the user who withdraws
  bool accept = true;   ///< the answer; meaningless for withdrawals
  std::string key = {}; ///< the withdrawal's Idempotency-Key
};

/// Makes a batch durable in one transaction, or throws.
using store_rows = std::function<void(std::span<const bare_row>)>;

/// By the product's own writer: what the same batched SQL gives without actors and front.
store_rows answers_by_the_writer(const std::string& url);
/// By one statement that changes the answers, the campaigns' counts, the event log and its counter: as lean as we can.
store_rows answers_by_one_statement(const std::string& url);
/// The same for withdrawals of one point each, every one with its key.
store_rows withdrawals_by_the_writer(const std::string& url);
/// One statement for the balances, the ledger, the keys and the events. One point each.
store_rows withdrawals_by_one_statement(const std::string& url);

} // namespace dr::bench
