// The store's pool of readers: a bounded queue, one task at a time per reader, a watchdog for each.
#include "actors/errors.hpp"
#include "actors/house.hpp"
#include "actors/store.hpp"

#include <caf/atom.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

/// How soon a lost reader is asked again whether it is back.
constexpr std::chrono::milliseconds reader_retry{20};
/// A task that finds its reader gone goes to another one, so many times.
constexpr int read_tries_max = 5;
/// One turn of so many is for those behind, so that nobody waits for ever.
constexpr unsigned turns_of_those_behind = 4;

} // namespace

std::shared_ptr<read_pool::waiting> read_pool::take() {
  const bool behind = leading.empty() || ++led % turns_of_those_behind == 0;
  if (auto next = behind ? take_behind() : nullptr) return next;
  if (leading.empty()) return nullptr;
  auto next = std::move(leading.front());
  leading.pop_front();
  return next;
}

std::shared_ptr<read_pool::waiting> read_pool::take_behind() {
  const auto lost = std::ranges::count(readers, condition::lost, &slot::at); // perhaps by a list
  const bool may_be_lengthy = readers.size() == 1 || lengthy + static_cast<std::size_t>(lost) + 1 < readers.size();
  const auto other = std::ranges::find_if(
      others, [&](const auto& one) { return may_be_lengthy || one->task.urgency != urgency::lengthy; });
  std::shared_ptr<waiting> next;
  if (other != others.end() && (prompt.empty() || ++turns % turns_of_those_behind == 0)) {
    next = std::move(*other);
    others.erase(other);
  } else if (!prompt.empty()) {
    next = std::move(prompt.front());
    prompt.pop_front();
  }
  return next;
}

std::vector<std::shared_ptr<read_pool::waiting>> read_pool::take_older(store_instant since) {
  std::vector<std::shared_ptr<waiting>> out;
  for (auto* line : {&leading, &prompt, &others})
    for (; !line->empty() && line->front()->since <= since; line->pop_front()) out.push_back(std::move(line->front()));
  return out;
}

caf::result<read_done> store_state::take(read_task& task) {
  if (reads.queued() >= options.read_queue_max)
    return to_caf(fail(errc::overloaded, "too many queries are waiting: try again in a moment"));
  auto what = std::make_shared<read_pool::waiting>();
  what->task = std::move(task);
  auto promise = self->make_response_promise<read_done>();
  what->reply = promise;
  what->since = self->clock().now();
  reads.queue_of(what->task).push_back(what);
  pump_reads();
  return promise;
}

/// In a line that is too long everybody would be read just when the caller gives up, and nobody be served: what has
/// waited for half of its time is refused.
void store_state::pump_reads() {
  for (auto& late : reads.take_older(self->clock().now() - options.read_timeout / 2))
    late->reply.deliver(to_caf(fail(errc::timed_out, "the query waited too long: try again")));
  for (;;) {
    auto idle = std::ranges::find(reads.readers, read_pool::condition::idle, &read_pool::slot::at);
    if (idle == reads.readers.end()) return;
    auto next = reads.take();
    if (!next) return;
    run_read(static_cast<std::size_t>(idle - reads.readers.begin()), std::move(next));
  }
}

void store_state::run_read(std::size_t reader, std::shared_ptr<read_pool::waiting> what) {
  auto& slot = reads.readers[reader];
  slot.at = read_pool::condition::busy;
  ++what->tries;
  const std::size_t lengthy = what->task.urgency == urgency::lengthy ? 1 : 0;
  reads.lengthy += lengthy;
  self->request(slot.worker.handle, options.read_timeout, what->task)
      .then(
          [this, reader, what, lengthy](const read_done& done) {
            reads.lengthy -= lengthy;
            reads.readers[reader].at = read_pool::condition::idle;
            note_read(done.outage);
            what->reply.deliver(done);
            pump_reads();
          },
          [this, reader, what, lengthy](const caf::error& why) {
            reads.lengthy -= lengthy;
            read_lost(reader, *what, why);
          });
}

void store_state::read_lost(std::size_t reader, read_pool::waiting& what, const caf::error& why) {
  lose(reader);
  if (why == caf::sec::request_timeout) {
    spdlog::error("reader {} gave no answer in {} ms; its connection is broken off", reader + 1,
                  options.read_timeout.count());
    last_error = "a query took too long";
    reads.readers[reader].worker.slot->abort();
    what.reply.deliver(to_caf(fail(errc::timed_out, "the query took too long: try again")));
  } else if (why.category() == caf::atom("system") &&
             why.code() == static_cast<std::uint8_t>(caf::sec::runtime_error)) {
    what.reply.deliver(to_caf(fail(errc::internal, "the query failed")));
  } else if (what.tries >= read_tries_max) {
    what.reply.deliver(to_caf(fail(errc::store_unavailable, "storage cannot be read: try again")));
  } else { // the reader was not there: the query was not begun, and goes to whoever is free first
    auto& queue = reads.queue_of(what.task);
    queue.push_front(std::make_shared<read_pool::waiting>(std::move(what)));
  }
  pump_reads();
}

void store_state::lose(std::size_t reader) {
  reads.readers[reader].at = read_pool::condition::lost;
  self->delayed_send(self, reader_retry, reader_due{reader});
}

/// A reader counts as back when it answers: a stuck one, when its thread has come home.
void store_state::look_for(std::size_t reader) {
  self->request(reads.readers[reader].worker.handle, options.read_timeout, read_task{})
      .then(
          [this, reader](const read_done&) {
            reads.readers[reader].at = read_pool::condition::idle;
            pump_reads();
          },
          [this, reader](const caf::error& why) {
            if (why == caf::sec::request_timeout) reads.readers[reader].worker.slot->abort();
            lose(reader);
          });
}

/// A reader that does not reach the database has nothing to say about its statement; one that took too long has.
void store_state::note_read(const storage::outage& outage) {
  using storage::outage_cause;
  if (outage.cause == outage_cause::none) {
    if (reads.failing) spdlog::info("storage can be read again");
    reads.failing.reset();
    return;
  }
  if (outage.cause == outage_cause::hanging) return;
  last_error = outage.said;
  if (!reads.failing) {
    reads.failing = failing_time{self->clock().now(), real_now()};
    spdlog::error("storage cannot be read: {}", outage.said);
  }
  reads.failing->cause = outage.cause;
}

/// While reads fail, somebody has to find out that they work again.
void store_state::probe_reads() {
  if (!reads.failing || reads.probing) return;
  reads.probing = true;
  read_task ping{[](storage::reader& from) { (void)from.ping(); }};
  auto over = [this] { reads.probing = false; };
  self->request(store_actor{self}, options.read_timeout, std::move(ping))
      .then([over](const read_done&) { over(); }, [over](const caf::error&) { over(); });
}

} // namespace dr::actors
