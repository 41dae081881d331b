#include "kepco/http_client.hpp"

#include <curl/curl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace dr {

namespace {

using parameters = std::vector<std::pair<const char*, std::string>>;

constexpr const char* hidden = "***";
constexpr const char* simulator_key = "simulator";
constexpr std::chrono::milliseconds shortest_timeout{1};

/// libcurl wants this once, before any thread uses it; a function's static is initialised exactly once.
bool curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

struct curl_deleter {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct url_deleter {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct text_deleter {
  void operator()(char* text) const noexcept { curl_free(text); }
};
using curl_text = std::unique_ptr<char, text_deleter>;

std::string escaped(CURL* handle, const std::string& text) {
  curl_text out(curl_easy_escape(handle, text.data(), static_cast<int>(text.size())));
  return out ? out.get() : std::string{};
}

void replace_all(std::string& text, const std::string& what) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 3))
    text.replace(at, what.size(), hidden);
}

/// The host of an http or https address; empty for anything else.
std::string host_of(const std::string& base_url) {
  std::unique_ptr<CURLU, url_deleter> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, base_url.c_str(), 0) != CURLUE_OK) return {};
  char* part = nullptr;
  if (curl_url_get(url.get(), CURLUPART_SCHEME, &part, 0) != CURLUE_OK) return {};
  curl_text scheme(part);
  if (scheme.get() != std::string_view("http") && scheme.get() != std::string_view("https")) return {};
  part = nullptr;
  if (curl_url_get(url.get(), CURLUPART_HOST, &part, 0) != CURLUE_OK) return {};
  curl_text host(part);
  return host.get();
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
}

/// What a failed transfer means. `received`: bytes of a body that had come.
meter_errc meaning_of(CURLcode code, std::size_t received) {
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT:
    return meter_errc::timed_out;
  case CURLE_WRITE_ERROR:  // the answer is longer than allowed
  case CURLE_PARTIAL_FILE: // the connection ended in mid-body
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_UNSUPPORTED_PROTOCOL:
    return meter_errc::garbage;
  default:
    return received > 0 ? meter_errc::garbage : meter_errc::unavailable;
  }
}

meter_error error_of_status(long status) {
  auto detail = "HTTP " + std::to_string(status);
  if (status >= 500 || status == 429) return {meter_errc::unavailable, detail};
  if (status == 408) return {meter_errc::timed_out, detail};
  if (status >= 400) return {meter_errc::refused, detail};
  return {meter_errc::garbage, detail + ", which is no answer"};
}

} // namespace

/// The curl handle with all that stays the same from call to call.
class kepco_client::connection {
public:
  explicit connection(kepco_options options) : options_(std::move(options)) {
    while (options_.base_url.ends_with('/')) options_.base_url.pop_back();
    options_.call_timeout = std::max(options_.call_timeout, shortest_timeout);
    host_ = host_of(options_.base_url);
    if (options_.service_key.empty() && is_loopback(host_)) options_.service_key = simulator_key;
    if (curl_ready()) handle_.reset(curl_easy_init());
    if (handle_) set_up();
  }

  /// Calls an operation and decodes its answer with `decode(body)`; every error leaves here named and without the key.
  template <class Decode>
  auto call(const char* operation, const parameters& query, Decode decode) -> decltype(decode(std::string_view{})) {
    try {
      if (auto error = get(operation, query)) return told(operation, query, std::move(*error));
      auto decoded = decode(std::string_view(body_));
      if (!decoded) return told(operation, query, decoded.error());
      return decoded;
    } catch (const std::exception&) { // out of memory and the like: the caller's thread must live on
      return told(operation, query, {meter_errc::garbage, "the answer could not be handled"});
    }
  }

private:
  void set_up() {
    auto* h = handle_.get();
    auto total = static_cast<long>(options_.call_timeout.count());
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, total);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, total / 2));
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "drplatform");
    curl_easy_setopt(h, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, &connection::receive);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, this);
    // A proxy from the environment must not stand between us and a simulator on this machine.
    if (is_loopback(host_)) curl_easy_setopt(h, CURLOPT_PROXY, "");
  }

  static std::size_t receive(char* data, std::size_t, std::size_t count, void* self) noexcept {
    auto& me = *static_cast<connection*>(self);
    if (me.body_.size() + count > me.options_.max_answer_bytes) {
      me.too_long_ = true;
      return 0;
    }
    try {
      me.body_.append(data, count);
    } catch (const std::exception&) {
      return 0;
    }
    return count;
  }

  /// One GET; the body is in body_ afterwards.
  std::optional<meter_error> get(const char* operation, const parameters& query) {
    if (options_.base_url.empty()) return meter_error{meter_errc::not_configured, "no KEPCO address is configured"};
    if (host_.empty()) return meter_error{meter_errc::not_configured, "the KEPCO address is no http or https address"};
    if (options_.service_key.empty()) return meter_error{meter_errc::not_configured, "no service key is configured"};
    if (!handle_) return meter_error{meter_errc::unavailable, "the HTTP client could not be made"};
    auto* h = handle_.get();
    auto url =
        options_.base_url + "/" + operation + ".do?serviceKey=" + escaped(h, options_.service_key) + "&returnType=02";
    for (const auto& [name, value] : query) url += std::string("&") + name + "=" + escaped(h, value);
    body_.clear();
    too_long_ = false;
    curl_easy_setopt(h, CURLOPT_URL, url.c_str());
    auto code = curl_easy_perform(h);
    if (code != CURLE_OK) {
      auto detail = std::string(too_long_ ? "the answer is too long" : curl_easy_strerror(code));
      return meter_error{meaning_of(code, body_.size()), detail};
    }
    long status = 0;
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) return error_of_status(status);
    return std::nullopt;
  }

  meter_error told(const char* operation, const parameters& query, meter_error error) {
    auto detail = std::string(operation);
    for (const auto& [name, value] : query) detail += " " + value;
    detail += ": " + error.detail;
    replace_all(detail, options_.service_key); // KEPCO may quote it
    if (handle_) replace_all(detail, escaped(handle_.get(), options_.service_key));
    error.detail = kepco::one_line(detail, 300);
    spdlog::debug("KEPCO {}: {}", to_string(error.code), error.detail);
    return error;
  }

  kepco_options options_;
  std::string host_;
  std::unique_ptr<CURL, curl_deleter> handle_;
  std::string body_;
  bool too_long_ = false; ///< the answer went beyond max_answer_bytes
};

kepco_client::kepco_client(kepco_options options) : connection_(std::make_unique<connection>(std::move(options))) {}
kepco_client::~kepco_client() = default;

meter_result<day_profile> kepco_client::day(const std::string& cust_no, korean_day day) {
  return connection_->call(kepco::operations::day, {{"custNo", cust_no}, {"date", kepco::format_ymd(day)}},
                           [&](std::string_view body) { return kepco::decode_day(body, cust_no, day); });
}

meter_result<std::int32_t> kepco_client::quarter(const std::string& cust_no, korean_day day, int quarter) {
  auto at = kepco::format_ymd(day) + kepco::quarter_label(quarter);
  return connection_->call(kepco::operations::minute, {{"custNo", cust_no}, {"dateTime", at}},
                           [&](std::string_view body) { return kepco::decode_minute(body, cust_no, day, quarter); });
}

meter_result<std::vector<kepco::customer>> kepco_client::customers() {
  return connection_->call(kepco::operations::customers, {},
                           [](std::string_view body) { return kepco::decode_customers(body); });
}

meter_result<std::vector<kepco::customer_day>> kepco_client::all_customers(korean_day day) {
  return connection_->call(kepco::operations::period, {{"date", kepco::format_ymd(day)}},
                           [&](std::string_view body) { return kepco::decode_period(body, day); });
}

meter_source_factory make_kepco_source_factory(kepco_options options) {
  return [options = std::move(options)] { return std::make_unique<kepco_client>(options); };
}

} // namespace dr
