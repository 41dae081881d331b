#include "demo/api_client.hpp"

#include <curl/curl.h>

#include <memory>

namespace dr::demo {
namespace {

constexpr long call_timeout_ms = 10'000;

std::size_t append_to_string(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

struct curl_deleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string explain(const std::string& body) {
  const auto problem = nlohmann::json::parse(body, nullptr, false);
  return problem.is_object() ? problem.value("detail", body) : body;
}

} // namespace

api_client::api_client(std::string origin, std::string token) : origin_(std::move(origin)), token_(std::move(token)) {}

nlohmann::json api_client::call(const char* method, const std::string& path, const nlohmann::json& body) const {
  const std::unique_ptr<CURL, curl_deleter> curl(curl_easy_init());
  std::string answer;
  const std::string sent = body.is_null() ? "" : body.dump();
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!token_.empty()) list = curl_slist_append(list, ("Authorization: Bearer " + token_).c_str());
  const std::unique_ptr<curl_slist, curl_deleter> headers(list);

  curl_easy_setopt(curl.get(), CURLOPT_URL, (origin_ + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, call_timeout_ms);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append_to_string);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  if (!body.is_null()) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, sent.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(sent.size()));
  }
  const auto outcome = curl_easy_perform(curl.get());
  if (outcome != CURLE_OK)
    throw api_error(origin_ + " cannot be reached (" + curl_easy_strerror(outcome) + "). Is script/server running?");
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299)
    throw api_error(std::string(method) + " " + path + " was answered " + std::to_string(status) + ": " +
                    explain(answer));
  return answer.empty() ? nlohmann::json() : nlohmann::json::parse(answer);
}

} // namespace dr::demo
