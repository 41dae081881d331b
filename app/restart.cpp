#include "app/restart.hpp"

#include "app/channel.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace dr {

namespace {

constexpr std::chrono::minutes longest_silence{30}; // the launcher's own limits are shorter

} // namespace

int restart_server(const std::filesystem::path& data_dir, const std::string& program, bool only_if_running) {
  const auto launcher = connect_to_launcher(data_dir);
  if (!launcher) {
    if (!only_if_running) std::fprintf(stderr, "drplatform: %s\n", launcher.error().detail.c_str());
    return exit_not_running;
  }
  launcher->send(std::string(restart_words::restart) + program);
  channel::message said;
  while (launcher->receive(said, longest_silence) == channel::outcome::message) {
    if (said.text.starts_with(restart_words::progress)) {
      std::printf("%s\n", said.text.c_str() + restart_words::progress.size());
      std::fflush(stdout);
    } else if (said.text.starts_with(restart_words::done)) {
      std::printf("%s\n", said.text.c_str() + restart_words::done.size());
      return EXIT_SUCCESS;
    } else if (said.text.starts_with(restart_words::failed)) {
      std::fprintf(stderr, "drplatform: %s\n", said.text.c_str() + restart_words::failed.size());
      return EXIT_FAILURE;
    }
  }
  std::fprintf(stderr, "drplatform: the launcher ended, or says nothing any more\n");
  return EXIT_FAILURE;
}

} // namespace dr
