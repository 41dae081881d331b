// What the dated tables of a configuration file have in common: fields with their ranges, read into editions.
#pragma once

#include "config/parse.hpp"
#include "config/table.hpp"
#include "domain/error.hpp"
#include "domain/time.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dr {

/// A TOML scalar as the text that a person would give in the environment; nothing for tables.
std::optional<std::string> scalar_text(const toml::node& node);

/// One field of a table. `set` takes the value as text and answers whether it is allowed.
template <class Edition> struct edition_field {
  std::string name;
  std::string range; ///< what is allowed, to follow "must be "
  bool required;
  std::function<bool(Edition&, const std::string&)> set;
};

/// How a kind of table is read.
template <class Edition> struct edition_format {
  std::string name;                                                   ///< of the tables: "programmes"
  const std::vector<edition_field<Edition>>& fields;                  ///< all of them
  std::function<std::string(const Edition&)> code;                    ///< has one edition a day
  void (*check)(const Edition&, const std::string& where, error& to); ///< what depends on one another
};

template <class Assign> auto whole_between(std::int64_t least, std::int64_t most, Assign assign) {
  return [=](auto& edition, const std::string& text) {
    const auto value = parse_whole(text);
    if (!value || *value < least || *value > most) return false;
    assign(edition, *value);
    return true;
  };
}

/// For the field effective_from, which every edition has.
template <class Edition> bool set_effective_from(Edition& edition, const std::string& text) {
  const auto day = parse_day(text);
  if (day) edition.effective_from = *day;
  return day.has_value();
}

/// Names the keys of a table that are not among the known ones.
void refuse_unknown(const toml::table& table, const std::vector<std::string>& known, const std::string& where,
                    error& wrong);

template <class Edition>
Edition read_edition(const toml::table& table, const edition_format<Edition>& format, const std::string& where,
                     error& wrong) {
  Edition edition;
  const auto before = wrong.fields.size();
  std::vector<std::string> known;
  for (const auto& field : format.fields) known.push_back(field.name);
  refuse_unknown(table, known, where, wrong);
  for (const auto& field : format.fields) {
    const auto* node = table.get(field.name);
    if (!node) {
      if (field.required) wrong.fields.push_back({where + field.name, "is missing; it must be " + field.range});
      continue;
    }
    const auto text = scalar_text(*node);
    if (!text || !field.set(edition, *text))
      wrong.fields.push_back({where + field.name, "= \"" + text.value_or("{…}") + "\": must be " + field.range});
  }
  if (wrong.fields.size() == before) format.check(edition, where, wrong);
  return edition;
}

/// Reads dated editions; every wrong, unknown or missing field is named with its range. Fails: invalid.
template <class Edition>
result<std::vector<Edition>> read_editions(const toml::array& tables, const edition_format<Edition>& format) {
  std::vector<Edition> all;
  std::set<std::pair<std::string, korean_day>> seen;
  error wrong{errc::invalid, {}, {}};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto where = format.name + "[" + std::to_string(i) + "].";
    const auto* table = tables[i].as_table();
    if (!table) {
      wrong.fields.push_back({where, "must be a table"});
      continue;
    }
    const auto before = wrong.fields.size();
    all.push_back(read_edition(*table, format, where, wrong));
    if (wrong.fields.size() != before) continue;
    const auto code = format.code(all.back());
    if (!seen.emplace(code, all.back().effective_from).second)
      wrong.fields.push_back({where + "effective_from", "is that of an earlier edition of " + code});
  }
  if (!wrong.fields.empty()) return wrong;
  return all;
}

} // namespace dr
