// The store in PostgreSQL.
#pragma once

#include "storage/store.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace dr::storage {

struct postgres_options {
  std::string url;                                     ///< libpq URI or keyword string; holds a password: never logged
  std::chrono::milliseconds statement_timeout{10'000}; ///< of one statement of the hot lane and of readers
  std::chrono::milliseconds bulk_statement_timeout{300'000}; ///< of the bulk lane and of migrations
  std::chrono::seconds connect_timeout{5};
  std::string application_name = "drplatform";
};

/// What is wrong with such an address, without quoting from it; nothing when libpq can read it.
std::optional<std::string> wrong_address(const std::string& url);

/// Connects on use, never here.
std::unique_ptr<database> make_postgres_database(postgres_options options);

} // namespace dr::storage
