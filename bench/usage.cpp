#include "bench/usage.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace dr::bench {
namespace {

/// The fields of /proc/PID/stat from the third on (the second, a name in brackets, may hold blanks); empty when gone.
std::vector<std::string> stat_fields(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string text;
  std::getline(in, text, '\0'); // all of it; nothing, where an iterator would throw, when the process ends meanwhile
  const auto after_name = text.rfind(')');
  if (after_name == std::string::npos) return {};
  std::istringstream rest(text.substr(after_name + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

constexpr std::size_t parent_field = 1;
constexpr std::size_t user_time_field = 11; ///< then system time, and both of the children waited for
constexpr std::size_t resident_field = 21;

double ticks(const std::vector<std::string>& fields, std::size_t count) {
  static const auto per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::stod(fields.at(user_time_field + i));
  return sum / per_s;
}

} // namespace

usage usage_of(pid_t pid) {
  const auto fields = stat_fields(std::to_string(pid));
  if (fields.size() <= resident_field) return {};
  return {ticks(fields, 2), std::stoll(fields[resident_field]) * ::sysconf(_SC_PAGESIZE)};
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  const auto wanted = std::to_string(parent);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto fields = stat_fields(name);
    if (fields.size() > parent_field && fields[parent_field] == wanted) children.push_back(std::stoi(name));
  }
  return children;
}

pid_t parent_of(pid_t child) {
  const auto fields = stat_fields(std::to_string(child));
  return fields.size() > parent_field ? std::stoi(fields[parent_field]) : 0;
}

double cpu_s_of_family(pid_t parent) {
  const auto own = stat_fields(std::to_string(parent));
  double sum = own.size() > resident_field ? ticks(own, 4) : 0;
  for (const auto child : children_of(parent)) sum += usage_of(child).cpu_s;
  return sum;
}

} // namespace dr::bench
