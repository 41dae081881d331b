// Helpers of the configuration's tests.
#pragma once

#include "config/load.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>

namespace config_test {

/// A folder of its own for each test, removed afterwards.
class scratch_folder {
public:
  scratch_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "dr-config-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name) << content;
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

/// The text with the first occurrence of a part replaced.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Loads a file of this content.
inline dr::result<dr::loaded_settings> load(const std::string& toml) {
  scratch_folder here;
  return dr::load_settings({here.write("c.toml", toml), {}, {}});
}

inline std::string why_refused(const std::string& toml) {
  auto made = load(toml);
  REQUIRE_FALSE(made.has_value());
  return made.error().detail;
}

} // namespace config_test
