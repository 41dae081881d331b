#include "http/tokens.hpp"

#include "config/data_dir.hpp"
#include "http/codecs/text.hpp"

#include <sodium.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace dr::http {

namespace {

constexpr std::size_t token_bytes = 32;
constexpr std::size_t shortest_token = 16;
constexpr std::string_view customer_prefix = "drc_";

void need_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium cannot be initialised");
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string new_token(std::string_view prefix) {
  need_sodium();
  std::array<unsigned char, token_bytes> random{};
  randombytes_buf(random.data(), random.size());
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(random.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), random.data(), random.size(), variant);
  text.pop_back(); // the terminating zero
  return std::string(prefix) + text;
}

std::string hash_bytes(std::string_view text) {
  need_sodium();
  std::string out(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(), bytes_of(text), text.size(), nullptr, 0);
  return out;
}

} // namespace

std::string new_admin_token() { return new_token("dra_"); }
std::string new_customer_token() { return new_token(customer_prefix); }
bool may_be_customer_token(std::string_view text) noexcept {
  constexpr std::size_t characters = (token_bytes * 8 + 5) / 6;
  return text.starts_with(customer_prefix) && text.size() == customer_prefix.size() + characters;
}

std::string hash_hex(std::string_view text) { return to_hex(hash_bytes(text)); }

running_hash::running_hash() {
  need_sodium();
  crypto_generichash_init(&state_, nullptr, 0, crypto_generichash_BYTES);
}

void running_hash::add(std::string_view piece) { crypto_generichash_update(&state_, bytes_of(piece), piece.size()); }

std::string running_hash::hex() const {
  auto state = state_;
  std::string out(crypto_generichash_BYTES, '\0');
  crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(out.data()), out.size());
  return to_hex(out);
}

bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

result<std::string> load_or_make_admin_token(const std::filesystem::path& file) {
  auto text = read_small_file(file, 4096);
  if (!text && text.error().code == errc::not_found) {
    auto token = new_admin_token();
    if (auto written = write_secret_file(file, token + "\n"); !written) return written.error();
    return token;
  }
  if (!text) return text.error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
  if (text->size() < shortest_token || !is_visible_ascii(*text, max_token_characters))
    return fail(errc::invalid, "the admin token's file does not hold a token of 16 to 256 visible characters");
  return std::move(*text);
}

std::string seal(std::string_view text, std::string_view secret) {
  const auto key = hash_bytes(secret);
  std::string out(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size(), '\0');
  auto* nonce = reinterpret_cast<unsigned char*>(out.data());
  randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, bytes_of(text), text.size(), nonce, bytes_of(key));
  return to_hex(out);
}

result<std::string> unseal(std::string_view sealed, std::string_view secret) {
  const auto key = hash_bytes(secret);
  std::vector<unsigned char> raw(sealed.size() / 2);
  std::size_t size = 0;
  const bool hex = sodium_hex2bin(raw.data(), raw.size(), sealed.data(), sealed.size(), nullptr, &size, nullptr) == 0;
  constexpr auto overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  const auto wrong = fail(errc::invalid, "The kept answer cannot be read any more; use a new Idempotency-Key.");
  if (!hex || size < overhead) return wrong;
  std::string out(size - overhead, '\0');
  const auto* box = raw.data() + crypto_secretbox_NONCEBYTES;
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(out.data()), box, size - crypto_secretbox_NONCEBYTES,
                                 raw.data(), bytes_of(key)) != 0)
    return wrong;
  return out;
}

} // namespace dr::http
