#include "storage/store.hpp"

namespace dr::storage {

lane lane_of(const change& what) noexcept {
  const bool bulk = std::holds_alternative<open_campaign>(what) || std::holds_alternative<freeze_campaign>(what) ||
                    std::holds_alternative<import_users>(what) || std::holds_alternative<retry_parked>(what);
  return bulk ? lane::bulk : lane::hot;
}

result<page<response>> reader::responses(const response_filter& filter, const page_request& at) {
  page<response> all;
  const auto end = each_response(filter, at, [&](response one) { all.items.push_back(std::move(one)); });
  if (!end) return end.error();
  static_cast<page_end&>(all) = *end;
  return all;
}

} // namespace dr::storage
