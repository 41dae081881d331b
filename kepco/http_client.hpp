// Asks KEPCO over HTTP, one blocking call at a time.
#pragma once

#include "kepco/codec.hpp"
#include "kepco/meter_source.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace dr {

struct kepco_options {
  std::string base_url;    ///< http or https, "/<operation>.do" is appended; empty: not configured
  std::string service_key; ///< secret; may be empty only where base_url is a loopback address, that is a simulator
  std::chrono::milliseconds call_timeout{10'000}; ///< of one whole call; connecting may take at most half of it
  std::size_t max_answer_bytes = 4 * 1024 * 1024;
};

/// One keep-alive connection to KEPCO. TLS peers are verified, redirects are not followed, no answer is read beyond
/// max_answer_bytes. Errors name the operation, the customer and what happened, never the key. One instance per thread.
class kepco_client final : public meter_source {
public:
  explicit kepco_client(kepco_options options);
  ~kepco_client() override;

  meter_result<day_profile> day(const std::string& cust_no, korean_day day) override;

  /// Wh of one quarter hour (0 … 95), or day_profile::missing while it is not ready. Blocks as day() does.
  meter_result<std::int32_t> quarter(const std::string& cust_no, korean_day day, int quarter);
  /// The customers this key may read.
  meter_result<std::vector<kepco::customer>> customers();
  /// All customers' readings of a day.
  meter_result<std::vector<kepco::customer_day>> all_customers(korean_day day);

private:
  class connection;
  std::unique_ptr<connection> connection_;
};

/// A factory of clients with the same options.
meter_source_factory make_kepco_source_factory(kepco_options options);

} // namespace dr
