// Bulk enrolment: the list is read as it arrives, and each chunk of it is one transaction. With an Idempotency-Key each
// chunk has a key of its own (the key, chunk_mark, n), so that the same list sent again after an interruption goes on
// where it stopped.
#include "http/codecs/import_answer.hpp"
#include "http/codecs/import_csv.hpp"
#include "http/handlers/common.hpp"
#include "http/tokens.hpp"

#include <algorithm>

namespace dr::http::handlers {

namespace {

// Part of the contract with a repeated import: chunks must fall on the same rows again.
constexpr std::size_t rows_per_transaction = 2000;
constexpr std::size_t max_listed_errors = 1000;
/// No client's key holds it.
constexpr char chunk_mark = '\x01';

struct import_run {
  call& c;
  std::optional<std::string> key;
  import_reader reader;
  storage::imported total;
  std::int64_t chunk = 0;
  bool unlisted = false;
  bool repeated = false; ///< the whole list was answered before: it is only compared
  running_hash whole = {};

  void note(std::vector<storage::imported::line_error>& errors) {
    for (auto& e : errors) {
      if (total.errors.size() < max_listed_errors)
        total.errors.push_back(std::move(e));
      else
        unlisted = true;
    }
    errors.clear();
  }
};

actors::keyed chunk_key(const import_run& run, const std::vector<storage::import_row>& rows) {
  if (!run.key) return nullptr;
  auto made = std::make_shared<storage::keyed_request>();
  made->principal = run.c.who.principal();
  made->method = to_string(run.c.http.verb);
  made->path = named_path(run.c.http);
  made->key = *run.key + chunk_mark + std::to_string(run.chunk);
  made->body_hash = hash_hex(fingerprint(rows));
  made->render = [](const result<storage::written>& outcome) {
    const auto* done = outcome ? std::get_if<storage::imported>(&*outcome) : nullptr;
    return done ? to_json(*done) : std::string{};
  };
  return made;
}

awaitable<result<void>> save_chunk(import_run& run, std::vector<storage::import_row> rows) {
  ++run.chunk;
  if (run.repeated) co_return result<void>{};
  auto key = chunk_key(run, rows);
  storage::write what{storage::import_users{std::move(rows), run.c.app.config->users.assign_cust_no, run.c.app.now()},
                      std::move(key)};
  auto pending = persist(run.c.app, std::move(what), run.c.app.config->database.bulk_timeout);
  auto outcome = co_await std::move(pending);
  if (!outcome) co_return outcome.error();
  storage::imported done;
  if (auto* fresh = std::get_if<storage::imported>(&*outcome)) done = std::move(*fresh);
  if (const auto* before = std::get_if<storage::replayed>(&*outcome)) {
    auto kept = parse_imported(before->answer);
    if (!kept) co_return kept.error();
    done = std::move(*kept);
  }
  run.total.created += done.created;
  run.total.updated += done.updated;
  run.note(done.errors);
  co_return result<void>{};
}

/// Saves full chunks, and at the end what is left.
awaitable<result<void>> save_ready(import_run& run, bool all) {
  auto& rows = run.reader.rows();
  std::size_t begin = 0;
  while (rows.size() - begin >= rows_per_transaction || (all && begin < rows.size())) {
    const auto count = std::min(rows_per_transaction, rows.size() - begin);
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(begin);
    std::vector<storage::import_row> chunk(std::make_move_iterator(first),
                                           std::make_move_iterator(first + static_cast<std::ptrdiff_t>(count)));
    begin += count;
    auto saving = save_chunk(run, std::move(chunk));
    auto saved = co_await std::move(saving);
    if (!saved) co_return saved.error();
  }
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(begin));
  run.note(run.reader.errors());
  co_return result<void>{};
}

awaitable<result<void>> read_all(import_run& run) {
  for (;;) {
    auto piece = co_await run.c.http.next_chunk();
    if (!piece) co_return piece.error();
    if (!*piece) break;
    run.whole.add(**piece);
    const auto fed = run.reader.feed(**piece);
    auto saved = co_await save_ready(run, false);
    if (!saved) co_return saved.error();
    if (!fed) co_return fed.error();
  }
  const auto over = run.reader.finish();
  if (!over) co_return over.error();
  co_return co_await save_ready(run, true);
}

reply summarise(import_run& run) {
  auto& errors = run.total.errors;
  std::stable_sort(errors.begin(), errors.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  if (run.unlisted) errors.push_back({0, "", "there are more errors than can be listed"});
  return json_reply(run.c.how, 200, to_json(run.total));
}

reply refuse_rest(const import_run& run, error why) {
  if (run.total.created + run.total.updated > 0) {
    const auto done = "Before it " + std::to_string(run.total.created) + " users were enrolled and " +
                      std::to_string(run.total.updated) + " changed.";
    why.detail += " " + done;
    run.c.http.done_before_fault = done;
  }
  return refuse(run.c, why);
}

} // namespace

awaitable<reply> import_users(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  auto key = idempotency_key(c.http);
  if (!key) co_return refuse(c, key.error());
  import_run run{c, *key, {}, {}};
  std::shared_ptr<key_record> record;
  if (*key) {
    record = make_key_record(c, **key, false);
    auto looking = find_keyed(c.app, record->principal, record->method, record->path, record->key);
    const auto kept = co_await std::move(looking);
    if (!kept) co_return refuse(c, kept.error());
    run.repeated = kept->has_value();
  }
  const auto done = co_await read_all(run);
  if (!done) co_return refuse_rest(run, done.error());
  if (!record) co_return summarise(run);
  record->body_hash = run.whole.hex();
  if (run.repeated) {
    auto looking = find_kept_answer(c.app, record);
    auto kept = co_await std::move(looking);
    if (!kept) co_return refuse(c, kept.error());
    if (*kept) co_return std::move(**kept);
    co_return refuse(c, fail(errc::timed_out, "The key's 24 hours ended while the list was read, and nothing was "
                                              "enrolled; send it again."));
  }
  auto keeping = keep_answer(c.app, record, c.how.instance, summarise(run));
  co_return co_await std::move(keeping);
}

} // namespace dr::http::handlers
