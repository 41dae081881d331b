#include "config/toml_baselines.hpp"

#include "config/toml_editions.hpp"

namespace dr {

namespace {

// Verification reads about three times as many days for each check.
constexpr int most_look_back = 60;

bool set_method(baseline_edition& edition, const std::string& text) {
  const auto method = parse_baseline_method(text);
  if (method) edition.method = *method;
  return method.has_value();
}

edition_field<baseline_edition> whole_field(std::string name, int least, int most, int method_rules::*figure) {
  return {std::move(name), "a whole number from " + std::to_string(least) + " to " + std::to_string(most), true,
          whole_between(least, most, [figure](baseline_edition& edition, std::int64_t value) {
            edition.rules.*figure = static_cast<int>(value);
          })};
}

const std::vector<edition_field<baseline_edition>>& baseline_fields() {
  static const std::vector<edition_field<baseline_edition>> fields{
      {"code", "max-4-5, mid-6-10, mid-4-6 or mid-8-10", true, set_method},
      {"effective_from", "a date such as 2024-02-01", true, set_effective_from<baseline_edition>},
      whole_field("wanted_days", 1, most_reference_days, &method_rules::wanted),
      whole_field("look_back_days", 1, most_look_back, &method_rules::look_back),
      whole_field("drop_highest", 0, most_reference_days - 1, &method_rules::drop_highest),
      whole_field("drop_lowest", 0, most_reference_days - 1, &method_rules::drop_lowest),
      whole_field("saa_hours", 1, most_saa_hours, &method_rules::saa_hours),
      whole_field("saa_starts_before_hours", 1, 23, &method_rules::saa_starts_before),
  };
  return fields;
}

void check_baseline(const baseline_edition& edition, const std::string& where, error& wrong) {
  const auto& rules = edition.rules;
  if (rules.look_back < rules.wanted)
    wrong.fields.push_back({where + "look_back_days", "must be at least wanted_days"});
  if (rules.keeps() < 1)
    wrong.fields.push_back({where + "drop_highest", "and drop_lowest together must be less than wanted_days"});
  if (rules.saa_hours > rules.saa_starts_before)
    wrong.fields.push_back({where + "saa_hours", "must be at most saa_starts_before_hours, to end before the event"});
}

} // namespace

result<std::vector<baseline_edition>> read_baselines(const toml::array& tables) {
  const auto code = [](const baseline_edition& edition) { return std::string(to_string(edition.method)); };
  return read_editions<baseline_edition>(tables, {"baselines", baseline_fields(), code, check_baseline});
}

} // namespace dr
