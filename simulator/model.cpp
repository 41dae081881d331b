#include "simulator/model.hpp"

#include "domain/energy.hpp"
#include "kepco/decimal.hpp"

#include <algorithm>
#include <fstream>
#include <mutex>

namespace dr::sim {

namespace {

constexpr std::size_t max_files = 10'000;

/// "2013-09-23T14:15" (seconds may follow) as the start of the quarter hour that ends then.
std::optional<time_point> parse_end(const std::string& text) {
  auto seconds = text.size() == 16 ? ":00+09:00" : "+09:00";
  auto end = parse_rfc3339(text + seconds);
  if (!end || floor_to_quarter(*end) != *end) return std::nullopt;
  return *end - quarter_hour;
}

error bad_line(const std::filesystem::path& file, std::size_t line, const char* why) {
  return fail(errc::invalid, file.string() + ":" + std::to_string(line) + ": " + why);
}

result<std::map<korean_day, day_profile>> read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return fail(errc::invalid, file.string() + ": cannot be read");
  std::map<korean_day, day_profile> days;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (number == 1) {
      if (line != "end,kwh") return bad_line(file, number, "the header must be end,kwh");
      continue;
    }
    if (line.empty()) continue;
    auto comma = line.find(',');
    if (comma == std::string::npos) return bad_line(file, number, "there must be two columns");
    auto from = parse_end(line.substr(0, comma));
    if (!from) return bad_line(file, number, "the end must be like 2013-09-23T14:15, on a quarter hour");
    auto text = std::string_view(line).substr(comma + 1);
    if (text.empty()) continue; // a gap
    auto energy = kepco::parse_kwh(text);
    if (!energy) return bad_line(file, number, "the kWh must be a number, 0 or more");
    days[korean_day_of(*from)].wh[static_cast<std::size_t>(quarter_of(*from))] = kepco::round_to_wh(*energy);
  }
  return days;
}

bool touches(const reduction& r, time_point from, time_point to) {
  return (!r.from || *r.from < to) && (!r.to || *r.to > from);
}

void reduce(day_profile& profile, const std::vector<reduction>& reductions, korean_day day) {
  for (const auto& r : reductions) {
    auto less_wh = divide_half_up(r.reduced_w, 4);
    for (int quarter = 0; quarter < quarters_per_day; ++quarter) {
      auto from = start_of(day) + quarter * quarter_hour;
      auto& wh = profile.wh[static_cast<std::size_t>(quarter)];
      if (wh == day_profile::missing || !touches(r, from, from + quarter_hour)) continue;
      wh = static_cast<std::int32_t>(std::max<std::int64_t>(0, wh - less_wh));
    }
  }
}

} // namespace

result<std::size_t> model::load(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator files(folder, failed);
  if (failed) return fail(errc::invalid, folder.string() + ": " + failed.message());
  std::unordered_map<std::string, std::map<korean_day, day_profile>> all;
  for (const auto& entry : files) {
    if (entry.path().extension() != ".csv") continue;
    auto cust_no = entry.path().stem().string();
    if (!is_cust_no(cust_no))
      return fail(errc::invalid, entry.path().string() + ": the name must be ten digits and .csv");
    if (all.size() >= max_files) return fail(errc::invalid, folder.string() + ": more than 10000 files");
    auto days = read_file(entry.path());
    if (!days) return days.error();
    all.emplace(cust_no, std::move(*days));
  }
  std::unique_lock lock(mutex_);
  recorded_ = std::move(all);
  return recorded_.size();
}

result<void> model::change_sites(const std::vector<site_change>& changes) {
  std::unique_lock lock(mutex_);
  if (sites_.size() + changes.size() > max_sites) return fail(errc::overloaded, "too many sites");
  for (const auto& change : changes) {
    auto& known = sites_[change.cust_no];
    if (change.base_w) known.base_w = change.base_w;
    if (change.consent_from) known.consent_from = change.consent_from;
    if (change.poison) known.poison = *change.poison;
  }
  return {};
}

result<std::size_t> model::add(const std::vector<reduction>& more) {
  std::unique_lock lock(mutex_);
  if (reductions_ + more.size() > max_reductions || sites_.size() + more.size() > max_sites)
    return fail(errc::overloaded, "too many reductions; DELETE /_sim/reductions forgets them");
  std::unordered_map<std::string, std::size_t> of_site;
  for (const auto& r : more) {
    auto known = sites_.find(r.cust_no);
    auto has = known == sites_.end() ? 0 : known->second.reductions.size();
    if (has + ++of_site[r.cust_no] > max_reductions_of_site)
      return fail(errc::overloaded, "too many reductions of customer " + r.cust_no);
  }
  for (const auto& r : more) {
    auto& all = sites_[r.cust_no].reductions;
    if (std::find(all.begin(), all.end(), r) != all.end()) continue; // a repeated call
    all.push_back(r);
    ++reductions_;
  }
  return reductions_;
}

std::size_t model::clear_reductions(const std::optional<std::string>& cust_no) {
  std::unique_lock lock(mutex_);
  std::size_t before = reductions_;
  for (auto& [number, known] : sites_) {
    if (cust_no && number != *cust_no) continue;
    reductions_ -= known.reductions.size();
    known.reductions.clear();
  }
  return before - reductions_;
}

std::optional<day_profile> model::metered(const std::string& cust_no, const site* known, korean_day day) const {
  day_profile profile;
  if (auto record = recorded_.find(cust_no); record != recorded_.end()) {
    auto found = record->second.find(day);
    if (found == record->second.end()) return std::nullopt;
    profile = found->second;
  } else {
    auto base_w = known && known->base_w ? *known->base_w : size_of(options_, cust_no);
    for (int quarter = 0; quarter < quarters_per_day; ++quarter)
      profile.wh[static_cast<std::size_t>(quarter)] = usage_wh(options_, cust_no, base_w, day, quarter);
  }
  if (known) reduce(profile, known->reductions, day);
  return profile;
}

std::optional<day_profile> model::day(const std::string& cust_no, korean_day day, time_point now,
                                      std::optional<std::chrono::minutes> lag_override,
                                      std::chrono::minutes spread) const {
  if (start_of(day) > now) return std::nullopt;
  std::shared_lock lock(mutex_);
  auto found = sites_.find(cust_no);
  auto profile = metered(cust_no, found == sites_.end() ? nullptr : &found->second, day);
  lock.unlock();
  if (!profile) return std::nullopt;
  auto lag = lag_override ? lag_override : lag_;
  bool any = false;
  for (int quarter = 0; quarter < quarters_per_day; ++quarter) {
    auto from = start_of(day) + quarter * quarter_hour;
    auto there =
        lag || spread.count() > 0 ? from + quarter_hour + lag.value_or(std::chrono::minutes{0}) <= now : from <= now;
    if (there && spread.count() > 0) {
      auto draw = mixed(mixed(options_.seed, cust_no), static_cast<std::uint64_t>(from.time_since_epoch().count()));
      auto later =
          std::chrono::minutes{static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(spread.count() + 1))};
      there = from + quarter_hour + lag.value_or(std::chrono::minutes{0}) + later <= now;
    }
    auto& wh = profile->wh[static_cast<std::size_t>(quarter)];
    if (!there) wh = day_profile::missing;
    any = any || wh != day_profile::missing;
  }
  if (!any) return std::nullopt;
  return profile;
}

std::optional<korean_day> model::consent_from(const std::string& cust_no) const {
  std::shared_lock lock(mutex_);
  auto found = sites_.find(cust_no);
  return found == sites_.end() ? std::nullopt : found->second.consent_from;
}

std::uint64_t model::poison_of(const std::string& cust_no) const {
  std::shared_lock lock(mutex_);
  auto found = sites_.find(cust_no);
  return found == sites_.end() ? 0 : found->second.poison;
}

std::vector<std::string> model::known_customers(std::size_t most) const {
  std::set<std::string> all; // ordered, without doubles
  std::shared_lock lock(mutex_);
  for (const auto& [number, days] : recorded_) all.insert(number);
  for (const auto& [number, known] : sites_) all.insert(number);
  lock.unlock();
  std::vector<std::string> out;
  for (const auto& number : all) {
    if (out.size() >= most) break;
    out.push_back(number);
  }
  return out;
}

bool is_cust_no(std::string_view text) noexcept {
  return text.size() == 10 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace dr::sim
