// A small blocking client of the REST API and of the simulator, for the demo.
#pragma once

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>

namespace dr::demo {

/// The server said no, or could not be reached; `what()` is fit to show to a person.
class api_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

class api_client {
public:
  /// `origin` is like "http://127.0.0.1:8080"; an empty token sends no Authorization.
  api_client(std::string origin, std::string token);

  nlohmann::json get(const std::string& path) const { return call("GET", path, {}); }
  nlohmann::json post(const std::string& path, const nlohmann::json& body) const { return call("POST", path, body); }
  void remove(const std::string& path) const { call("DELETE", path, {}); }
  nlohmann::json put(const std::string& path, const nlohmann::json& body) const { return call("PUT", path, body); }

private:
  /// One call of at most ten seconds. Throws api_error unless the answer is 2xx.
  nlohmann::json call(const char* method, const std::string& path, const nlohmann::json& body) const;

  std::string origin_;
  std::string token_;
};

} // namespace dr::demo
