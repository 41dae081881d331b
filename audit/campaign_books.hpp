// The campaigns of an audit: their stored numbers against what the accounts came to, and their events.
#pragma once

#include "audit/account_view.hpp"

namespace dr::audit {

class campaign_books {
public:
  explicit campaign_books(campaign_map campaigns) : campaigns_(std::move(campaigns)) {}
  const campaign_map& campaigns() const noexcept { return campaigns_; }

  /// Counts one response.
  void count(const response_file& file);
  /// Notes an event that names a campaign and no user.
  void note(const event& e, findings& out);
  /// When all responses and events are in.
  void conclude(findings& out) const;

private:
  /// The events of one campaign's course; 0: not there.
  struct course {
    std::int64_t started = 0;
    std::int64_t listed = 0;
    std::int64_t begun = 0;
    std::int64_t ended = 0;
    std::int64_t canceled = 0;
    std::int64_t saved = 0;
  };
  void conclude_counts(const campaign& c, findings& out) const;
  void conclude_course(const campaign& c, findings& out) const;

  campaign_map campaigns_;
  std::map<campaign_id, campaign_counts> counted_;
  std::map<campaign_id, course> courses_;
};

} // namespace dr::audit
