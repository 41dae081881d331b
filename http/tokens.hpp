// Access tokens: random, recognisable by their prefix, and stored only as hashes (the admin's own file excepted).
#pragma once

#include "domain/error.hpp"

#include <sodium/crypto_generichash.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace dr::http {

inline constexpr std::size_t max_token_characters = 256;

/// "dra_…" for the admin, "drc_…" for a customer: 256 random bits in base64url.
std::string new_admin_token();
std::string new_customer_token();
/// False for what can be no customer's token, so that nobody need look for it.
bool may_be_customer_token(std::string_view text) noexcept;
/// Lower-case hex of BLAKE2b-256. Tokens are random, so a fast hash is enough.
std::string hash_hex(std::string_view text);
/// The same of a text that comes in pieces.
class running_hash {
public:
  running_hash();
  void add(std::string_view piece);
  std::string hex() const;

private:
  crypto_generichash_state state_;
};
/// Compares in a time that does not depend on where they differ.
bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept;
/// Reads the admin token's file, or makes it (mode 0600) when there is none. Fails: invalid (not a token), internal.
result<std::string> load_or_make_admin_token(const std::filesystem::path& file);

/// Encrypts and authenticates a text under a secret; the result is hex.
std::string seal(std::string_view text, std::string_view secret);
/// The text again. Fails: invalid when the secret or the text is another.
result<std::string> unseal(std::string_view sealed, std::string_view secret);

} // namespace dr::http
