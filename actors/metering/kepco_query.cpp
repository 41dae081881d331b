#include "actors/metering/kepco_query.hpp"

#include "actors/house.hpp"
#include "actors/turns.hpp"

#include <caf/all.hpp>

namespace dr::actors {

namespace {

struct query_state {
  static constexpr const char* name = "kepco_query";
  meter_source_factory make_source;
  std::unique_ptr<meter_source> source;

  meter_source& the_source() {
    if (!source) source = make_source();
    if (!source) throw std::runtime_error("the meter source could not be made");
    return *source;
  }
};

kepco_query_actor::behavior_type kepco_query(kepco_query_actor::stateful_pointer<query_state> self,
                                             meter_source_factory make_source) {
  house_rules(self, query_state::name);
  self->state.make_source = std::move(make_source);
  return {
      [self](const fetch_day& cmd) -> caf::result<fetched_day> {
        fetched_day answer{cmd.cust_no, cmd.day, {}, {}};
        auto got = self->state.the_source().day(cmd.cust_no, cmd.day);
        if (got)
          answer.profile = *got;
        else
          answer.failure = got.error();
        auto asker = self->make_response_promise<fetched_day>();
        // The gate has the next question, mostly.
        answer_and_begin(self, turns_of_call, [&] { asker.deliver(std::move(answer)); });
        return asker;
      },
      [](const get_readiness&) { return query_ready{}; },
  };
}

} // namespace

kepco_query_actor spawn_kepco_query(caf::actor_system& system, meter_source_factory make_source, query_thread where) {
  if (where == query_thread::own) return system.spawn<caf::detached>(kepco_query, std::move(make_source));
  return system.spawn(kepco_query, std::move(make_source));
}

} // namespace dr::actors
