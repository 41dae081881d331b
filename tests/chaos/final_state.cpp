#include "tests/chaos/final_state.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace dr::chaos {

namespace {

std::int64_t id_of(const json& item, const char* name = "id") { return item.at(name).get<std::int64_t>(); }

std::map<std::int64_t, json> by(const char* name, std::vector<json> items) {
  std::map<std::int64_t, json> out;
  for (auto& item : items) {
    const auto id = id_of(item, name);
    if (!out.emplace(id, std::move(item)).second)
      throw std::runtime_error(std::string("a list names ") + name + " " + std::to_string(id) + " twice");
  }
  return out;
}

} // namespace

std::vector<json> read_list(const std::function<json(const std::string&)>& get, const std::string& path) {
  std::vector<json> all;
  auto next = path + (path.find('?') == std::string::npos ? "?" : "&") + "size=1000";
  while (!next.empty()) {
    const auto page = get(next);
    for (const auto& item : page.at("_embedded").begin().value()) all.push_back(item);
    next.clear();
    if (page.at("_links").contains("next")) {
      next = page["_links"]["next"].at("href").get<std::string>();
      next = next.substr(next.find('/', next.find("//") + 2)); // the host stays the same
    }
  }
  return all;
}

final_state read_final_state(const std::function<json(const std::string&)>& get) {
  final_state made;
  made.users = by("id", read_list(get, "/users"));
  made.campaigns = by("id", read_list(get, "/drs"));
  made.responses = by("id", read_list(get, "/responses"));
  made.checks = by("responseId", read_list(get, "/kepcos"));
  made.events = read_list(get, "/events");
  for (const auto& [id, user] : made.users) {
    auto& entries = made.ledgers[id] = read_list(get, "/users/" + std::to_string(id) + "/ledger");
    std::reverse(entries.begin(), entries.end());
  }
  for (const auto& [id, campaign] : made.campaigns) made.summaries[id] = get("/drs/" + std::to_string(id) + "/summary");
  return made;
}

std::int64_t instant_ms(const json& text) {
  const auto value = text.get<std::string>();
  std::tm at{};
  int ms = 0;
  const int read = std::sscanf(value.c_str(), "%d-%d-%dT%d:%d:%d.%3dZ", &at.tm_year, &at.tm_mon, &at.tm_mday,
                               &at.tm_hour, &at.tm_min, &at.tm_sec, &ms);
  if (read < 6) throw std::runtime_error("not a time: " + value);
  at.tm_year -= 1900;
  at.tm_mon -= 1;
  return static_cast<std::int64_t>(::timegm(&at)) * 1'000 + ms;
}

} // namespace dr::chaos
