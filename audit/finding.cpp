#include "audit/finding.hpp"

namespace dr::audit {

namespace {

struct kind_text {
  const char* name;
  const char* meaning;
};

constexpr std::array<kind_text, finding_kinds> texts{{
    {"balance",
     "The balance was changed past the ledger, or a ledger entry was lost or added. The ledger and the events "
     "tell which."},
    {"ledger-chain", "A ledger entry before this one was lost, added or changed."},
    {"ledger-entry",
     "The ledger is append-only and the server never writes such an entry: it was changed by other hands."},
    {"credit", "Points were credited twice, not at all, or in another amount than the reduction check says."},
    {"double-credit", "One reduction was credited to two campaigns. Order a recheck of the later one."},
    {"settlement",
     "The check was changed after it was made, or the metering data, the user's other answers or the holiday "
     "calendar behind it were. Compare with the event; a recheck settles it from fresh data."},
    {"check", "The check was changed after it was made, or its response or event was."},
    {"response", "The response was changed, lost or added past the server."},
    {"queue", "A check would never be made, or be made again. Without its queue row a response waits for ever."},
    {"campaign-counts",
     "The campaign's numbers were changed, or its responses or checks were; where those are in order, "
     "they are the truth."},
    {"event", "An event was lost or changed, or the state it explains was changed past the server."},
    {"event-numbers", "Events were lost or added: clients that follow the log would miss or repeat something."},
    {"stray", "A row was deleted that others refer to. History is never deleted: restore it from a backup."},
    {"id-source", "The next row would get an id that is in use, and the server's writes would fail. Set the sequence "
                  "beyond the highest id."},
    {"refreshed",
     "Not an error of the books: metering data or answers came in after the check. A recheck would use them."},
    {"not-recomputable", "Not an error of the books: the metering data that the check was made from is not kept. Its "
                         "figures were compared with its event and the ledger only."},
}};

} // namespace

const char* to_string(finding_kind kind) noexcept { return texts[static_cast<std::size_t>(kind)].name; }
const char* meaning(finding_kind kind) noexcept { return texts[static_cast<std::size_t>(kind)].meaning; }

bool is_difference(finding_kind kind) noexcept {
  return kind != finding_kind::refreshed && kind != finding_kind::not_recomputable;
}

void findings::add(finding one) {
  auto& count = counts_[static_cast<std::size_t>(one.kind)];
  if (static_cast<std::size_t>(count++) < kept_per_kind_) kept_.push_back(std::move(one));
}

std::int64_t findings::differences() const noexcept {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < finding_kinds; ++i)
    if (is_difference(static_cast<finding_kind>(i))) sum += counts_[i];
  return sum;
}

std::string place_text(const place& where) {
  std::string text;
  auto add = [&](const char* name, std::int64_t id) {
    if (id != 0) text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(id);
  };
  add("user", where.user.value);
  add("campaign", where.campaign.value);
  add("response", where.response.value);
  add("check", where.check.value);
  add("ledger entry", where.entry.value);
  add("event", where.event);
  return text;
}

} // namespace dr::audit
