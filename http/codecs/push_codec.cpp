#include "http/codecs/push_codec.hpp"

#include "http/codecs/entities.hpp"

namespace dr::http {

namespace {

using actors::campaign_notice_kind;

constexpr std::size_t usual_tail = 320; ///< of an alert, in bytes

const char* name_of(campaign_notice_kind kind) noexcept {
  switch (kind) {
  case campaign_notice_kind::announced:
    return "campaign.announced";
  case campaign_notice_kind::started:
    return "campaign.started";
  case campaign_notice_kind::changed:
    return "campaign.changed";
  case campaign_notice_kind::ended:
    return "campaign.ended";
  case campaign_notice_kind::canceled:
    return "campaign.canceled";
  }
  return "campaign.changed";
}

/// {"type": …, rest …}
template <class Rest> std::string live_message(std::string_view type, Rest rest) {
  std::string text;
  json_writer out(text);
  out.begin_object().field("type", type);
  rest(out);
  out.end_object();
  return text;
}

} // namespace

std::string push_codec::alert_head(campaign_notice_kind kind, const campaign& c) const {
  auto text = campaign_message(kind, c);
  text.pop_back(); // the message goes on with the personal part
  return text + ",\"response\":";
}

std::string push_codec::alert_tail(const response& r) const {
  std::string text;
  text.reserve(usual_tail);
  json_writer out(text);
  write_response(out, r);
  text += '}'; // the message's
  return text;
}

std::string push_codec::campaign_message(campaign_notice_kind kind, const campaign& c) const {
  return live_message(name_of(kind), [&](json_writer& out) { write_campaign(out.key("campaign"), c); });
}

std::string push_codec::response_changed(const response& r) const {
  return live_message("response.changed", [&](json_writer& out) { write_response(out.key("response"), r); });
}

std::string push_codec::reduction_checked(const reduction_check& check) const {
  return live_message("reduction.checked", [&](json_writer& out) { write_check(out.key("check"), check); });
}

std::string push_codec::point_changed(user_id user, std::int64_t points, const ledger_entry& entry) const {
  return live_message("point.changed", [&](json_writer& out) {
    out.field("userId", user.value).field("point", points);
    write_entry(out.key("entry"), entry);
  });
}

std::string push_codec::admin_event(const event& e) const {
  return live_message("event", [&](json_writer& out) { write_event(out.key("event"), e); });
}

std::string push_codec::admin_summary(const campaign& c) const {
  return live_message("summary", [&](json_writer& out) { write_summary(out.key("summary"), c, true); });
}

} // namespace dr::http
