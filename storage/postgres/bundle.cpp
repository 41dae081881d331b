#include "storage/postgres/bundle.hpp"

#include "storage/postgres/columns.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace dr::storage {

namespace {

/// A statement made of others. Kept for ever under its name: there are few combinations.
struct composed {
  std::string name;
  std::string sql;
  statement text{};
};

/// The text with its placeholders counted on from `offset`: $1 becomes $5 behind four values.
std::string renumbered(std::string_view sql, std::size_t offset) {
  return replace_placeholders(sql, [offset](std::size_t number) { return "$" + std::to_string(number + offset); });
}

/// A column that ends the statement unless the condition holds.
std::string unchanged(const std::string& condition, const std::string& why) {
  return "dr_require(" + condition + ", '" + sqlstate::changed_meanwhile + "', '" + why + "')";
}

} // namespace

void bundle::add(const statement& what, parameters values, std::optional<std::size_t> count, const char* why) {
  parts_.push_back({&what, std::move(values), count, why});
}

void bundle::run(connection& over, pqxx::transaction_base& in) {
  if (empty()) return;
  static const statement nothing{"alone", ""};
  run_with(over, in, nothing, {}, "0::bigint AS number");
}

std::int64_t bundle::run_with(connection& over, pqxx::transaction_base& in, const statement& last, parameters values,
                              const char* columns) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<composed>> all;
  std::string name;
  for (const auto& one : parts_) name += std::string(one.what->name) + (one.count ? "!+" : "+");
  name += last.name;
  const statement* text = nullptr;
  {
    const std::scoped_lock lock{mutex};
    auto& slot = all[name];
    if (!slot) {
      slot = std::make_unique<composed>();
      std::string with;
      std::string counts;
      std::size_t offset = 0;
      for (const auto& one : parts_) {
        const auto label = "part" + std::to_string(&one - parts_.data());
        with += (with.empty() ? "WITH " : ", ") + label + " AS (" + renumbered(one.what->sql, offset) + " RETURNING 1)";
        offset += one.values.size();
        const auto count = "(SELECT count(*) FROM " + label + ")";
        counts +=
            (one.count ? unchanged(count + " = $" + std::to_string(++offset) + "::bigint", one.why) : count) + ", ";
      }
      if (*last.sql) with += (with.empty() ? "WITH " : ", ") + renumbered(last.sql, offset);
      slot->name = "bundle_" + std::to_string(all.size()) + "_" + last.name; // of 63 bytes at most
      // Parts are carried out as the columns ask for them: the last statement takes its locks last.
      slot->sql = with + " SELECT " + counts + columns;
      slot->text = {slot->name.c_str(), slot->sql.c_str()};
    }
    text = &slot->text;
  }
  parameters together;
  for (auto& one : parts_) {
    together.append(std::move(one.values));
    if (one.count) together.add(static_cast<std::int64_t>(*one.count));
  }
  together.append(std::move(values));
  parts_.clear();
  const auto rows = over.run(in, *text, together);
  return rows[0]["number"].as<std::int64_t>();
}

} // namespace dr::storage
