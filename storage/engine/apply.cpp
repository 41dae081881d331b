#include "storage/engine/apply.hpp"

namespace dr::storage {

namespace {

template <class T>
concept timed = requires(const T& what) {
  what.at;
};

time_point time_or_latest(const change& what, rows& over) {
  auto at = time_of(what);
  return at ? *at : over.latest_time();
}

result<written> run(const change& what, rows& over, std::vector<event>& events) {
  return std::visit([&](const auto& c) { return rules::apply(c, over, events); }, what);
}

} // namespace

std::optional<time_point> time_of(const change& what) noexcept {
  auto at = std::visit(
      [](const auto& c) -> time_point {
        if constexpr (timed<decltype(c)>)
          return c.at;
        else
          return c.check.checked_at; // settle_check
      },
      what);
  if (at == time_point{}) return std::nullopt;
  return at;
}

response presented(response stored, const campaign& of, bool queued) {
  stored.expected_points = expected_points(of, stored.capacity_w);
  if (queued && stored.verification == verification::none) {
    stored.verification = verification::pending;
    ++stored.version;
  }
  return stored;
}

result<written> execute(const write& what, rows& over, std::vector<event>& events) {
  if (!what.keyed) return run(what.what, over, events);
  const auto& keyed = *what.keyed;
  request_key key{keyed.principal, keyed.method, keyed.path, keyed.key};
  auto at = time_or_latest(what.what, over);
  auto before = over.find_request(key);
  if (before && at - before->created_at < key_lifetime) {
    if (before->kept.body_hash == keyed.body_hash) return written{replayed{before->kept.answer}};
    return fail(errc::key_reused, "this Idempotency-Key was used with another body; use a new key");
  }
  auto outcome = run(what.what, over, events);
  if (auto answer = keyed.render(outcome); !answer.empty())
    over.put_request(key, {{keyed.body_hash, std::move(answer)}, at});
  return outcome;
}

void merge(stored_day& into, const stored_day& news) noexcept {
  for (std::size_t i = 0; i < into.profile.wh.size(); ++i)
    if (news.profile.wh[i] != day_profile::missing) into.profile.wh[i] = news.profile.wh[i];
  into.closed = into.closed || news.closed;
  into.fetched_at = news.fetched_at;
}

namespace rules {

result<written> apply(const save_profile& what, rows& over, events_out&) {
  over.merge_day(what.cust_no, what.day, {what.profile, what.closed, what.at});
  return written{done{1}};
}

void keep(const std::vector<save_profile>& days, rows& over) {
  for (const auto& one : days) over.merge_day(one.cust_no, one.day, {one.profile, one.closed, one.at});
}

result<written> apply(const remember_answer&, rows&, events_out&) { return written{done{}}; }

} // namespace rules

} // namespace dr::storage
