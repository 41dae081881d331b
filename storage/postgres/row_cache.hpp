// The rows of one table that a transaction has read or changed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace dr::storage {

template <class Key, class Row> class row_cache {
public:
  struct slot {
    std::optional<Row> row; ///< nothing: known not to exist
    bool changed = false;   ///< to be written
    bool stored = false;    ///< it is in the table already
    std::int64_t was = 0;   ///< its version there; of a campaign, the transaction that wrote it
  };

  slot* find(const Key& key) {
    auto at = slots_.find(key);
    return at == slots_.end() ? nullptr : &at->second;
  }
  const slot* find(const Key& key) const {
    auto at = slots_.find(key);
    return at == slots_.end() ? nullptr : &at->second;
  }
  bool knows(const Key& key) const { return slots_.contains(key); }
  /// Keeps what was read; what the transaction has already is newer.
  void loaded(const Key& key, Row row, std::int64_t version = 0) {
    auto& at = slots_[key];
    if (at.row) return;
    at = {std::move(row), false, true, version};
  }
  void absent(const Key& key) { slots_.try_emplace(key); }
  void put(const Key& key, Row row) {
    auto& at = slots_[key];
    at.row = std::move(row);
    at.changed = true;
  }
  void forget(const Key& key) { slots_.erase(key); }
  void clear() { slots_.clear(); }
  /// The rows to be written, by key: the order in which every transaction takes its locks.
  std::vector<std::pair<Key, slot*>> changed() {
    std::vector<std::pair<Key, slot*>> out;
    for (auto& [key, at] : slots_)
      if (at.changed) out.emplace_back(key, &at);
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return out;
  }
  auto begin() { return slots_.begin(); }
  auto end() { return slots_.end(); }

private:
  std::unordered_map<Key, slot> slots_;
};

} // namespace dr::storage
