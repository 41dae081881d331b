// Query parameters → typed filters and pages. Unknown and repeated parameters are refused by name.
#pragma once

#include "domain/error.hpp"
#include "http/server/request.hpp"
#include "storage/store.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dr::http {

inline constexpr int default_page_size = 20;
inline constexpr int max_page_size = 1000;
inline constexpr std::int64_t max_page_number = 1'000'000'000;

/// Which part of a list was asked for. `keyset`: by after=, so totals are left out.
struct paging {
  storage::page_request at;
  bool keyset = false;
  std::string filters; ///< the other parameters, encoded, "a=b&c=d": links keep them
};

/// Reads parameters one by one; finish() tells everything that is wrong.
class query_reader {
public:
  explicit query_reader(const request_context& request) : query_(request.query) {}
  std::optional<std::string> text(std::string_view name, std::size_t max_characters);
  std::optional<std::int64_t> whole(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<bool> flag(std::string_view name);
  template <class T, class Parse> std::optional<T> named(std::string_view name, Parse parse, std::string_view names) {
    const auto* given = take(name);
    if (given == nullptr) return std::nullopt;
    auto value = parse(std::string_view(*given));
    if (!value) note(name, "must be " + std::string(names));
    return value;
  }
  /// An id of a filter; 0 when absent.
  std::int64_t id(std::string_view name) { return whole(name, 1, INT64_MAX).value_or(0); }
  /// page, size and after; call it last, after the filters.
  paging page();
  void note(std::string_view name, std::string detail);
  result<void> finish();

private:
  const std::string* take(std::string_view name);

  const std::vector<query_parameter>& query_;
  std::vector<std::string_view> known_;
  std::vector<field_error> wrong_;
  std::string filters_;
};

/// A query that takes no parameters at all.
result<void> no_query(const request_context& request);
/// The id in a path; nothing when it can be none (then the thing does not exist).
std::optional<std::int64_t> path_id(const request_context& request, std::string_view name = "id");

} // namespace dr::http
