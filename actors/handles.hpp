#pragma once

#include <string>

#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <callboard/actors/type_ids.hpp>

// The interfaces of the node's actors, together.

namespace callboard {

/// Answers an action's requests. The asker is told a `responder_error` with
/// its code and name, and those of `errc` that may come from a responder (107
/// `bad_payload`, 202 `forbidden` and the numbers from 300, but for `cancelled`
/// and those about subscriptions), with the sentence if there is one; every
/// other error as `responder_failed`. Typed handles have no type ID of their
/// own, so messages carry them as `caf::actor`.
using responder_actor = caf::typed_actor<caf::result<payload>(action_request)>;

/// A connection, as the shards see it.
using connection_actor = caf::typed_actor<
  // The owner's answer to a publish of this connection.
  caf::result<void>(published),
  // A router's answer to the request with this call ID.
  caf::result<void>(resolve_atom, uint32_t, request_outcome),
  // A router knows this connection as responder of an action since the
  // `register` with this call ID, or not any more since that `unregister`.
  caf::result<void>(register_atom, uint32_t),
  // Serve a request as responder; answer by `resolve` to the ticket's shard.
  caf::result<void>(serve_atom, request_ticket, routed_request_ptr),
  // A request that was being served is no longer wanted.
  caf::result<void>(cancel_atom, request_ticket),
  // Send a request of the application's to this client.
  caf::result<payload>(request_atom, std::string, payload, caf::timespan),
  // Say goaway and close with this code and reason.
  caf::result<void>(close_atom, uint16_t, std::string),
  // The node ends: say goaway, and close once nothing is in flight.
  caf::result<void>(drain_atom),
  // The owner's word about a group.
  caf::result<void>(group_notice),
  // As a group's member: serve this event; answer by `group_answer` to the
  // topic's owner.
  caf::result<void>(deliver_atom, group_event),
  // An event that was not confirmed is another member's now.
  caf::result<void>(cancel_atom, group_ticket),
  // What is there to say of it.
  caf::result<connection_facts>(lookup_atom)>;

/// A shard of the broker. It owns the topics that hash to it, and serves the
/// subscriptions of its loop.
using broker_actor = caf::typed_actor<
  // As owner: give a publication its place and hand it to every loop that wants
  // it. Anonymous senders get no answer.
  caf::result<published>(publish_atom, publication_ptr),
  // As owner: send this loop the events of a topic or pattern from now on; the
  // number is the asker's generation.
  caf::result<void>(attach_atom, uint32_t, std::string, uint64_t),
  // As owner: no longer.
  caf::result<void>(detach_atom, uint32_t, std::string),
  // As a loop's server, in place of one that died: the shard with this index
  // knows of it; what that one sent before is lost.
  caf::result<void>(attach_atom, uint32_t),
  // As a loop's server: the shard with this index has attached the topic or
  // pattern in this generation, which then stood here. The last one is the
  // topic's last value, or null.
  caf::result<void>(attached_atom, uint32_t, std::string, uint64_t, position,
                    publication_ptr),
  // As a loop's server: the owner could not attach the topic in this
  // generation, and why.
  caf::result<void>(attached_atom, std::string, uint64_t, caf::error),
  // As owner: send this loop what a topic has kept from an offset on.
  caf::result<void>(fetch_atom, uint32_t, std::string, uint64_t),
  // As a loop's server: the answer, in order with the topic's events.
  caf::result<void>(fetched_atom, history_slice_ptr),
  // As owner: send a loop last values of topics that match a pattern.
  caf::result<void>(fetch_atom, retained_query),
  // As a loop's server: the answer, in order with the topics' events.
  caf::result<void>(fetched_atom, retained_page_ptr),
  // As owner: answer this query of the sender, a connection, by `resolve` to
  // the call ID.
  caf::result<void>(read_atom, uint32_t, history_query),
  // As owner: the same for an embedded actor.
  caf::result<history_page>(history_atom, history_query),
  // As owner: the first for a question of who is in a topic; the answer takes
  // its place among the news of it.
  caf::result<void>(read_atom, uint32_t, presence_query),
  // As a loop's server: this connection's question has this answer.
  caf::result<void>(resolve_atom, caf::strong_actor_ptr, uint32_t,
                    request_outcome),
  // As owner: who came and went on a loop.
  caf::result<void>(presence_atom, presence_report_ptr),
  // As a loop's server: who came to a topic and went, for its watchers.
  caf::result<void>(presence_atom, presence_news_ptr),
  // As owner: look at what is due of presence.
  caf::result<void>(presence_atom),
  // As owner, for embedded actors: how many are in a topic, and who: at most
  // so many, after the `next` of the page before. `no_presence` if the topic
  // does not keep it.
  caf::result<presence_count>(presence_atom, std::string),
  caf::result<presence_page>(presence_atom, std::string, uint32_t, std::string),
  // As a loop's server: share this event out.
  caf::result<void>(deliver_atom, publication_ptr),
  // As a loop's server: forget this connection's subscriptions when it dies.
  caf::result<void>(watch_atom, caf::strong_actor_ptr),
  // As a loop's server: subscribe an embedded actor.
  caf::result<position>(subscribe_atom, caf::actor, std::string),
  // The same from a position on; the answer tells whether all comes that was
  // published after it.
  caf::result<position, bool>(subscribe_atom, caf::actor, std::string,
                              position),
  // The same as the first, and `presence_update` messages from now on.
  caf::result<position>(subscribe_atom, presence_atom, caf::actor, std::string),
  caf::result<void>(unsubscribe_atom, caf::actor, std::string),
  // Forget topics and ids whose time is over.
  caf::result<void>(expire_atom),
  // As owner: the sender, a connection, wants to be a member of a group;
  // answered by `group_notice`.
  caf::result<void>(subscribe_atom, group_wish),
  // As owner: it is one no longer.
  caf::result<void>(unsubscribe_atom, group_wish),
  // As owner: a connection's answer to an event that it got as a member.
  caf::result<void>(group_answer),
  // As owner: make an embedded actor a member of a group of this topic; the
  // last one says whether it was told that it is one. The answer tells where
  // the group goes on, and whether all is there that comes behind.
  caf::result<position, bool>(subscribe_atom, caf::actor, std::string,
                              group_options, bool),
  // As owner: it is a member of this group of the topic no longer.
  caf::result<void>(unsubscribe_atom, caf::actor, std::string, std::string),
  // As owner: look at the events that members had to confirm.
  caf::result<void>(due_atom),
  // As owner: what the store has done.
  caf::result<void>(store_report_ptr),
  // As owner: give the store what topics of durability `memory` have kept, and
  // take nothing more for them.
  caf::result<void>(drain_atom),
  // Let the loop, and the topics that this owns, go by these rules. Answered
  // when all do, with how many topics keep another durability as long as they
  // live.
  caf::result<uint64_t>(reload_atom, rule_set_ptr),
  // Go on with that.
  caf::result<void>(reload_atom),
  // As owner: some of the topics, without their subscribers. `overloaded` if
  // 16 wait already, `timeout` after 2 s.
  caf::result<topic_page>(lookup_atom, topic_query),
  // Go on with that.
  caf::result<void>(lookup_atom),
  // As a loop's server: add those on this loop to the topics' subscribers.
  caf::result<topic_page>(lookup_atom, topic_page),
  // The other nodes of the cluster are these from now on.
  caf::result<void>(cluster_atom, peer_set_ptr),
  // As a loop's server: send clients that the node does not take there.
  caf::result<void>(cluster_atom, lighter_nodes_ptr),
  // A shard of another node has sent this.
  caf::result<void>(shard_batch),
  // As a loop's server: the owner of this topic is another one, or has lost
  // what it knew; ask anew.
  caf::result<void>(attach_atom, std::string),
  // The same for who is in a topic: tell it anew.
  caf::result<void>(attach_atom, presence_atom, std::string),
  // As a loop's server: a shard that took the place of one has settled with the
  // other nodes; what they sent it before is lost.
  caf::result<void>(cluster_atom, attach_atom),
  // Look again whether other nodes can be told what is done with, and go on
  // with topics that change their owner.
  caf::result<void>(cluster_atom),
  // Say again what other nodes with copies of topics may not have heard.
  caf::result<void>(cluster_atom, due_atom),
  // Answer when nothing is left of topics that other nodes own by now.
  caf::result<void>(leave_atom)>;

/// A shard of the router. It owns the actions that hash to it.
using router_actor = caf::typed_actor<
  // The sender, a connection, asks for an answer or notifies.
  caf::result<void>(route_atom, routed_request_ptr),
  // The same for an embedded actor.
  caf::result<payload>(request_atom, routed_request_ptr),
  // The sender, a connection, no longer wants the answer to this call ID.
  caf::result<void>(cancel_atom, uint32_t),
  // A client that serves has answered.
  caf::result<void>(resolve_atom, request_ticket, request_outcome),
  // The sender, a connection, serves an action from now on; answered by
  // `register` with the call ID.
  caf::result<void>(register_atom, std::string, uint32_t),
  caf::result<void>(unregister_atom, std::string, uint32_t),
  // An embedded actor serves an action from now on, or no longer.
  caf::result<void>(register_atom, std::string, caf::actor),
  caf::result<void>(unregister_atom, std::string, caf::actor),
  // Look at the deadlines.
  caf::result<void>(expire_atom),
  // The other nodes are these from now on.
  caf::result<void>(cluster_atom, peer_set_ptr),
  // Look again whether the loop knows them.
  caf::result<void>(cluster_atom),
  // What shards of another node have sent to this one.
  caf::result<void>(shard_batch),
  // Let actions go by these rules. Answered when those do that are asked for.
  caf::result<void>(reload_atom, rule_set_ptr),
  // Go on with that.
  caf::result<void>(reload_atom)>;

/// Pings a loop's connections and ends those that are dead.
using heartbeat_actor = caf::typed_actor<
  // Watch a connection from now on, or no longer.
  caf::result<void>(watch_atom, heartbeat_ptr),
  caf::result<void>(unwatch_atom, heartbeat_ptr),
  // Look at who is due.
  caf::result<void>(expire_atom)>;

/// Knows every connection of the node.
using pool_actor = caf::typed_actor<
  // A connection is connected.
  caf::result<void>(opened_atom, caf::strong_actor_ptr, lifecycle_event),
  // Something happened to a connection; told to those who watch.
  caf::result<void>(lifecycle_event),
  // Tell an actor about every connection's life from now on, or no longer.
  caf::result<void>(watch_atom, caf::actor),
  caf::result<void>(unwatch_atom, caf::actor),
  // Find a connection by its number, or those of a user.
  caf::result<caf::strong_actor_ptr>(lookup_atom, connection_id),
  caf::result<std::vector<caf::strong_actor_ptr>>(lookup_atom, std::string),
  // Some of them, in the order of their numbers, and behind which one to ask
  // for more; 0: there are no more.
  caf::result<std::vector<caf::strong_actor_ptr>, connection_id>(
    lookup_atom, connection_query),
  // Close everyone with `draining`; answered when the last one is gone.
  caf::result<void>(drain_atom),
  // The same, paced within this time: see `drain_plan`.
  caf::result<void>(drain_atom, caf::timespan),
  // Look for connections in the registry that are gone.
  caf::result<void>(audit_atom),
  // Look for these connections of a loop in the registry.
  caf::result<void>(audit_atom, live_report_ptr),
  // The process has so many descriptors, of which so many are the clients'.
  caf::result<void>(audit_atom, uint64_t, uint64_t)>;

} // namespace callboard
