#include "http/idempotency.hpp"

#include "http/codecs/json_reader.hpp"
#include "http/codecs/numbers.hpp"
#include "http/codecs/text.hpp"
#include "http/commands.hpp"
#include "http/reads.hpp"
#include "http/tokens.hpp"

#include <spdlog/spdlog.h>

namespace dr::http {

namespace {

/// False where the same request may fare better later.
bool is_lasting(const reply& answer) { return answer.status < 500 && answer.status != 429; }

/// The bytes to keep for an answer; empty for one that must not be kept.
std::string kept_text(const key_record& key, const reply& answer) {
  if (!is_lasting(answer)) return {};
  auto text = pack(answer);
  return key.seal_secret.empty() ? text : seal(text, key.seal_secret);
}

result<reply> from_kept(const key_record& key, std::string_view text) {
  if (key.seal_secret.empty()) return unpack(text);
  auto plain = unseal(text, key.seal_secret);
  if (!plain) return plain.error();
  return unpack(*plain);
}

result<reply> marked(result<reply> answer) {
  if (answer) answer->with("Idempotency-Replayed", "true");
  return answer;
}

actors::keyed make_keyed(const std::shared_ptr<key_record>& key,
                         std::function<std::string(const result<storage::written>&)> render) {
  auto made = std::make_shared<storage::keyed_request>();
  made->principal = key->principal;
  made->method = key->method;
  made->path = key->path;
  made->key = key->key;
  made->body_hash = key->body_hash;
  made->render = std::move(render);
  return made;
}

} // namespace

result<std::optional<std::string>> idempotency_key(const request_context& request) {
  const auto given = request.header("Idempotency-Key");
  if (!given) return std::optional<std::string>{};
  const auto wrong = [](const std::string& why) {
    return error{errc::invalid, "Idempotency-Key " + why + ".", {{"Idempotency-Key", why}}};
  };
  if (request.is_repeated("Idempotency-Key")) return wrong("must be given once");
  if (!is_visible_ascii(*given, max_key_characters)) return wrong("must be 1 to 128 visible ASCII characters");
  return std::optional<std::string>(*given);
}

std::string named_path(const request_context& request) { return "/" + std::string(request.tail(0)); }

std::shared_ptr<key_record> make_key_record(const call& c, std::string key, bool sealed) {
  auto made = std::make_shared<key_record>();
  made->principal = c.who.principal();
  made->method = to_string(c.http.verb);
  made->path = named_path(c.http);
  made->body_hash = hash_hex(c.http.body);
  if (sealed) made->seal_secret = c.app.access.secret() + "/" + key;
  made->key = std::move(key);
  return made;
}

awaitable<result<std::optional<reply>>> find_kept_answer(front_context& app, std::shared_ptr<key_record> key) {
  auto pending = find_keyed(app, key->principal, key->method, key->path, key->key);
  auto found = co_await std::move(pending);
  if (!found) co_return found.error();
  if (!*found) co_return std::optional<reply>{};
  if ((*found)->body_hash != key->body_hash) co_return fail(errc::key_reused);
  auto answer = marked(from_kept(*key, (*found)->answer));
  if (!answer) co_return answer.error();
  co_return std::optional<reply>(std::move(*answer));
}

actors::keyed keyed(const call& c, renderer render) {
  if (!c.key) return nullptr;
  return make_keyed(c.key, [key = c.key, render = std::move(render)](const result<storage::written>& outcome) {
    auto text = kept_text(*key, render(outcome));
    if (!text.empty()) key->recorded = true;
    return text;
  });
}

reply finish(const call& c, const result<storage::written>& outcome, const renderer& render) {
  const auto* before = outcome ? std::get_if<storage::replayed>(&*outcome) : nullptr;
  if (!before) return render(outcome);
  if (!c.key) return refuse(c, fail(errc::internal, "an unkeyed change was answered with a kept answer"));
  c.key->recorded = true;
  auto answer = marked(from_kept(*c.key, before->answer));
  return answer ? std::move(*answer) : refuse(c, answer.error());
}

awaitable<reply> keep_answer(front_context& app, std::shared_ptr<key_record> key, std::string instance, reply answer) {
  auto text = kept_text(*key, answer);
  if (!text.empty()) {
    storage::write what{storage::remember_answer{app.now()},
                        make_keyed(key, [text](const result<storage::written>&) { return text; })};
    auto pending = persist(app, std::move(what), app.request_timeout());
    auto done = co_await std::move(pending);
    if (!done && done.error().code == errc::key_reused) co_return problem_reply(done.error(), instance);
    const auto* before = done ? std::get_if<storage::replayed>(&*done) : nullptr;
    if (before) {
      auto first = marked(from_kept(*key, before->answer));
      co_return first ? std::move(*first) : problem_reply(first.error(), instance);
    }
    if (done) co_return answer;
    spdlog::warn("an idempotent answer could not be kept: {}", done.error().detail);
  }
  auto looking = find_kept_answer(app, key);
  auto kept = co_await std::move(looking);
  if (kept && *kept) co_return std::move(**kept);
  // With no answer before it, this one stands: a repetition works the request out anew, to the same end.
  if (kept || (!is_lasting(answer) && kept.error().code != errc::key_reused)) co_return answer;
  co_return problem_reply(kept.error(), instance);
}

std::string pack(const reply& answer) {
  std::string text;
  json_writer out(text);
  out.begin_object().field("status", answer.status).field("type", answer.content_type);
  out.key("headers").begin_array();
  for (const auto& [name, value] : answer.headers) out.begin_array().value(name).value(value).end_array();
  out.end_array().field("body", answer.body).end_object();
  return text;
}

result<reply> unpack(std::string_view text) {
  const auto wrong = fail(errc::internal, "a kept answer cannot be read");
  const auto json = parse_json_object(text);
  if (!json) return wrong;
  const auto* status = json->find("status");
  const auto* type = json->find("type");
  const auto* headers = json->find("headers");
  const auto* body = json->find("body");
  const auto code = status ? parse_digits(status->text) : std::nullopt;
  if (!code || !type || !headers || !body || *code < 200 || *code > 599) return wrong;
  auto made = make_reply(static_cast<unsigned>(*code), type->text, body->text);
  for (const auto& pair : headers->items)
    if (pair.items.size() == 2) made.with(pair.items[0].text, pair.items[1].text);
  return made;
}

} // namespace dr::http
