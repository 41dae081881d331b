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

} // namespace

void bundle::add(const statement& what, parameters values, std::optional<std::size_t> count, const char* why) {
  parts_.push_back({&what, std::move(values), count, why});
}

void bundle::run(connection& over, pqxx::transaction_base& in) {
  if (empty()) return;
  static const statement nothing{"alone", ""};
  run_with(over, in, nothing, {}, "NULL::bigint");
}

std::optional<std::int64_t> bundle::run_with(connection& over, pqxx::transaction_base& in, const statement& last,
                                             parameters values, const char* number) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<composed>> all;
  std::string name;
  for (const auto& one : parts_) name += std::string(one.what->name) + "+";
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
        auto label = "part" + std::to_string(&one - parts_.data());
        with += (with.empty() ? "WITH " : ", ") + label + " AS (" + renumbered(one.what->sql, offset) + " RETURNING 1)";
        counts += "(SELECT count(*) FROM " + label + "), ";
        offset += one.values.size();
      }
      if (*last.sql) with += (with.empty() ? "WITH " : ", ") + renumbered(last.sql, offset);
      slot->name = "bundle_" + std::to_string(all.size()) + "_" + last.name; // of 63 bytes at most
      // Parts are carried out as the columns ask for them: the last statement takes its locks last.
      slot->sql = with + " SELECT " + counts + "(" + number + ")";
      slot->text = {slot->name.c_str(), slot->sql.c_str()};
    }
    text = &slot->text;
  }
  parameters together;
  for (auto& one : parts_) together.append(std::move(one.values));
  together.append(std::move(values));
  auto rows = over.run(in, *text, together);
  column_cursor at{rows[0]};
  for (const auto& one : parts_) {
    auto changed = static_cast<std::size_t>(at.number());
    if (one.count && changed != *one.count) throw row_conflict(one.why);
  }
  parts_.clear();
  return at.optional_number();
}

} // namespace dr::storage
