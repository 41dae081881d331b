#include "simulator/admin.hpp"

#include "simulator/wire.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace dr::sim {

namespace {

using nlohmann::json;

constexpr std::size_t max_items = 200'000;
constexpr double max_kw = 1'000'000;
constexpr std::int64_t max_latency_ms = 600'000;
constexpr std::int64_t max_time_ms = 24LL * 60 * 60 * 1000;
constexpr std::int64_t max_lag_minutes = 60 * 24 * 30;

/// Reads the fields of one object and collects what is wrong with them.
class fields {
public:
  fields(const json& object, std::string pointer, std::vector<field_error>& wrong)
      : object_(object), pointer_(std::move(pointer)), wrong_(wrong) {}

  /// Refuses all other names.
  bool is_object_of(std::initializer_list<const char*> names) {
    if (!object_.is_object()) return refuse("", "must be an object");
    for (const auto& [name, value] : object_.items()) {
      bool known = false;
      for (const auto* allowed : names) known = known || name == allowed;
      if (!known) refuse(name, "is not known");
    }
    return true;
  }

  bool has(const char* name) const { return object_.contains(name) && !object_[name].is_null(); }

  double number(const char* name, double least, double most, const char* range) {
    if (object_[name].is_number()) {
      auto value = object_[name].get<double>();
      if (value >= least && value <= most) return value;
    }
    refuse(name, range);
    return least;
  }

  std::int64_t whole(const char* name, std::int64_t most) {
    const auto& value = object_[name];
    if (value.is_number_integer() && value >= 0 && value <= most) return value.get<std::int64_t>();
    refuse(name, "must be a whole number from 0 to " + std::to_string(most));
    return 0;
  }

  bool flag(const char* name) {
    if (!object_[name].is_boolean()) return refuse(name, "must be true or false");
    return object_[name].get<bool>();
  }

  std::string cust_no() {
    if (has("custNo") && object_["custNo"].is_string()) {
      auto text = object_["custNo"].get<std::string>();
      if (is_cust_no(text)) return text;
    }
    refuse("custNo", "must be a string of ten digits");
    return {};
  }

  std::optional<time_point> time(const char* name) {
    if (!has(name)) return std::nullopt;
    auto at = object_[name].is_string() ? parse_rfc3339(object_[name].get<std::string>()) : std::nullopt;
    if (!at) refuse(name, "must be an RFC 3339 time such as 2026-07-01T05:00:00Z");
    return at;
  }

  std::optional<korean_day> day(const char* name) {
    if (!has(name)) return std::nullopt;
    auto day = object_[name].is_string() ? parse_day(object_[name].get<std::string>()) : std::nullopt;
    if (!day) refuse(name, "must be a day such as 2026-07-01");
    return day;
  }

  /// 0 for "none", else one more than the place in garbage_names.
  std::optional<std::uint64_t> poison(const char* name) {
    if (!has(name)) return std::nullopt;
    const auto text = object_[name].is_string() ? object_[name].get<std::string>() : std::string{};
    if (text == "none") return 0;
    const auto* at = std::find(garbage_names.begin(), garbage_names.end(), text);
    if (at != garbage_names.end()) return static_cast<std::uint64_t>(at - garbage_names.begin()) + 1;
    std::string all = "must be none";
    for (const auto* known : garbage_names) all += std::string(", ") + known;
    refuse(name, std::move(all));
    return std::nullopt;
  }

  bool refuse(const std::string& name, std::string why) {
    auto pointer = name.empty() ? pointer_ : pointer_ + "/" + name;
    if (wrong_.size() < 20) wrong_.push_back({std::move(pointer), std::move(why)});
    return false;
  }

private:
  const json& object_;
  std::string pointer_;
  std::vector<field_error>& wrong_;
};

result<json> parse(std::string_view body) {
  auto document = json::parse(body, nullptr, false);
  if (document.is_discarded())
    return result<json>(boost::system::in_place_error, fail(errc::malformed, "the body is not JSON"));
  return result<json>(boost::system::in_place_value, std::move(document));
}

error wrong_fields(std::vector<field_error> wrong) {
  auto detail = (wrong[0].pointer.empty() ? "the body" : wrong[0].pointer) + " " + wrong[0].detail;
  return {errc::invalid, std::move(detail), std::move(wrong)};
}

/// Reads one object or an array of them.
template <class T, class Read> result<std::vector<T>> parse_items(std::string_view body, Read read) {
  auto document = parse(body);
  if (!document) return document.error();
  std::vector<field_error> wrong;
  std::vector<T> items;
  if (!document->is_array()) {
    items.push_back(read(fields(*document, "", wrong)));
  } else {
    if (document->size() > max_items) return invalid_field("", "must have at most 200000 entries");
    for (std::size_t i = 0; i < document->size(); ++i)
      items.push_back(read(fields((*document)[i], "/" + std::to_string(i), wrong)));
  }
  if (!wrong.empty()) return wrong_fields(std::move(wrong));
  return items;
}

std::int64_t watts(double kw) { return std::llround(kw * 1000); }

reduction read_reduction(fields f) {
  reduction r;
  if (!f.is_object_of({"custNo", "from", "to", "kw"})) return r;
  r.cust_no = f.cust_no();
  r.from = f.time("from");
  r.to = f.time("to");
  if (f.has("kw"))
    r.reduced_w = watts(f.number("kw", 0, max_kw, "must be a number from 0 to 1000000"));
  else
    f.refuse("kw", "is required");
  if (r.from && r.to && *r.to <= *r.from) f.refuse("to", "must be later than from");
  return r;
}

site_change read_site(fields f) {
  site_change site;
  if (!f.is_object_of({"custNo", "baseKw", "consentFrom", "poison"})) return site;
  site.cust_no = f.cust_no();
  if (f.has("baseKw")) site.base_w = watts(f.number("baseKw", 0, max_kw, "must be a number from 0 to 1000000"));
  site.consent_from = f.day("consentFrom");
  site.poison = f.poison("poison");
  if (!f.has("baseKw") && !f.has("consentFrom") && !f.has("poison")) f.refuse("baseKw", "is required");
  return site;
}

} // namespace

result<std::vector<reduction>> parse_reductions(std::string_view body) {
  return parse_items<reduction>(body, read_reduction);
}

result<std::vector<site_change>> parse_sites(std::string_view body) {
  return parse_items<site_change>(body, read_site);
}

result<faults> parse_faults(std::string_view body) {
  auto document = parse(body);
  if (!document) return document.error();
  std::vector<field_error> wrong;
  fields f(*document, "", wrong);
  faults out;
  if (f.is_object_of({"errorRate", "latencyMs", "hangRate", "truncateRate", "garbageRate", "missingRate", "lagMinutes",
                      "down", "spreadMinutes", "changeRate", "flapMs", "forMs"})) {
    auto rate = [&](const char* name) {
      return f.has(name) ? f.number(name, 0, 1, "must be a number from 0 to 1") : 0.0;
    };
    out.error_rate = rate("errorRate");
    out.hang_rate = rate("hangRate");
    out.truncate_rate = rate("truncateRate");
    out.garbage_rate = rate("garbageRate");
    out.missing_rate = rate("missingRate");
    if (f.has("latencyMs")) out.latency = std::chrono::milliseconds{f.whole("latencyMs", max_latency_ms)};
    if (f.has("lagMinutes")) out.lag = std::chrono::minutes{f.whole("lagMinutes", max_lag_minutes)};
    if (f.has("spreadMinutes")) out.spread = std::chrono::minutes{f.whole("spreadMinutes", max_lag_minutes)};
    out.change_rate = rate("changeRate");
    if (f.has("down")) out.down = f.flag("down");
    if (f.has("flapMs")) out.flap = std::chrono::milliseconds{f.whole("flapMs", max_time_ms)};
    if (f.has("forMs")) out.last = std::chrono::milliseconds{f.whole("forMs", max_time_ms)};
  }
  if (!wrong.empty()) return wrong_fields(std::move(wrong));
  return out;
}

std::string format_faults(const faults& f) {
  return nlohmann::ordered_json{{"errorRate", f.error_rate},     {"latencyMs", f.latency.count()},
                                {"hangRate", f.hang_rate},       {"truncateRate", f.truncate_rate},
                                {"garbageRate", f.garbage_rate}, {"missingRate", f.missing_rate},
                                {"lagMinutes", f.lag.count()},   {"spreadMinutes", f.spread.count()},
                                {"changeRate", f.change_rate},   {"down", f.down},
                                {"flapMs", f.flap.count()},      {"forMs", f.last.count()}}
      .dump();
}

} // namespace dr::sim
