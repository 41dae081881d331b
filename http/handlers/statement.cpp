// The statement of a campaign: a million rows go out in bounded memory, a few thousand at a time, as fast as the client
// reads.
#include "http/codecs/statement_csv.hpp"
#include "http/handlers/common.hpp"
#include "http/negotiation.hpp"

#include <stdexcept>

namespace dr::http::handlers {

namespace {

constexpr int rows_per_chunk = 1000;
using rows = std::vector<storage::statement_row>;

struct statement_stream {
  front_context& app;
  campaign_id id;
  response_id after;
  std::string ready; ///< the first chunk, read before the answer began
  bool more = true;
};

std::string take(statement_stream& from, const rows& page) {
  std::string text;
  text.reserve(page.size() * 160);
  for (const auto& row : page) append_statement_row(text, row);
  if (!page.empty()) from.after = page.back().response.id;
  from.more = page.size() == static_cast<std::size_t>(rows_per_chunk);
  return text;
}

awaitable<std::optional<std::string>> next_chunk(std::shared_ptr<statement_stream> from) {
  if (!from->ready.empty()) co_return std::exchange(from->ready, {});
  if (!from->more) co_return std::nullopt;
  auto pending = read_statement(from->app, from->id, from->after, rows_per_chunk);
  const auto page = co_await std::move(pending);
  if (!page) throw std::runtime_error("the statement cannot be read on: " + page.error().detail);
  auto text = take(*from, *page);
  if (text.empty()) co_return std::nullopt;
  co_return text;
}

} // namespace

awaitable<reply> get_statement(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto pending = read_statement(c.app, *id, {}, rows_per_chunk);
  const auto page = co_await std::move(pending);
  if (!page) co_return refuse(c, page.error());
  auto stream = std::make_shared<statement_stream>(statement_stream{c.app, *id, {}, {}, true});
  stream->ready = statement_header() + take(*stream, *page);
  auto made = make_streamed_reply(200, std::string(csv_type), [stream] { return next_chunk(stream); });
  made.with("Content-Disposition", "attachment; filename=\"statement-" + std::to_string(id->value) + ".csv\"");
  co_return made;
}

} // namespace dr::http::handlers
