#include "audit/account_view.hpp"

#include <set>

namespace dr::audit {

namespace {

using std::to_string;

bool wrong_shape(const ledger_entry& entry) {
  bool of_response = entry.response && entry.campaign && entry.revision > 0;
  bool of_nothing = !entry.response && !entry.campaign && entry.revision == 0;
  switch (entry.kind) {
  case entry_kind::opening:
    return entry.amount <= 0 || !of_nothing;
  case entry_kind::withdrawal:
    return entry.amount >= 0 || !of_nothing;
  case entry_kind::credit:
    return entry.amount <= 0 || !of_response;
  case entry_kind::reversal:
    return entry.amount >= 0 || !of_response;
  }
  return true;
}

void audit_entries(const storage::account& of, findings& out) {
  std::set<entry_id> credits;
  std::int64_t before = 0;
  std::int64_t sum = 0;
  for (const auto& entry : of.entries) {
    place where{of.user.id, entry.campaign, entry.response, {}, entry.id, 0};
    if (entry.balance_after != before + entry.amount)
      out.add(finding_kind::ledger_chain, where, "the balance after the entry does not follow from the one before",
              entry.balance_after, before + entry.amount);
    if (entry.balance_after < 0)
      out.add(finding_kind::ledger_entry, where, "a balance is below zero", entry.balance_after, 0);
    if (wrong_shape(entry))
      out.add(finding_kind::ledger_entry, where, std::string("this is no ") + to_string(entry.kind),
              "amount " + to_string(entry.amount) + ", revision " + to_string(entry.revision), "another sign or owner");
    if (entry.kind == entry_kind::reversal && (!entry.reverses || !credits.contains(*entry.reverses)))
      out.add(finding_kind::ledger_entry, where, "a reversal names no earlier credit of this user",
              entry.reverses ? to_string(entry.reverses->value) : "none", "a credit");
    if (entry.kind == entry_kind::credit) credits.insert(entry.id);
    before = entry.balance_after;
    sum += entry.amount;
  }
  place where{of.user.id, {}, {}, {}, {}, 0};
  if (of.user.points != sum)
    out.add(finding_kind::balance, where, "the balance is not the sum of the ledger", of.user.points, sum);
  if (of.user.points < 0 || of.user.owed_points < 0)
    out.add(finding_kind::balance, where, "a balance or what is owed is below zero",
            to_string(of.user.points) + " and " + to_string(of.user.owed_points), "0 or more");
}

/// What one check's entries credit; true when they are as its points say.
bool credits_agree(const response_file& file, findings& out) {
  const ledger_entry* latest = nullptr;
  std::set<std::pair<int, entry_kind>> seen;
  auto revision = file.check ? file.check->revision : 0;
  bool agree = true;
  auto differs = [&](const ledger_entry* entry, const char* what, std::string stored, std::string computed) {
    auto where = file.where();
    if (file.check) where.check = file.check->id;
    if (entry) where.entry = entry->id;
    out.add(finding_kind::credit, where, what, std::move(stored), std::move(computed));
    agree = false;
  };
  for (const auto* entry : file.entries) {
    if (entry->revision > revision)
      differs(entry, "points moved for a check, or a revision of it, that is not there",
              to_string(entry->amount) + " points for revision " + to_string(entry->revision),
              "revision " + to_string(revision) + " at most");
    else if (!seen.emplace(entry->revision, entry->kind).second)
      differs(entry, "the same revision moved points twice", to_string(entry->amount), "0");
    else if (entry->kind == entry_kind::credit && (!latest || entry->revision > latest->revision))
      latest = entry;
  }
  if (!file.check) return agree;
  auto points = file.check->adjust_points;
  // A recheck that comes to the same points makes no entry, one that comes to none only takes back.
  bool stands = points > 0 || (latest && latest->revision == revision);
  auto credited = latest ? latest->amount : 0;
  if (stands && credited != points)
    differs(latest, "the ledger does not credit what the check says", to_string(credited) + " points",
            to_string(points) + " points");
  return agree;
}

verification outcome_of(const reduction_check& check) {
  if (check.quality == check_quality::unverifiable) return verification::unverifiable;
  return check.is_real ? verification::real : verification::unreal;
}

bool to_verify(const response_file& file) {
  return file.of->status == campaign_status::end && file.of->frozen && !file.of->test &&
         file.response->frozen_answer() == answer::accept;
}

void audit_queue(const response_file& file, findings& out) {
  const auto* job = file.queued;
  if (!job) {
    if (to_verify(file) && !file.check)
      out.add(finding_kind::queue, file.where(), "an accept waits for its check, but is not queued", "no queue row",
              "a queued check");
    return;
  }
  if (!to_verify(file))
    out.add(finding_kind::queue, file.where(), "a check is queued where there is nothing to verify", "queued", "none");
  auto next = file.check ? file.check->revision + 1 : 1;
  if (job->revision != next)
    out.add(finding_kind::queue, file.where(), "the queued check has the wrong revision", job->revision, next);
  if (job->campaign != file.response->campaign || job->user != file.response->user)
    out.add(finding_kind::queue, file.where(), "the queued check names another user or campaign",
            "user " + to_string(job->user.value) + ", campaign " + to_string(job->campaign.value), "the response's");
}

void audit_state(const response_file& file, findings& out) {
  const auto& r = *file.response;
  auto where = file.where();
  auto told = std::string(to_string(r.answer)) + ", " + to_string(r.verification);
  if (!file.check) {
    if (r.verification != verification::none || r.turned)
      out.add(finding_kind::response, where, "the response is verified, but has no check", told, "none");
    return;
  }
  const auto& check = *file.check;
  where.check = check.id;
  if (!to_verify(file))
    out.add(finding_kind::check, where, "a check was made where there is nothing to verify", "a check", "none");
  if (check.campaign != r.campaign || check.user != r.user)
    out.add(finding_kind::check, where, "the check names another user or campaign than its response",
            "user " + to_string(check.user.value) + ", campaign " + to_string(check.campaign.value), "the response's");
  auto outcome = outcome_of(check);
  bool turned_right = (outcome != verification::real || r.answer == answer::accept) &&
                      (outcome != verification::unreal || r.answer == answer::deny);
  if (r.verification != outcome || !turned_right)
    out.add(finding_kind::response, where, "the response is not as its check left it", told, to_string(outcome));
}

} // namespace

account_view view_of(const storage::account& from, const campaign_map& campaigns, findings& out) {
  account_view view{from, campaigns, {}};
  for (const auto& r : from.responses) {
    auto found = campaigns.find(r.campaign);
    view.files[r.id] = {&r, found == campaigns.end() ? nullptr : &found->second, nullptr, nullptr, {}, {}};
  }
  auto of = [&](finding_kind kind, response_id id, place where, const char* what) -> response_file* {
    auto found = view.files.find(id);
    if (found != view.files.end()) return &found->second;
    where.user = from.user.id;
    where.response = id;
    out.add(kind, where, what, "response " + to_string(id.value), "a response of this user");
    return nullptr;
  };
  for (const auto& check : from.checks)
    if (auto* file = of(finding_kind::check, check.response, {{}, check.campaign, {}, check.id, {}, 0},
                        "a check belongs to no response of its user"))
      file->check = &check;
  for (const auto& job : from.queued)
    if (auto found = view.files.find(job.response); found != view.files.end()) found->second.queued = &job;
  for (const auto& entry : from.entries)
    if (entry.response)
      if (auto* file = of(finding_kind::ledger_entry, entry.response, {{}, entry.campaign, {}, {}, entry.id, 0},
                          "an entry belongs to no response of its user"))
        file->entries.push_back(&entry);
  for (const auto& e : from.events)
    if (e.response)
      if (auto* file = of(finding_kind::event, e.response, {{}, e.campaign, {}, {}, {}, e.seq},
                          "an event belongs to no response of its user"))
        file->events.push_back(&e);
  return view;
}

void audit_ledger(const account_view& view, findings& out) {
  const auto& of = view.account;
  audit_entries(of, out);
  bool agree = true;
  for (const auto& [id, file] : view.files) agree = credits_agree(file, out) && agree;
  if (!agree) return;
  // Each settlement moves the balance by what it credits anew, less what it credited before; what the balance could not
  // give back is owed.
  std::int64_t moved = -of.user.owed_points;
  std::int64_t credited = 0;
  for (const auto& entry : of.entries)
    if (entry.kind == entry_kind::credit || entry.kind == entry_kind::reversal) moved += entry.amount;
  for (const auto& check : of.checks) credited += check.adjust_points;
  if (moved != credited)
    out.add(finding_kind::credit, {of.user.id, {}, {}, {}, {}, 0},
            "credits and reversals, less what is owed, are not the points of the user's checks", moved, credited);
}

void audit_responses(const account_view& view, findings& out) {
  std::map<campaign_id, response_id> first;
  for (const auto& [id, file] : view.files) {
    if (auto [at, fresh] = first.emplace(file.response->campaign, id); !fresh)
      out.add(finding_kind::response, file.where(), "the user has a second response in the campaign",
              "response " + to_string(id.value), "only response " + to_string(at->second.value));
    if (!file.of) continue;
    audit_queue(file, out);
    audit_state(file, out);
  }
}

} // namespace dr::audit
