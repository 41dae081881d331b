// How a run is brought to rest: every outcome known, every campaign ended and settled, the counts compared.
#include "tests/chaos/control_room.hpp"
#include "tests/chaos/final_state.hpp"
#include "tests/support/process.hpp"

#include <algorithm>

namespace dr::chaos {

using test::eventually;

void control_room::insist_on_unknown(std::chrono::milliseconds at_most) {
  for (auto* op : history_.unresolved()) insist(*op, own_, at_most);
  std::map<int, const operation*> orders;
  {
    std::scoped_lock lock{mutex_};
    orders = open_orders_;
  }
  for (const auto& [campaign, order] : orders) conclude_order(campaign, *order);
}

void control_room::resolve(std::chrono::milliseconds at_most) {
  const auto idle = [&] {
    std::scoped_lock lock{mutex_};
    return steps_.empty() && run_.under_way() == 0;
  };
  eventually("the planned steps are done", idle, at_most);
  insist_on_unknown(at_most);
  eventually("the steps that waited for an order are done", idle, at_most);
}

std::pair<std::int64_t, std::vector<std::int64_t>> control_room::order_last() {
  const auto& last =
      ask(posted(operation_kind::order_campaign, "/drs", {{"name", "마지막 발령"}, {"type", "reliable"}}), own_);
  const auto id = last.acknowledged_body().at("id").get<std::int64_t>();
  std::vector<std::int64_t> users;
  for (const auto& response : list("/responses?drId=" + std::to_string(id)))
    users.push_back(response.at("userId").get<std::int64_t>());
  return {id, users};
}

void control_room::close(std::chrono::milliseconds at_most) {
  const auto nothing_open = [&] {
    end_all_open();
    return get("/overview").at("campaigns").empty() && list("/drs?status=scheduled").empty();
  };
  eventually("no campaign is open", nothing_open, at_most);
  const auto settled = [](const json& campaign) {
    return campaign.at("status") != "end" || campaign.at("test").get<bool>() || campaign.at("settlement") == "settled";
  };
  eventually(
      "everything is settled", [&] { return std::ranges::all_of(list("/drs"), settled); }, at_most);
}

void control_room::end_all_open() {
  for (const bool scheduled : {true, false})
    for (const auto& open : list(scheduled ? "/drs?status=scheduled" : "/drs?status=running")) {
      auto wanted = posted(scheduled ? operation_kind::cancel_campaign : operation_kind::end_campaign,
                           "/drs/" + open.at("id").dump() + (scheduled ? "/cancel" : "/end"),
                           scheduled ? json{{"reason", "끝"}} : json(nullptr));
      wanted.campaign = open.at("id").get<std::int64_t>();
      ask(std::move(wanted), own_);
    }
}

std::vector<json> control_room::list(const std::string& path) {
  return read_list([this](const std::string& p) { return get(p); }, path);
}

json control_room::count(std::int64_t campaign) {
  json sum{{"dispatched", 0}, {"delivered", 0}, {"accept", 0}, {"deny", 0}, {"ignore", 0}};
  const auto add = [&](const std::string& what) { sum[what] = sum[what].get<std::int64_t>() + 1; };
  for (const auto& response : list("/responses?drId=" + std::to_string(campaign))) {
    add("dispatched");
    add(response.at("answer").get<std::string>());
    if (!response.at("deliveredAt").is_null()) add("delivered");
  }
  return sum;
}

void control_room::compare_counts(std::chrono::milliseconds at_most) {
  const auto open = list("/drs?status=running");
  const auto agrees = [](const moment& at) {
    for (const auto& [name, value] : at.counted.items())
      if (at.summary.at(name) != value) return false;
    return true;
  };
  for (const auto& campaign : open) {
    moment at;
    at.campaign = campaign.at("id").get<std::int64_t>();
    const auto give_up = steady::now() + at_most;
    do {
      at.summary = get("/drs/" + std::to_string(at.campaign) + "/summary");
      at.counted = count(at.campaign);
    } while (!agrees(at) && at.summary.at("status") == "running" && steady::now() < give_up);
    if (at.summary.at("status") == "running") history_.add(at);
  }
}

} // namespace dr::chaos
