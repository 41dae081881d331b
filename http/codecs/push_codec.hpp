// The WebSocket's wire format of live messages.
#pragma once

#include "actors/messages.hpp"

namespace dr::http {

/// Thread-safe and pure.
class push_codec final : public actors::push_encoder {
public:
  std::string alert_head(actors::campaign_notice_kind kind, const campaign& c) const override;
  std::string alert_tail(const response& r) const override;
  std::string campaign_message(actors::campaign_notice_kind kind, const campaign& c) const override;
  std::string response_changed(const response& r) const override;
  std::string reduction_checked(const reduction_check& check) const override;
  std::string point_changed(user_id user, std::int64_t points, const ledger_entry& entry) const override;
  std::string admin_event(const event& e) const override;
  std::string admin_summary(const campaign& c) const override;
};

} // namespace dr::http
