#include "storage/postgres/json_columns.hpp"

#include <nlohmann/json.hpp>

namespace dr::storage {

namespace {

using json = nlohmann::json;

// By name, not by number: a stored campaign must be readable by whoever looks into the table.
std::string name_of(baseline_method method) { return std::string(to_string(method)); }

baseline_method method_of(const json& name) {
  auto method = parse_baseline_method(name.get<std::string>());
  if (!method) throw std::runtime_error("unknown baseline method in a stored campaign");
  return *method;
}

json figures_of(const method_rules& rules) {
  return {{"wantedDays", rules.wanted},        {"lookBackDays", rules.look_back},
          {"dropHighest", rules.drop_highest}, {"dropLowest", rules.drop_lowest},
          {"saaHours", rules.saa_hours},       {"saaStartsBeforeHours", rules.saa_starts_before}};
}

method_rules rules_from(const json& figures) {
  auto of = [&](const char* name) { return figures.at(name).get<int>(); };
  return {of("wantedDays"), of("lookBackDays"), of("dropHighest"),
          of("dropLowest"), of("saaHours"),     of("saaStartsBeforeHours")};
}

} // namespace

std::string encode_terms(const programme_terms& terms) {
  json baselines = json::object();
  for (auto method : all_baseline_methods) baselines[name_of(method)] = figures_of(terms.baselines.of(method));
  json methods = json::array();
  for (auto method : terms.allowed_methods) methods.push_back(name_of(method));
  return json{{"method", name_of(terms.default_baseline.method)},
              {"saa", terms.default_baseline.saa},
              {"allowedMethods", methods},
              {"saaAllowed", terms.saa_allowed},
              {"capPercent", terms.cap_percent ? json(*terms.cap_percent) : json(nullptr)},
              {"performsAtPercent", terms.performs_at_percent},
              {"pointsPerMwh", terms.points_per_mwh},
              {"mandatory", terms.mandatory},
              {"baselines", baselines}}
      .dump();
}

programme_terms decode_terms(std::string_view text) {
  auto data = json::parse(text);
  programme_terms terms;
  terms.default_baseline = {method_of(data.at("method")), data.at("saa").get<bool>()};
  for (const auto& method : data.at("allowedMethods")) terms.allowed_methods.push_back(method_of(method));
  terms.saa_allowed = data.at("saaAllowed").get<bool>();
  if (const auto& cap = data.at("capPercent"); !cap.is_null()) terms.cap_percent = cap.get<int>();
  terms.performs_at_percent = data.at("performsAtPercent").get<int>();
  terms.points_per_mwh = data.at("pointsPerMwh").get<std::int64_t>();
  terms.mandatory = data.at("mandatory").get<bool>();
  // Campaigns of release 0.1.0 carry no figures; they were ordered under the built-in ones.
  if (auto baselines = data.find("baselines"); baselines != data.end())
    for (const auto& [name, figures] : baselines->items()) terms.baselines.of(method_of(name)) = rules_from(figures);
  return terms;
}

std::string encode_texts(const std::vector<std::string>& texts) { return json(texts).dump(); }

std::vector<std::string> decode_texts(std::string_view text) {
  return json::parse(text).get<std::vector<std::string>>();
}

std::string encode_spread(const std::vector<credited_quarter>& spread) {
  json out = json::array();
  for (const auto& quarter : spread) out.push_back({quarter.from.time_since_epoch().count(), quarter.wh});
  return out.dump();
}

std::vector<credited_quarter> decode_spread(std::string_view text) {
  std::vector<credited_quarter> spread;
  for (const auto& quarter : json::parse(text))
    spread.push_back(
        {time_point{std::chrono::milliseconds{quarter.at(0).get<std::int64_t>()}}, quarter.at(1).get<std::int64_t>()});
  return spread;
}

} // namespace dr::storage
