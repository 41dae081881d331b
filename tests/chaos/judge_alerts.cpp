// Pushes: whoever was connected got every alert, or a snapshot that contains it; nobody got another one's.
#include "tests/chaos/judge.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace dr::chaos {

namespace {

std::int64_t number(const json& of, const char* name) { return of.at(name).get<std::int64_t>(); }

bool is_alert(const std::string& type) { return type == "campaign.announced" || type == "campaign.started"; }

/// When, by a client's clock, a campaign can have begun and ended at the earliest and the latest.
struct lifetime {
  steady::time_point not_before = steady::time_point::max();        ///< its order was first sent
  steady::time_point surely_open = steady::time_point::max();       ///< its order was acknowledged
  steady::time_point surely_open_until = steady::time_point::max(); ///< nobody had asked for its end yet
  std::int64_t place = 0;                                           ///< of its order in the event log
};

std::map<std::int64_t, lifetime> lifetimes_of(const history& seen, const final_state& said) {
  std::map<std::int64_t, lifetime> out;
  for (const auto& op : seen.operations()) {
    if (op.attempts.empty()) continue;
    if (op.kind == operation_kind::order_campaign && op.result() == outcome::acknowledged) {
      auto& of = out[number(op.acknowledged_body(), "id")];
      of.not_before = op.attempts.front().begun;
      of.surely_open = op.attempts.back().ended;
      // One that ends by itself may do so at any moment.
      if (!op.wanted.value("endsAt", json(nullptr)).is_null()) of.surely_open_until = steady::time_point::min();
    }
    if (op.kind == operation_kind::end_campaign || op.kind == operation_kind::cancel_campaign) {
      auto& until = out[op.campaign].surely_open_until;
      until = std::min(until, op.attempts.front().begun);
    }
  }
  for (const auto& event : said.events)
    if (event.at("type") == "DRstarted") out[number(event, "drId")].place = number(event, "seq");
  return out;
}

/// What one session said of each campaign, in order.
struct heard {
  std::set<std::int64_t> in_snapshot;
  std::map<std::int64_t, std::vector<std::string>> live;
  std::int64_t last_place = 0; ///< of the newest campaign that was alerted live
};

heard listen(const session& at, const std::map<std::int64_t, lifetime>& lives, findings& out) {
  heard made;
  for (const auto& open : at.snapshot.at("campaigns")) made.in_snapshot.insert(number(open.at("campaign"), "id"));
  std::set<std::pair<std::int64_t, std::int64_t>> checked;
  for (const auto& message : at.messages) {
    const auto type = message.body.at("type").get<std::string>();
    if (type.starts_with("campaign.")) {
      const auto id = number(message.body.at("campaign"), "id");
      made.live[id].push_back(type);
      if (!is_alert(type)) continue;
      if (number(message.body.at("response"), "userId") != at.user)
        out.add(promises::alerts, "user ", at.user, " was sent the alert of user ",
                number(message.body.at("response"), "userId"));
      if (const auto of = lives.find(id); of != lives.end())
        made.last_place = std::max(made.last_place, of->second.place);
    } else if (type == "reduction.checked") {
      const auto& check = message.body.at("check");
      checked.emplace(number(check, "responseId"), number(check, "revision"));
      if (number(check, "userId") != at.user)
        out.add(promises::alerts, "user ", at.user, " was sent a check of user ", number(check, "userId"));
    } else if (type == "point.changed" && !message.body.at("entry").at("responseId").is_null()) {
      const auto response = number(message.body.at("entry"), "responseId");
      if (checked.lower_bound({response, 0}) == checked.lower_bound({response + 1, 0}))
        out.add(promises::alerts, "user ", at.user, " was told points of response ", response, " before its check");
    }
  }
  return made;
}

/// `over_by_snapshot`: it may have been over when the snapshot was read, which then leaves it out; what was heard of it
/// while that was read is told all the same, a change or its end alone.
void judge_row(const session& at, std::int64_t campaign, bool in_snapshot, bool over_by_snapshot,
               const std::vector<std::string>& row, findings& out) {
  bool known = in_snapshot || over_by_snapshot;
  const bool began_with_change =
      !in_snapshot && row.front() == "campaign.changed"; // then it was over: no alert follows
  bool started = false;
  bool over = false;
  for (const auto& type : row) {
    const bool wrong = (!known && type == "campaign.changed") || (began_with_change && is_alert(type)) ||
                       (type == "campaign.announced" && started) ||
                       (over && (is_alert(type) || type == "campaign.changed"));
    if (wrong)
      out.add(promises::alerts, "user ", at.user, " heard of campaign ", campaign, " in a wrong order: ", json(row));
    known = true;
    started = started || type == "campaign.started";
    over = over || type == "campaign.ended" || type == "campaign.canceled";
  }
}

void judge_session(const session& at, const std::map<std::int64_t, lifetime>& lives, const std::set<std::int64_t>& mine,
                   findings& out) {
  const auto said = listen(at, lives, out);
  for (const auto& [campaign, row] : said.live) {
    const auto life = lives.find(campaign);
    const bool over_by_snapshot =
        life != lives.end() && life->second.not_before <= at.whole && life->second.surely_open_until <= at.whole;
    judge_row(at, campaign, said.in_snapshot.contains(campaign), over_by_snapshot, row, out);
    if (!mine.contains(campaign))
      out.add(promises::alerts, "user ", at.user, " was told of campaign ", campaign, ", of which it is no part");
  }
  for (auto campaign : mine) {
    const auto found = lives.find(campaign);
    if (found == lives.end()) continue;
    const auto& life = found->second;
    const bool live = said.live.contains(campaign);
    const bool came_later = life.not_before > at.whole;
    // A connection that lives has everything; of one that was lost, everything up to what it got last.
    const bool had_to_come = !at.ended || life.place <= said.last_place;
    if (came_later && had_to_come && !live)
      out.add(promises::alerts, "user ", at.user, " was connected and never alerted of campaign ", campaign);
    const bool open_all_along = life.surely_open < at.opened && life.surely_open_until > at.whole;
    if (open_all_along && !said.in_snapshot.contains(campaign))
      out.add(promises::alerts, "user ", at.user, " came back into a snapshot without campaign ", campaign);
    const bool around = !came_later && life.surely_open_until > at.whole;
    if (around && !at.ended && !live && !said.in_snapshot.contains(campaign))
      out.add(promises::alerts, "user ", at.user, " has neither alert nor snapshot of campaign ", campaign);
  }
}

} // namespace

void judge_alerts(const history& seen, const final_state& said, findings& out) {
  const auto lives = lifetimes_of(seen, said);
  std::map<std::int64_t, std::set<std::int64_t>> campaigns_of; // by user
  for (const auto& [id, response] : said.responses)
    campaigns_of[number(response, "userId")].insert(number(response, "drId"));
  for (const auto& at : seen.sessions())
    if (!at.snapshot.is_null()) judge_session(at, lives, campaigns_of[at.user], out);
}

} // namespace dr::chaos
