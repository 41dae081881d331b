// Request bodies → commands, strictly: every wrong field is reported with its pointer.
#pragma once

#include "domain/campaign.hpp"
#include "domain/response.hpp"
#include "http/codecs/json_reader.hpp"
#include "storage/writes.hpp"

namespace dr::http {

/// Whether a body comes by PUT or POST (lenient: what was read may be sent back) or by PATCH (read-only fields
/// refused).
enum class leniency : unsigned char { lenient, strict };

inline constexpr std::size_t max_name_characters = 200;
inline constexpr std::int64_t min_capacity_w = 1'000;
inline constexpr std::int64_t max_capacity_w = 1'000'000'000;
inline constexpr std::int64_t max_order_w = 100'000'000'000;
inline constexpr std::int64_t max_points = 1'000'000'000'000;

/// Everything here fails with malformed or invalid. `at`, ids and versions are filled in by the caller.
result<storage::create_user> decode_new_user(std::string_view body);
result<storage::change_user> decode_user_change(std::string_view body, leniency how);
/// `amount` only.
result<std::int64_t> decode_withdrawal(std::string_view body);
/// `now` becomes the date of an order that names none.
result<campaign_order> decode_order(std::string_view body, time_point now);

/// What a PUT or PATCH of a campaign asks for.
struct campaign_edit {
  campaign_change change;
  bool end = false;      ///< status "end"
  bool canceled = false; ///< status "canceled": as a canceled campaign is read, and nothing to ask for
};
inline constexpr const char* canceled_elsewhere = "is set by POST to /drs/{id}/cancel";
result<campaign_edit> decode_campaign_edit(std::string_view body, leniency how);
/// The reason of a cancellation.
result<std::string> decode_cancellation(std::string_view body);
/// The answer of PUT /responses/{id}.
result<answer> decode_answer(std::string_view body);
/// What a command is sent to.
enum class resource : unsigned char { user, campaign, response, check };
/// The body of a command that needs none: empty, or the resource as it was read, or a part of it.
result<void> decode_nothing(std::string_view body, resource about);

} // namespace dr::http
