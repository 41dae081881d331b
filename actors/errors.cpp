#include "actors/errors.hpp"

#include "actors/messages.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

namespace dr::actors {

namespace {

constexpr caf::atom_value category = caf::atom("dr");

// A receiver that died may have died before, in the middle of, or after its work, and its requests look the same to us
// in every case. So the honest word is "unknown": whoever asks again learns the truth, a write as well as a read.
constexpr const char* interrupted =
    "the request was interrupted by a restart and may or may not have been carried out: ask again";

error of_exit_reason(caf::exit_reason reason) {
  if (reason == caf::exit_reason::user_shutdown) return fail(errc::shutting_down, "the server is shutting down");
  return fail(errc::outcome_unknown, interrupted);
}

error of_system_error(caf::sec code) {
  switch (code) {
  case caf::sec::request_timeout:
    return fail(errc::timed_out, "no answer within the time given: ask again");
  case caf::sec::request_receiver_down:
  case caf::sec::runtime_error:
    return fail(errc::outcome_unknown, interrupted);
  default:
    return fail(errc::internal, "an internal request failed");
  }
}

} // namespace

caf::error to_caf(error why) {
  auto code = static_cast<std::uint8_t>(why.code);
  return {code, category, caf::make_message(std::move(why))};
}

error from_caf(const caf::error& why) {
  if (!why) return fail(errc::internal, "an error without a reason");
  if (why.category() == category) {
    if (why.context().match_elements<error>()) return why.context().get_as<error>(0);
    return fail(static_cast<errc>(why.code()));
  }
  if (why.category() == caf::atom("system")) return of_system_error(static_cast<caf::sec>(why.code()));
  if (why.category() == caf::atom("exit")) return of_exit_reason(static_cast<caf::exit_reason>(why.code()));
  return fail(errc::internal, "an internal request failed");
}

std::string describe(const caf::error& why) {
  if (!why) return "ended";
  if (why.category() == category) {
    auto inner = from_caf(why);
    return inner.detail.empty() ? to_string(inner.code) : std::string{to_string(inner.code)} + ": " + inner.detail;
  }
  if (why.context().match_elements<std::string>()) return why.context().get_as<std::string>(0);
  if (why.category() == caf::atom("exit")) return to_string(static_cast<caf::exit_reason>(why.code()));
  if (why.category() == caf::atom("system")) return to_string(static_cast<caf::sec>(why.code()));
  return caf::to_string(why);
}

void add_error_category(caf::actor_system_config& config) {
  config.add_error_category(category, [](std::uint8_t code, caf::atom_value, const caf::message& context) {
    return describe(caf::error{code, category, context});
  });
}

} // namespace dr::actors
