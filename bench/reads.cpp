// Reads: a live summary and single users, against a bare Beast server that answers the same bytes; and all responses of
// a campaign by `next`, against the same SELECTs alone.
#include "bench/crowd.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <random>

namespace dr::bench {
namespace {

constexpr int connections = 64;

/// One target (or several of the same size) read as fast as it goes, ours and bare in turn.
void read_one(bench& on, server& platform, const params& with, const std::string& name, double least,
              const std::string& sample, std::function<std::string()> target) {
  const test::scratch_folder folder;
  write_answer(folder.path() / "answer", platform.raw("GET", sample));
  const bare_server bare(on.where, {"fixed", "--answer", (folder.path() / "answer").string()});
  const auto requests = platform.requests();
  series ours, theirs, cpu;
  load_options load;
  load.connections = connections;
  load.warm_up = on.warm_up();
  load.time = on.load_time();
  load.next = [&](std::int64_t, std::string& out) { requests.write(out, "GET", target()); };
  for (int i = 0; i < on.rounds(); ++i) {
    load.port = platform.port();
    const auto before = platform.used();
    const auto got = run_load(load);
    ours.add(all_good(got, name).per_s());
    cpu.add(cpu_us_per(before, platform.used(), got.ok()));
    load.port = bare.port();
    theirs.add(all_good(run_load(load), name + " from the bare server").per_s());
  }
  case_result r;
  r.name = name;
  r.with = with;
  r.unit = "1/s";
  r.ours = ours.median();
  r.bare = theirs.median();
  r.spread = ours.spread();
  r.cpu_us = cpu.median();
  r.rss_bytes = platform.used().rss_bytes;
  r.goals = {{goal::of::ratio, goal::bound::at_least, least}};
  on.add(r);
}

// ---- walking -------------------------------------------------------------------------------------------------------

constexpr int page_size = 1'000;

/// All pages; the times of the first and the last ten in ms.
struct walk {
  double seconds = 0;
  std::vector<double> pages_ms;
  double mean(bool last) const {
    const auto count = std::min<std::size_t>(10, pages_ms.size());
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += last ? pages_ms[pages_ms.size() - 1 - i] : pages_ms[i];
    return sum / static_cast<double>(count);
  }
};

/// `page` reads the page behind an id and returns its last id, or 0 at the end.
walk walk_all(const std::function<std::int64_t(std::int64_t after)>& page) {
  walk all;
  const auto since = std::chrono::steady_clock::now();
  for (std::int64_t after = 0;;) {
    const auto began = std::chrono::steady_clock::now();
    const auto last = page(after);
    all.pages_ms.push_back(seconds_since(began) * 1000);
    if (last <= after) break;
    after = last;
  }
  all.seconds = seconds_since(since);
  return all;
}

/// The `after` of a page's `next` link; 0 on the last page.
std::int64_t next_after(const std::string& body) {
  const auto links = body.rfind(R"("next":{"href":")");
  if (links == std::string::npos) return 0;
  return std::stoll(body.substr(body.find("after=", links) + 6, 20));
}

/// What the product reads for a page.
std::string page_query(const crowd& of, std::int64_t after) {
  return fmt::format(
      "SELECT r.id,r.campaign_id,r.user_id,u.name,r.capacity_w,r.method,r.saa,r.answer,r.turned,"
      "dr_ms(r.answered_at),dr_ms(r.delivered_at),r.verification,r.version,v.response_id IS NOT NULL,c.version "
      "FROM response r JOIN users u ON u.id = r.user_id LEFT JOIN verification v ON v.response_id = r.id "
      "JOIN campaign c ON c.id = r.campaign_id "
      "WHERE r.campaign_id = {} AND r.id > {} ORDER BY r.id LIMIT {}",
      of.campaign, after, page_size);
}

} // namespace

void reads(bench& on) {
  const int users = on.pick(500, 100'000);
  crowd all(on.where, users);
  server platform(on.where, all.data);
  all.dispatch(platform);
  const params with{{"connections", connections}, {"users", users}};
  auto summary = fmt::format("/drs/{}/summary", all.campaign);
  read_one(on, platform, with, "read-summary", 0.6, summary, [&] { return summary; });
  // Nine of ten ask for one of a few users.
  std::mt19937 random(1);
  std::uniform_int_distribution<int> ten(0, 9), hot(1, std::min(users, 1'000)), any(1, users);
  read_one(on, platform, with, "read-user", 0.5, fmt::format("/users/{}", users / 2),
           [&] { return fmt::format("/users/{}", ten(random) == 0 ? any(random) : hot(random)); });
}

void walking_responses(bench& on) {
  const int users = on.pick(3'000, 1'000'000);
  crowd all(on.where, users);
  server platform(on.where, all.data);
  all.dispatch(platform);
  test::http_client client(platform.port());
  client.always_send({{"Authorization", "Bearer " + platform.token()}});
  auto sql = all.data.open();
  sql.execute("SET jit = off; SET random_page_cost = 1.1");
  series ours, bare, last_to_first, cpu;
  for (int i = 0; i < on.pick(1, 3); ++i) {
    const auto before = platform.used();
    const auto walked = walk_all([&](std::int64_t after) {
      const auto page = client.get(fmt::format("/responses?drId={}&size={}&after={}", all.campaign, page_size, after));
      if (page.status != 200) throw std::runtime_error("a page was refused: " + page.body);
      return next_after(page.body);
    });
    cpu.add(cpu_us_per(before, platform.used(), users));
    ours.add(users / walked.seconds);
    last_to_first.add(walked.mean(true) / walked.mean(false));
    bare.add(users / walk_all([&](std::int64_t after) { return sql.last_number(page_query(all, after)); }).seconds);
  }
  case_result r;
  r.name = "walk-responses";
  r.with = {{"responses", users}, {"size", page_size}};
  r.unit = "rows/s";
  r.ours = ours.median();
  r.bare = bare.median();
  r.spread = ours.spread();
  r.cpu_us = cpu.median();
  r.rss_bytes = platform.used().rss_bytes;
  r.goals = {{goal::of::ratio, goal::bound::at_least, 0.7}};
  on.add(r);
  case_result flat;
  flat.name = "walk-responses-last-to-first";
  flat.with = r.with;
  flat.unit = "×";
  flat.ours = last_to_first.median();
  flat.goals = {{goal::of::ours, goal::bound::at_most, 1.2}};
  on.add(flat);
}

} // namespace dr::bench
