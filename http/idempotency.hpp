// Idempotency-Key: the same key and body get the first answer again, another body gets 422.
#pragma once

#include "http/answers.hpp"
#include "http/context.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace dr::http {

inline constexpr std::size_t max_key_characters = 128;

/// The key of one request. `recorded` is set by the store's thread once it asked for the answer to keep.
struct key_record {
  std::string principal;
  std::string method;
  std::string path;
  std::string key;
  std::string body_hash;
  std::string seal_secret; ///< not empty: the kept answer holds a secret and is encrypted under this
  std::atomic<bool> recorded{false};
};

/// The request's key, or nothing. Fails: invalid, when it is not 1 … 128 visible ASCII characters.
result<std::optional<std::string>> idempotency_key(const request_context& request);
/// The path in one spelling, however the client escaped it: a key is a key of the resource.
std::string named_path(const request_context& request);
/// The record of a request with a key. `sealed`: its answer holds a secret.
std::shared_ptr<key_record> make_key_record(const call& c, std::string key, bool sealed);

/// The answer that was kept; nothing when the key is new. Fails: key_reused, store errors.
awaitable<result<std::optional<reply>>> find_kept_answer(front_context& app, std::shared_ptr<key_record> key);
/// What a command carries so that the store keeps the answer in the same transaction; null without a key.
actors::keyed keyed(const call& c, renderer render);
/// The reply to a command: what was kept if it was answered before, else the rendered outcome.
reply finish(const call& c, const result<storage::written>& outcome, const renderer& render);
/// Keeps an answer that no change has kept; a 5xx is not kept. If the key was answered before (or at once with this),
/// that first answer is returned, if need be a problem: key_reused, or store errors when it cannot be found out.
awaitable<reply> keep_answer(front_context& app, std::shared_ptr<key_record> key, std::string instance, reply answer);

/// A reply as text and back. Fails: invalid.
std::string pack(const reply& answer);
result<reply> unpack(std::string_view text);

} // namespace dr::http
