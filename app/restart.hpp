// `drplatform restart`: asks the launcher of a data folder to put a new server in the place of the running one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace dr {

/// The words between the launcher and who asks it; a text for people follows all but the first, which a program's path
/// follows.
namespace restart_words {
inline constexpr std::string_view restart = "restart ";
inline constexpr std::string_view progress = "progress ";
inline constexpr std::string_view done = "done ";
inline constexpr std::string_view failed = "failed ";
} // namespace restart_words

/// Exit code when no launcher runs on the data folder (EX_UNAVAILABLE).
inline constexpr int exit_not_running = 69;

/// Has the server of a data folder replaced by `program`, without losing a request; prints how it goes. Returns when
/// the new server is ready and the old one has ended: 0; 1 and the reason when that failed; exit_not_running, silently
/// if `only_if_running`.
int restart_server(const std::filesystem::path& data_dir, const std::string& program, bool only_if_running);

} // namespace dr
