#include "app/launcher_console.hpp"

#include <curl/curl.h>

#include <cstdio>
#include <sys/wait.h>

namespace dr {

namespace {

constexpr long probe_timeout_ms = 500;

std::size_t forget(char*, std::size_t size, std::size_t count, void*) { return size * count; }

} // namespace

std::string url_of(endpoint at) {
  if (at.host == "0.0.0.0") at.host = "127.0.0.1";
  if (at.host == "::") at.host = "::1";
  return "http://" + at.text();
}

long probe(const std::string& url) {
  CURL* request = curl_easy_init();
  if (!request) return 0;
  long status = 0;
  curl_easy_setopt(request, CURLOPT_URL, url.c_str());
  curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, probe_timeout_ms);
  curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, forget);
  if (curl_easy_perform(request) == CURLE_OK) curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(request);
  return status;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("was ended by signal ") + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

void print_banner(const launcher_options& options, const endpoint& address) {
  const auto base = url_of(address);
  const auto token = options.data_dir / "admin.token";
  const auto who = options.auth_off ? std::string() : " -H \"Authorization: Bearer $(cat '" + token.string() + "')\"";
  std::printf("\nDR Platform is ready at %s\n", base.c_str());
  if (options.auth_off)
    std::printf("  authentication  off: whoever reaches the address is the admin\n");
  else
    std::printf("  admin token     %s\n", token.c_str());
  std::printf("  data folder     %s\n", options.data_dir.c_str());
  if (!options.simulator_command.empty())
    std::printf("  KEPCO simulator %s\n", url_of(options.simulator_address).c_str());
  std::printf("\nTry next:\n");
  std::printf("  curl -s %s/health\n", base.c_str());
  std::printf("  curl -s %s/users%s -H 'Content-Type: application/json' \\\n"
              "       -d '{\"name\":\"samsung\",\"point\":1000,\"capacity\":400}'\n",
              base.c_str(), who.c_str());
  std::printf("  curl -s %s/drs/startdr%s -H 'Content-Type: application/json' \\\n"
              "       -d '{\"name\":\"dr for test\",\"type\":\"reliable\"}'\n",
              base.c_str(), who.c_str());
  std::printf("  curl -s %s/overview%s\n", base.c_str(), who.c_str());
  if (!options.simulator_command.empty())
    std::printf("  script/demo     (in a second terminal: simulated customers play one campaign)\n");
  std::printf(
      "\nCtrl-C stops everything; `drplatform restart` or another script/server puts a new build in its place.\n\n");
  std::fflush(stdout);
}

} // namespace dr
