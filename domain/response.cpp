#include "domain/response.hpp"

namespace dr {

result<void> may_answer(const campaign& c, const response& r, answer wanted, time_point now) {
  if (wanted == r.answer || (r.turned && wanted == r.frozen_answer())) return {};
  if (c.status == campaign_status::canceled)
    return fail(errc::answer_frozen, "the campaign was canceled; answers can no longer change");
  if (c.status == campaign_status::end)
    return fail(errc::answer_frozen, "the campaign has ended; answers can no longer change");
  // The end may be due but not yet recorded: whoever answers now would answer for a window that is over.
  if (c.ends_at && now >= *c.ends_at)
    return fail(errc::answer_frozen,
                "the campaign ended at " + format_rfc3339(*c.ends_at) + "; answers can no longer change");
  if (c.respond_by && now >= *c.respond_by)
    return fail(errc::answer_frozen, "answers were taken until " + format_rfc3339(*c.respond_by));
  if (wanted == answer::ignore) return invalid_field("/answer", "must be accept or deny");
  return {};
}

} // namespace dr
