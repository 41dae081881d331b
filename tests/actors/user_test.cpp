// Users: withdrawals in order, the notice of the new balance, ends when idle.
#include "actor_world.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

struct one_user : actor_world {
  user_id samsung = enrol("samsung", 400'000, 1'000);
  storage::write withdraw(std::int64_t amount, keyed key = nullptr) {
    return {storage::withdraw_points{samsung, amount, clock->now()}, key};
  }
};

} // namespace

TEST_CASE_METHOD(one_user, "a withdrawal is stored once and told to the user", "[actors]") {
  auto socket = connect(samsung);
  auto key = make_key("w1");
  auto entry = value_of<ledger_entry>(ask<storage::written>(all.registry, user_command{samsung, withdraw(300, key)}));
  CHECK(entry.balance_after == 700);
  CHECK(socket->got == std::vector<std::string>{"points of 1: 700 by -300"});
  CHECK(ask<storage::written>(all.registry, user_command{samsung, withdraw(300, key)}));
  CHECK(look([&](storage::reader& r) { return r.find_user(samsung); }).points == 700);
  CHECK(socket->got.size() == 1);
}

TEST_CASE_METHOD(one_user, "commands of one user are carried out in their order, and no balance goes below zero",
                 "[actors]") {
  std::vector<pending<storage::written>> sent;
  for (auto amount : {600, 500, 400})
    sent.push_back(send<storage::written>(all.registry, user_command{samsung, withdraw(amount)}));
  run();
  CHECK(value_of<ledger_entry>(**sent[0]).balance_after == 400);
  CHECK(error_of(**sent[1]) == errc::insufficient_points);
  CHECK(value_of<ledger_entry>(**sent[2]).balance_after == 0);
}

TEST_CASE_METHOD(one_user, "a user's actor lives while it is used and ends when idle", "[actors]") {
  CHECK(alive()["users"] == 0);
  ask<storage::written>(all.registry, user_command{samsung, withdraw(1)});
  CHECK(alive()["users"] == 1);
  pass(4min);
  ask<storage::written>(all.registry, user_command{samsung, withdraw(1)});
  pass(4min);
  CHECK(alive()["users"] == 1);
  pass(2min);
  CHECK(alive()["users"] == 0);
  CHECK(ask<storage::written>(all.registry, user_command{samsung, withdraw(1)}));
}
