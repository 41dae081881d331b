#include "storage/postgres/connection.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace dr::storage {

namespace {

/// Between two statements of a transaction we only compute. Who idles longer sleeps, or is at the far end of a cable
/// that was pulled, and holds up everybody behind its locks: a successor, or itself on a new connection.
constexpr std::chrono::milliseconds idle_in_transaction_max{5'000};

/// A keyword's value for libpq, in the form that the given address is written in.
void add_option(std::string& url, std::string_view name, std::string_view value) {
  if (url.find(std::string(name) + "=") != std::string::npos) return; // the operator's own wish goes first
  bool uri = url.starts_with("postgres://") || url.starts_with("postgresql://");
  if (!uri) {
    url += " " + std::string(name) + "='";
    for (char c : value) url += (c == '\'' || c == '\\') ? std::string{'\\', c} : std::string{c};
    url += "'";
    return;
  }
  url += (url.find('?') == std::string::npos ? "?" : "&") + std::string(name) + "=";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (plain.find(c) != std::string_view::npos)
      url += c;
    else
      (url += '%').append({hex[byte >> 4], hex[byte & 15]});
  }
}

std::string address(const postgres_options& options, const std::string& purpose) {
  auto url = options.url;
  // A peer that vanished without a word must not hold a writer for the two hours that TCP would.
  add_option(url, "connect_timeout", std::to_string(std::max<std::int64_t>(options.connect_timeout.count(), 2)));
  add_option(url, "application_name", options.application_name + " " + purpose);
  add_option(url, "keepalives", "1");
  add_option(url, "keepalives_idle", "10");
  add_option(url, "keepalives_interval", "5");
  add_option(url, "keepalives_count", "3");
  add_option(url, "tcp_user_timeout", "20000");
  add_option(url, "client_encoding", "UTF8");
  return url;
}

/// The first line of a message of the client library: what happened, without values or hints.
std::string first_line(const char* text) {
  std::string_view line = text;
  // These would quote from the address, which may hold the password; the name of a host, if it is cut off wrongly.
  const auto says = [&](std::string_view words) { return line.find(words) != std::string_view::npos; };
  for (std::string_view quoting :
       {"connection info string", "URI", "connection option", "percent-encoded", "port number"})
    if (says(quoting)) return "the database address cannot be read";
  if (says("host name") && says("@")) return "the database address cannot be read: write an @ in its password as %40";
  return std::string(line.substr(0, line.find('\n')));
}

std::vector<const char*> planner_settings(workload load) {
  std::vector<const char*> settings{"SET jit = off", "SET random_page_cost = 1.1"};
  if (load == workload::rows_by_key) {
    // For a thousand keys the planner likes to read all of a table of 200,000 rows, which is five times slower than the
    // index. With these there is but one plan for each statement, the right one, and it is made once.
    for (const auto* setting :
         {"SET enable_seqscan = off", "SET enable_hashjoin = off", "SET enable_mergejoin = off",
          "SET max_parallel_workers_per_gather = 0", "SET plan_cache_mode = 'force_generic_plan'"})
      settings.push_back(setting);
  } else {
    settings.push_back("SET plan_cache_mode = 'force_custom_plan'");
  }
  return settings;
}

failure by_state(std::string_view state) {
  if (state.empty()) return failure::lost;
  if (state.starts_with("40") || state == "55P03" || state == "23505") return failure::conflict;
  if (state == sqlstate::changed_meanwhile || state == sqlstate::session_over) return failure::conflict;
  constexpr std::array<std::string_view, 5> down = {"08", "53", "57", "58", "28"};
  for (auto group : down)
    if (state.starts_with(group)) return failure::unavailable;
  if (state == "25006" || state == "42P01" || state == "3D000" || state == "25P03") return failure::unavailable;
  return failure::refused;
}

outage_cause cause_by_state(std::string_view state) {
  if (state == "53100") return outage_cause::disk_full;
  if (state == "53300") return outage_cause::too_many_connections;
  if (state == "25006") return outage_cause::read_only;
  if (state == "57014") return outage_cause::hanging; // the statement's time was over
  if (state.starts_with("28")) return outage_cause::authentication;
  if (state.starts_with("57P")) return outage_cause::starting;
  return state.starts_with("08") ? outage_cause::unreachable : outage_cause::other;
}

/// A connection that could not be made brings no SQLSTATE, only words. They choose the words for the operator and
/// nothing else; of a server that speaks another language the cause stays "unreachable", with what it said.
outage_cause cause_by_words(std::string_view said) {
  using enum outage_cause;
  constexpr std::pair<std::string_view, outage_cause> known[] = {{"authentication failed", authentication},
                                                                 {"pg_hba.conf", authentication},
                                                                 {"no password supplied", authentication},
                                                                 {"too many c", too_many_connections},
                                                                 {"connection slots", too_many_connections},
                                                                 {"starting up", starting},
                                                                 {"shutting down", starting},
                                                                 {"recovery mode", starting},
                                                                 {"not yet accepting", starting},
                                                                 {"timeout expired", hanging},
                                                                 {"No space left", disk_full}};
  for (const auto& [words, cause] : known)
    if (said.find(words) != std::string_view::npos) return cause;
  return unreachable;
}

} // namespace

/// Keeps the client library's notices out of stderr.
class connection::silencer : public pqxx::errorhandler {
public:
  using pqxx::errorhandler::errorhandler;
  bool operator()(const char message[]) noexcept override {
    spdlog::debug("storage: {}", first_line(message));
    return false;
  }
};

connection::connection(postgres_options options, std::string purpose, std::chrono::milliseconds statement_timeout,
                       workload load)
    : options_(std::move(options)), purpose_(std::move(purpose)), statement_timeout_(statement_timeout), load_(load) {}

connection::~connection() { drop(); }

bool connection::is_open() const noexcept { return open_ && open_->is_open(); }

pqxx::connection& connection::use() {
  if (is_open()) return *open_;
  drop();
  if (aborted_) throw unusable_database("the call was given up");
  last_ = nullptr;
  open_ = std::make_unique<pqxx::connection>(address(options_, purpose_));
  silencer_ = std::make_unique<silencer>(*open_);
  {
    // A descriptor of our own: the library may close its one at any moment, and the number may be somebody else's by
    // then.
    std::scoped_lock lock{socket_mutex_};
    socket_ = ::fcntl(open_->sock(), F_DUPFD_CLOEXEC, 0);
  }
  if (aborted_) throw unusable_database("the call was given up");
// The library offers no other way to keep it from reconnecting in the middle of an object's life.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  open_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  prepare_session();
  if (!last_complaint_.empty()) spdlog::info("storage: {} is connected again", purpose_);
  last_complaint_.clear();
  return *open_;
}

void connection::prepare_session() {
  pqxx::nontransaction session{*open_};
  auto timeout = std::to_string(statement_timeout_.count());
  session.exec("SET statement_timeout = " + timeout);
  session.exec("SET idle_in_transaction_session_timeout = " + std::to_string(idle_in_transaction_max.count()));
  session.exec("SET TimeZone = 'UTC'");
  // The statements are written for it; stricter ones would only fail more often.
  session.exec("SET default_transaction_isolation = 'read committed'");
  for (const auto* setting : planner_settings(load_)) session.exec(setting);
  auto standby = session.exec1("SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')");
  if (standby[0].as<bool>())
    throw unusable_database("the database is a read-only standby: point DR_DATABASE_URL at the primary",
                            outage_cause::read_only);
  if (standby[1].as<std::string>() == "on")
    throw unusable_database("the database is set to read-only", outage_cause::read_only);
}

void connection::forget_socket() noexcept {
  std::scoped_lock lock{socket_mutex_};
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void connection::drop() noexcept {
  forget_socket();
  prepared_.clear();
  silencer_.reset();
  open_.reset();
}

void connection::abort() noexcept {
  aborted_ = true;
  std::scoped_lock lock{socket_mutex_};
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

pqxx::result connection::run(pqxx::transaction_base& in, const statement& what, const parameters& values) {
  last_ = &what;
  if (prepared_.insert(what.name).second) open_->prepare(what.name, what.sql);
  auto pointers = values.pointers();
  return in.exec_prepared(what.name, pqxx::prepare::make_dynamic_params(pointers));
}

void connection::stream(pqxx::transaction_base& in, const statement& what, const parameters& values,
                        const row_taker& take) {
  last_ = &what;
  const auto given = values.pointers();
  const auto sql = replace_placeholders(what.sql, [&](std::size_t number) {
    const auto* value = given.at(number - 1);
    return value ? in.quote(value) : std::string{"NULL"};
  });
  // The library copies tables only, and takes a query in parentheses for the name of one.
  pqxx::stream_from rows{in, "(" + sql + ")"};
  for (std::string line; rows.get_raw_line(line);) {
    if (line.ends_with('\n')) line.pop_back();
    column_cursor at{std::string_view{line}};
    take(at);
  }
  rows.complete();
}

void connection::note(outage_cause cause, const char* said) { outage_ = {cause, first_line(said)}; }

failure connection::explain(const std::exception& why) noexcept {
  try {
    const auto* unusable = dynamic_cast<const unusable_database*>(&why);
    if (unusable || dynamic_cast<const pqxx::broken_connection*>(&why) || !is_open()) {
      auto complaint = first_line(why.what());
      note(unusable ? unusable->cause : cause_by_words(complaint), why.what());
      if (complaint != last_complaint_) spdlog::warn("storage: {}: {}", purpose_, complaint);
      last_complaint_ = complaint;
      return failure::lost;
    }
    // Deadlocks and serialization failures; the library keeps no SQLSTATE of these.
    if (dynamic_cast<const pqxx::transaction_rollback*>(&why)) {
      spdlog::info("storage: {}: statement {} lost a race: {}", purpose_, last_ ? last_->name : "(session)",
                   first_line(why.what()));
      return failure::conflict;
    }
    const auto* refused = dynamic_cast<const pqxx::sql_error*>(&why);
    if (!refused || dynamic_cast<const pqxx::insufficient_privilege*>(&why)) { // which comes without its SQLSTATE
      spdlog::error("storage: {}: {}", purpose_, first_line(why.what()));
      return failure::refused;
    }
    auto kind = by_state(refused->sqlstate());
    if (refused->sqlstate() == sqlstate::changed_meanwhile) return kind; // as foreseen
    if (kind == failure::unavailable) note(cause_by_state(refused->sqlstate()), why.what());
    spdlog::log(kind == failure::conflict ? spdlog::level::info : spdlog::level::err,
                "storage: {}: statement {} failed with SQLSTATE {}", purpose_, last_ ? last_->name : "(session)",
                refused->sqlstate());
    if (last_) spdlog::debug("storage: {}: the statement was {}", purpose_, last_->sql);
    return kind;
  } catch (...) {
    return failure::lost;
  }
}

error outside_view(failure what) {
  switch (what) {
  case failure::lost:
    return fail(errc::store_unavailable, "the database cannot be reached");
  case failure::conflict:
    return fail(errc::store_unavailable, "the database is busy");
  case failure::unavailable:
    return fail(errc::store_unavailable, "the database does not answer at the moment");
  case failure::refused:
    break;
  }
  return fail(errc::internal, "the database refused what it was asked");
}

} // namespace dr::storage
