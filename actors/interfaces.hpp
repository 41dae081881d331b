// Every actor's interface, with the contract of each message. Errors travel as caf::error made by to_caf() of a
// dr::error.
#pragma once

#include "actors/messages.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace dr::actors {

/// Owns the queue of changes and the pool of readers. Supervised with its workers by rest_for_one. Its queues are
/// bounded; when full, it answers overloaded at once. A change whose fate is unknown is resolved before it is answered.
using store_actor = caf::typed_actor<
    // Commits one change (in a batch with others). Fails: the change's own errors, overloaded, store_unavailable,
    // outcome_unknown (a writer died in mid-commit), fenced.
    caf::replies_to<persist>::with<storage::written>,
    // Reads. Fails: overloaded, timed_out; what the reader itself reports is in the closure.
    caf::replies_to<read_task>::with<read_done>, //
    caf::replies_to<get_storage_state>::with<storage_state>>;

/// Decides one pending response. Revived from the store on first touch; gone once settled or with nothing to wait for.
using response_actor = caf::typed_actor<
    // Takes an answer. Repeating the present one changes nothing. Fails: not_found (also another customer's),
    // answer_frozen, version_conflict, store errors. → response_changed or replayed.
    caf::replies_to<choose>::with<storage::written>,
    // Stores the first delivery receipt; later ones change nothing. → response_changed.
    caf::replies_to<acknowledge_alert>::with<storage::written>, //
    caf::reacts_to<answers_frozen>,                             //
    caf::reacts_to<terms_changed>,                              //
    caf::reacts_to<check_closed>>;

/// Owns one campaign from dispatch to settlement: timers, counts, end. The stored row is the truth.
using campaign_actor = caf::typed_actor<
    // Changes an open campaign; customers are told. Fails: campaign_ended, campaign_canceled, invalid,
    // version_conflict. → campaign.
    caf::replies_to<alter_campaign>::with<storage::written>,
    // Ends the campaign and freezes its answers. Repeating it repeats the answer. Fails: campaign_scheduled,
    // campaign_canceled.
    caf::replies_to<end_campaign>::with<storage::written>,
    // Cancels: nothing is verified or credited. Repeating it repeats the answer. Fails: campaign_ended.
    caf::replies_to<cancel_campaign>::with<storage::written>,
    // The campaign with live counts.
    caf::replies_to<get_campaign>::with<campaign>, //
    caf::reacts_to<counts_moved>,                  //
    caf::reacts_to<counts_in_doubt>>;

/// One user: the order of its changes, its withdrawals. Revived on first touch, gone when idle.
using user_actor = caf::typed_actor<
    // Carries out one change of this user after the ones before it. Fails: as the change. → user, ledger_entry or
    // replayed.
    caf::replies_to<user_command>::with<storage::written>>;

/// Finds the actor of an entity by id and passes the command on, reviving the actor when it is not there.
using registry_actor = caf::typed_actor<caf::replies_to<choose>::with<storage::written>,            //
                                        caf::replies_to<acknowledge_alert>::with<storage::written>, //
                                        // Plans, stores and dispatches a campaign, then alerts everyone. The reply
                                        // comes once it is durable. Fails: invalid. → campaign.
                                        caf::replies_to<order_campaign>::with<storage::written>,  //
                                        caf::replies_to<alter_campaign>::with<storage::written>,  //
                                        caf::replies_to<end_campaign>::with<storage::written>,    //
                                        caf::replies_to<cancel_campaign>::with<storage::written>, //
                                        caf::replies_to<get_campaign>::with<campaign>,            //
                                        caf::replies_to<user_command>::with<storage::written>,    //
                                        caf::replies_to<get_population>::with<population>,        //
                                        caf::reacts_to<responses_dispatched>,                     //
                                        caf::reacts_to<answers_frozen>,                           //
                                        caf::reacts_to<terms_changed>,                            //
                                        caf::reacts_to<batch_committed>,                          //
                                        caf::reacts_to<counts_in_doubt>>;

/// The way to KEPCO: a bounded queue, a polite rate, a circuit breaker, and workers that may crash.
using kepco_gate_actor = caf::typed_actor<
    // Fails only with overloaded (queue full); KEPCO's own failures are in the reply, an open circuit as unavailable.
    caf::replies_to<fetch_day>::with<fetched_day>, //
    caf::replies_to<get_kepco_state>::with<kepco_state>>;

/// One blocking caller of KEPCO, detached. A crash loses one call, which the gate reports as failed.
using kepco_query_actor = caf::typed_actor<caf::replies_to<fetch_day>::with<fetched_day>, //
                                           caf::replies_to<get_readiness>::with<query_ready>>;

/// Works off the durable queue of reduction checks.
using verification_actor =
    caf::typed_actor<caf::reacts_to<checks_queued>,
                     // Queues a settled check again, from fresh data. Fails: not_found, store errors. → done or
                     // replayed.
                     caf::replies_to<order_recheck>::with<storage::written>,
                     // Takes a campaign's parked checks back into the queue. → done{count} or replayed.
                     caf::replies_to<retry_parked>::with<storage::written>,
                     // The same for one response. → done{count} or replayed. Fails: not_found, store errors.
                     caf::replies_to<retry_check>::with<storage::written>>;

/// Connected sockets and what they must be told. State is only about live sockets: after a crash clients reconnect into
/// a snapshot.
using push_hub_actor =
    caf::typed_actor<caf::reacts_to<attach_customer>, caf::reacts_to<attach_admin>, caf::reacts_to<detach>,
                     caf::reacts_to<alert_users>, caf::reacts_to<campaign_noticed>, caf::reacts_to<response_noticed>,
                     caf::reacts_to<batch_committed>, caf::reacts_to<summary_noticed>,
                     caf::replies_to<get_push_state>::with<push_state>>;

/// A supervisor in OTP's sense.
using supervisor_actor = caf::typed_actor<
    // The state of every child, nested supervisors included.
    caf::replies_to<get_tree>::with<tree_node>, //
    caf::reacts_to<stop_tree>>;

class user_cache;

/// The stable handles of the permanent services; they stay valid over restarts of what is behind them.
struct services {
  supervisor_actor root;
  store_actor store;
  registry_actor registry;
  push_hub_actor hub;
  kepco_gate_actor gate;
  verification_actor verification;
  std::shared_ptr<user_cache> users; ///< kept exact by the store; may be missing
};

} // namespace dr::actors
