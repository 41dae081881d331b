// Planted bugs, one of each class that the judge must catch: a server that has one is a mutant. They are put around the
// real database, so that everything else is the product as it is.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dr::chaos {

enum class mutant : unsigned char {
  lost_commit,    ///< now and then an answer is acknowledged and not written
  double_credit,  ///< now and then points are credited a second time, ledger entry and all
  skipped_alert,  ///< now and then one user of a campaign is not alerted
  wrong_count,    ///< now and then an accept is counted twice
  forgotten_event ///< now and then the log lacks an event
};
std::optional<mutant> parse_mutant(std::string_view name) noexcept;

/// `url`: of the same database, for bugs that need SQL.
std::shared_ptr<storage::database> mutated(std::shared_ptr<storage::database> real, mutant which, std::string url);

} // namespace dr::chaos
