// A simulated customer: one WebSocket, one way of behaving.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace dr::demo {

enum class behaviour { reduces, cheats, denies, ignores };

struct customer {
  std::int64_t id = 0;
  std::string name;
  std::string cust_no;
  double capacity_kw = 0;
  std::string token; ///< empty: the server takes none, and the customer names itself
  behaviour acts = behaviour::reduces;
  // What its socket has seen so far.
  bool connected = false;
  bool alerted = false;
  bool answered = false;
  std::int64_t points_told = 0; ///< from point.changed
};

/// Connects, acknowledges every alert and answers it as the customer behaves, until the socket closes; what it sees is
/// written into `who`. Ends by an exception when the connection cannot be made or breaks.
boost::asio::awaitable<void> run_customer(customer& who, std::string host, std::string port);

} // namespace dr::demo
