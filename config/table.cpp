#include "config/table.hpp"

#include "config/parse.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <numeric>

namespace dr {

namespace {

using namespace std::chrono;

// In what follows `at` is a generic lambda that gives the field of a settings object, const or not.

template <class At> setting_row whole(std::string key, At at, std::int64_t least, std::int64_t most, std::string help) {
  setting_row row{std::move(key), std::move(help),
                  "a whole number from " + std::to_string(least) + " to " + std::to_string(most)};
  row.set = [=](settings& s, const std::string& text) {
    const auto value = parse_whole(text);
    if (!value || *value < least || *value > most) return false;
    at(s) = static_cast<std::decay_t<decltype(at(s))>>(*value);
    return true;
  };
  row.get = [=](const settings& s) { return std::to_string(at(s)); };
  return row;
}

template <class At> setting_row number(std::string key, At at, double least, double most, std::string help) {
  setting_row row{std::move(key), std::move(help),
                  "a number from " + decimal_text(least) + " to " + decimal_text(most)};
  row.set = [=](settings& s, const std::string& text) {
    const auto value = parse_decimal(text);
    if (!value || *value < least || *value > most) return false;
    at(s) = *value;
    return true;
  };
  row.get = [=](const settings& s) { return decimal_text(at(s)); };
  return row;
}

// A duration in seconds, to the millisecond.
template <class At> setting_row span_s(std::string key, At at, double least_s, double most_s, std::string help) {
  setting_row row{std::move(key), std::move(help),
                  "a number of seconds from " + decimal_text(least_s) + " to " + decimal_text(most_s)};
  row.set = [=](settings& s, const std::string& text) {
    const auto value = parse_decimal(text);
    if (!value || *value < least_s || *value > most_s) return false;
    at(s) = milliseconds{std::llround(*value * 1000)};
    return true;
  };
  row.get = [=](const settings& s) { return decimal_text(static_cast<double>(at(s).count()) / 1000); };
  return row;
}

// A duration in whole units of its own type (minutes, hours).
template <class At>
setting_row span(std::string key, At at, std::int64_t least, std::int64_t most, std::string unit, std::string help) {
  setting_row row{std::move(key), std::move(help),
                  "a whole number of " + unit + " from " + std::to_string(least) + " to " + std::to_string(most)};
  row.set = [=](settings& s, const std::string& text) {
    const auto value = parse_whole(text);
    if (!value || *value < least || *value > most) return false;
    at(s) = std::decay_t<decltype(at(s))>{*value};
    return true;
  };
  row.get = [=](const settings& s) { return std::to_string(at(s).count()); };
  return row;
}

template <class At> setting_row on_off(std::string key, At at, std::string help) {
  setting_row row{std::move(key), std::move(help), "true or false"};
  row.set = [=](settings& s, const std::string& text) {
    const auto value = parse_switch(text);
    if (value) at(s) = *value;
    return value.has_value();
  };
  row.get = [=](const settings& s) { return std::string(at(s) ? "true" : "false"); };
  return row;
}

template <class At> setting_row address(std::string key, At at, std::string help) {
  setting_row row{std::move(key), std::move(help), "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080"};
  row.set = [=](settings& s, const std::string& text) {
    const auto value = parse_endpoint(text);
    if (value) at(s) = *value;
    return value.has_value();
  };
  row.get = [=](const settings& s) { return at(s).text(); };
  return row;
}

template <class At> setting_row hidden(std::string key, At at, std::string help) {
  setting_row row{std::move(key), std::move(help), "a text without line breaks", true};
  row.set = [=](settings& s, const std::string& text) {
    if (text.find_first_of("\r\n") != text.npos) return false;
    at(s) = secret{text};
    return true;
  };
  row.get = [=](const settings& s) { return std::string(at(s).masked()); };
  return row;
}

template <class At>
setting_row list(std::string key, At at, bool (*fits)(const std::string&), std::string range, std::string help) {
  setting_row row{std::move(key), std::move(help), std::move(range)};
  row.set = [=](settings& s, const std::string& text) {
    auto parts = split_list(text);
    if (parts.size() > 100 || !std::all_of(parts.begin(), parts.end(), fits)) return false;
    at(s) = std::move(parts);
    return true;
  };
  row.get = [=](const settings& s) {
    std::string all;
    for (const auto& part : at(s)) all += (all.empty() ? "" : ",") + part;
    return all;
  };
  return row;
}

template <class At> setting_row path(std::string key, At at, bool may_be_empty, std::string help) {
  setting_row row{std::move(key), std::move(help), may_be_empty ? "a path or empty" : "a path"};
  row.set = [=](settings& s, const std::string& text) {
    if ((text.empty() && !may_be_empty) || text.find('\0') != text.npos) return false;
    at(s) = text;
    return true;
  };
  row.get = [=](const settings& s) { return at(s).string(); };
  return row;
}

// NOLINTBEGIN(bugprone-macro-parentheses): a field's name cannot stand in parentheses
#define DR_AT(field)                                                                                                   \
  [](auto& s) -> auto& { return s.field; }
// NOLINTEND(bugprone-macro-parentheses)

setting_row auth_row() {
  setting_row row{"auth", "who may call: token (bearer tokens) or off (everybody; loopback addresses only)",
                  "token or off"};
  row.set = [](settings& s, const std::string& text) {
    if (text != "token" && text != "off") return false;
    s.auth = text == "off" ? auth_mode::off : auth_mode::token;
    return true;
  };
  row.get = [](const settings& s) { return std::string(to_string(s.auth)); };
  return row;
}

setting_row log_row() {
  setting_row row{"log.level", "what is logged at least", "trace, debug, info, warn or error"};
  row.set = [](settings& s, const std::string& text) {
    for (auto level : {log_level::trace, log_level::debug, log_level::info, log_level::warn, log_level::error})
      if (text == to_string(level)) {
        s.log.level = level;
        return true;
      }
    return false;
  };
  row.get = [](const settings& s) { return std::string(to_string(s.log.level)); };
  return row;
}

setting_row start_row() {
  setting_row row{"clock.start", "business time to begin at; empty: the world's time, or where the data folder stands",
                  "an RFC 3339 time such as 2026-07-01T04:50:00Z, or empty"};
  row.set = [](settings& s, const std::string& text) {
    const auto at = parse_rfc3339(text);
    if (!at && !text.empty()) return false;
    s.clock.start = at;
    return true;
  };
  row.get = [](const settings& s) { return s.clock.start ? format_rfc3339(*s.clock.start) : std::string(); };
  return row;
}

setting_row base_url_row() {
  setting_row row{"kepco.base_url", "KEPCO's metering interface; empty: the simulator at sim.address",
                  "an http or https URL without credentials or query, or empty"};
  row.set = [](settings& s, const std::string& text) {
    std::string host;
    if (text.empty()) {
      s.kepco.base_url.clear();
      return true;
    }
    auto url = parse_base_url(text, host);
    if (url) s.kepco.base_url = *url;
    return url.has_value();
  };
  row.get = [](const settings& s) { return s.kepco.base_url; };
  return row;
}

void add_general(std::vector<setting_row>& rows) {
  rows.push_back(
      path("data_dir", DR_AT(data_dir), false, "folder for everything the server keeps beside the database"));
  rows.push_back(auth_row());
  rows.push_back(path("holidays_file", DR_AT(holidays_file), true,
                      "public holidays, one ISO date a line; empty: the calendar compiled in"));
}

void add_http(std::vector<setting_row>& rows) {
  constexpr std::int64_t gib = 1024 * 1024 * 1024;
  rows.push_back(address("http.address", DR_AT(http.address), "where the server listens"));
  rows.push_back(whole("http.io_threads", DR_AT(http.io_threads), 1, 64, "threads that serve connections"));
  rows.push_back(
      whole("http.max_body_bytes", DR_AT(http.max_body_bytes), 1024, 64 * 1024 * 1024, "largest request body"));
  rows.push_back(whole("http.max_import_bytes", DR_AT(http.max_import_bytes), 1024, 64 * gib, "largest CSV import"));
  rows.push_back(
      whole("http.max_header_bytes", DR_AT(http.max_header_bytes), 1024, 1024 * 1024, "largest request head"));
  rows.push_back(whole("http.max_url_bytes", DR_AT(http.max_url_bytes), 256, 64 * 1024, "longest request target"));
  rows.push_back(whole("http.max_connections", DR_AT(http.max_connections), 0, 1'000'000,
                       "connections at once; 0: what the descriptor limit allows"));
  rows.push_back(span_s("http.header_timeout_s", DR_AT(http.header_timeout), 0.05, 3600, "for a request's head"));
  rows.push_back(
      span_s("http.body_timeout_s", DR_AT(http.body_timeout), 0.05, 3600, "for a body, or the next part of one"));
  rows.push_back(span_s("http.request_timeout_s", DR_AT(http.request_timeout), 0.05, 3600, "for our answer"));
  rows.push_back(
      span_s("http.write_timeout_s", DR_AT(http.write_timeout), 0.05, 3600, "for a peer to take what we send"));
  rows.push_back(
      span_s("http.idle_timeout_s", DR_AT(http.idle_timeout), 0.05, 3600, "of a connection between requests"));
  rows.push_back(
      span_s("http.drain_timeout_s", DR_AT(http.drain_timeout), 0, 300, "for requests in flight at the stop"));
  rows.push_back(whole("http.customer_rate", DR_AT(http.customer_rate), 0, 100'000,
                       "requests and WebSocket messages of one customer per second; 0: no limit"));
  rows.push_back(whole("http.customer_burst", DR_AT(http.customer_burst), 1, 100'000,
                       "requests and WebSocket messages of one customer at once"));
  rows.push_back(list("http.cors_origins", DR_AT(http.cors_origins), is_origin,
                      "origins such as https://console.example.kr", "origins that browsers may call from"));
  rows.push_back(list("http.trusted_proxies", DR_AT(http.trusted_proxies), is_network,
                      "IP addresses or networks such as 10.0.0.0/8", "proxies whose X-Forwarded-* are believed"));
  rows.push_back(span_s("ws.ping_s", DR_AT(ws.ping), 0.05, 3600, "between two pings"));
  rows.push_back(span_s("ws.silent_s", DR_AT(ws.silent), 0.1, 7200, "after which a silent peer is closed"));
  rows.push_back(whole("ws.queue_max", DR_AT(ws.queue_max), 8, 100'000, "messages waiting for one peer"));
  rows.push_back(
      whole("ws.max_per_customer", DR_AT(ws.max_per_customer), 1, 1'000'000, "open sockets of one customer"));
  rows.push_back(
      whole("ws.max_message_bytes", DR_AT(ws.max_message_bytes), 1024, 16 * 1024 * 1024, "largest message taken"));
  rows.push_back(whole("ws.summaries_per_s", DR_AT(ws.summaries_per_s), 1, 100, "per campaign, to an admin's socket"));
}

void add_database(std::vector<setting_row>& rows) {
  rows.push_back(hidden("database.url", DR_AT(database.url), "libpq URL or conninfo; empty: none given"));
  rows.push_back(whole("database.readers", DR_AT(database.readers), 1, 64, "connections for queries"));
  rows.push_back(span_s("database.connect_timeout_s", DR_AT(database.connect_timeout), 0.1, 600, "for a connection"));
  rows.push_back(span_s("database.statement_timeout_s", DR_AT(database.statement_timeout), 0.1, 3600,
                        "for one statement, kept by Postgres"));
  rows.push_back(span_s("database.request_timeout_s", DR_AT(database.request_timeout), 0.1, 3600,
                        "for one read or write, kept by us"));
  rows.push_back(
      span_s("database.bulk_timeout_s", DR_AT(database.bulk_timeout), 1, 3600, "for one chunk of bulk work"));
  rows.push_back(whole("database.batch_max", DR_AT(database.batch_max), 1, 5000, "writes per transaction"));
  rows.push_back(whole("database.bulk_batch_max", DR_AT(database.bulk_batch_max), 1, 100'000, "rows per bulk chunk"));
  rows.push_back(whole("database.queue_max", DR_AT(database.queue_max), 100, 10'000'000, "writes waiting at most"));
  rows.push_back(whole("database.cached_users", DR_AT(database.cached_users), 0, 10'000'000, "users kept in memory"));
}

void add_kepco(std::vector<setting_row>& rows) {
  rows.push_back(address("sim.address", DR_AT(sim.address), "where the KEPCO simulator listens"));
  rows.push_back(base_url_row());
  rows.push_back(hidden("kepco.service_key", DR_AT(kepco.service_key), "the key KEPCO gave you"));
  rows.push_back(whole("kepco.concurrency", DR_AT(kepco.concurrency), 1, 256, "calls under way at most"));
  rows.push_back(
      number("kepco.calls_per_s", DR_AT(kepco.calls_per_s), 0.01, 100'000, "calls begun per second at most"));
  rows.push_back(span_s("kepco.call_timeout_s", DR_AT(kepco.call_timeout), 0.05, 600, "for one call"));
  rows.push_back(whole("kepco.breaker_failures", DR_AT(kepco.breaker_failures), 1, 1000,
                       "failures in a row that open the circuit"));
  rows.push_back(span_s("kepco.breaker_open_s", DR_AT(kepco.breaker_open), 0.05, 3600, "that the circuit stays open"));
  rows.push_back(whole("kepco.max_answer_bytes", DR_AT(kepco.max_answer_bytes), 16 * 1024, 256 * 1024 * 1024,
                       "largest answer read"));
  rows.push_back(whole("kepco.queue_max", DR_AT(kepco.queue_max), 10, 10'000'000, "queries waiting at most"));
  rows.push_back(span("metering.lag_minutes", DR_AT(metering.lag), 0, 10'080, "minutes",
                      "after a quarter hour's end until KEPCO is asked for it"));
  rows.push_back(
      on_off("metering.ask_early", DR_AT(metering.ask_early), "ask at once, before the last quarter hour has passed"));
  rows.push_back(span("metering.verification_deadline_hours", DR_AT(metering.verification_deadline), 1, 8784, "hours",
                      "after the end until a check is made from what is there"));
  rows.push_back(
      on_off("metering.collect_history", DR_AT(metering.collect_history), "fetch the baselines' days beforehand"));
  rows.push_back(
      whole("metering.batch_size", DR_AT(metering.batch_size), 1, 10'000, "jobs taken from the queue at once"));
  rows.push_back(whole("metering.history_batch_size", DR_AT(metering.history_batch_size), 1, 10'000,
                       "customers whose history is fetched at once"));
  rows.push_back(span_s("metering.retry_min_s", DR_AT(metering.retry_min), 0.01, 3600, "until the first retry"));
  rows.push_back(
      span_s("metering.retry_max_s", DR_AT(metering.retry_max), 0.01, 86'400, "between two retries at most"));
}

void add_rest(std::vector<setting_row>& rows) {
  rows.push_back(start_row());
  rows.push_back(number("clock.rate", DR_AT(clock.rate), 0.001, 100'000, "business seconds per real second"));
  rows.push_back(on_off("users.assign_cust_no", DR_AT(users.assign_cust_no), "give users their id as customer number"));
  rows.push_back(log_row());
  rows.push_back(whole("actors.scheduler_threads", DR_AT(actors.scheduler_threads), 1, 64, "threads that run actors"));
  rows.push_back(whole("actors.max_restarts", DR_AT(actors.max_restarts), 1, 1000, "of one child within the window"));
  rows.push_back(
      span_s("actors.restart_window_s", DR_AT(actors.restart_window), 0.1, 3600, "in which restarts are counted"));
  rows.push_back(span_s("actors.backoff_min_s", DR_AT(actors.backoff_min), 0.001, 60, "until the first restart"));
  rows.push_back(span_s("actors.backoff_max_s", DR_AT(actors.backoff_max), 0.001, 600, "between restarts at most"));
  rows.push_back(span_s("actors.stop_timeout_s", DR_AT(actors.stop_timeout), 0.1, 600, "for all actors to stop"));
  rows.push_back(whole("actors.spawn_batch", DR_AT(actors.spawn_batch), 1, 100'000, "actors revived per step"));
}

#undef DR_AT

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

} // namespace

std::string setting_row::environment_name() const {
  std::string name = "DR_";
  for (char c : key) name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string setting_row::flag() const {
  std::string name = "--";
  for (char c : key) name += c == '.' || c == '_' ? '-' : c;
  return name;
}

const std::vector<setting_row>& setting_table() {
  static const auto table = [] {
    std::vector<setting_row> rows;
    add_general(rows);
    add_http(rows);
    add_database(rows);
    add_kepco(rows);
    add_rest(rows);
    return rows;
  }();
  return table;
}

const setting_row* find_setting(std::string_view key) {
  const auto& rows = setting_table();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.key == key; });
  return found == rows.end() ? nullptr : &*found;
}

std::optional<std::string> nearest_name(std::string_view wrong, const std::vector<std::string>& known, int distance) {
  std::optional<std::string> best;
  for (const auto& name : known)
    if (const int d = edit_distance(wrong, name); d <= distance) {
      best = name;
      distance = d - 1;
    }
  return best;
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return {};
  const auto port = parse_whole(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return {};
  auto host = std::string(text.substr(0, colon));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  if (host.find('/') != host.npos || !is_network(host) || bracketed != (host.find(':') != host.npos)) return {};
  return endpoint{host, static_cast<std::uint16_t>(*port)};
}

} // namespace dr
