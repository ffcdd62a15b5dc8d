#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/type_id.hpp>

#include <callboard/actors/cluster/cluster_facts.hpp>
#include <callboard/actors/cluster/lighter_nodes.hpp>
#include <callboard/actors/cluster/membership_messages.hpp>
#include <callboard/actors/cluster/messages.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/event_store.hpp>
#include <callboard/actors/group_messages.hpp>
#include <callboard/actors/history_query.hpp>
#include <callboard/actors/inventory.hpp>
#include <callboard/actors/live_report.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/actors/presence_query.hpp>
#include <callboard/actors/retained.hpp>
#include <callboard/actors/rule_set.hpp>
#include <callboard/messages/type_ids.hpp>

// The numbers go to other nodes: append only, and only at the end.
CAF_BEGIN_TYPE_ID_BLOCK(callboard_actors, 1100)

  // -- atoms ------------------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, publish_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, subscribe_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, unsubscribe_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, attach_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, attached_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, detach_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, deliver_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, expire_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, serve_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, route_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, resolve_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, cancel_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, register_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, unregister_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, watch_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, unwatch_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, opened_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, drain_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, close_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, request_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, lookup_atom)

  // -- for applications -------------------------------------------------------

  CAF_ADD_TYPE_ID(callboard_actors, (callboard::event))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::position))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::action_request))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::lifecycle_event))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::lifecycle_kind))

  // -- between the actors of one node -----------------------------------------

  CAF_ADD_TYPE_ID(callboard_actors, (callboard::published))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::publication_ptr))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::routed_request_ptr))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::request_outcome))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::request_ticket))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::heartbeat_ptr))

  // -- later ones -------------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, fetch_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, fetched_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, read_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::history_slice_ptr))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::history_query))

  // -- presence ---------------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, presence_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_report_ptr))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_news_ptr))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_query))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_step))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_member))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_count))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_page))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::presence_update))
  CAF_ADD_TYPE_ID(callboard_actors, (std::vector<callboard::presence_step>))
  CAF_ADD_TYPE_ID(callboard_actors, (std::vector<callboard::presence_member>))
  CAF_ADD_ATOM(callboard_actors, callboard, push_atom)

  // -- groups -----------------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, due_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::group_options))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::group_wish))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::group_notice))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::group_ticket))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::group_event))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::group_answer))

  // -- the store --------------------------------------------------------------

  CAF_ADD_TYPE_ID(callboard_actors, (callboard::store_report_ptr))

  // -- history for applications -----------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, history_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::history_options))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::history_page))

  // -- last values ------------------------------------------------------------

  CAF_ADD_TYPE_ID(callboard_actors, (callboard::retained_query))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::retained_page_ptr))

  // -- rules that change ------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, reload_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::rule_set_ptr))

  // -- the audit --------------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, audit_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::live_report_ptr))

  // -- what a node has --------------------------------------------------------

  CAF_ADD_TYPE_ID(callboard_actors, (callboard::publish_options))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::connection_query))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::connection_facts))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::connection_page))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::topic_query))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::topic_page))

  // -- many nodes -------------------------------------------------------------

  CAF_ADD_ATOM(callboard_actors, callboard, cluster_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, dial_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, join_atom)
  CAF_ADD_ATOM(callboard_actors, callboard, leave_atom)
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::member))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::member_state))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::cluster_view))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::view_id))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::peer_hello))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::peer_welcome))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::peer_heartbeat))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::peer_batch))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::shard_batch))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::peer_set_ptr))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::node_event))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::node_event_kind))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::node_facts))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::cluster_facts))
  CAF_ADD_TYPE_ID(callboard_actors, (callboard::lighter_nodes_ptr))

CAF_END_TYPE_ID_BLOCK(callboard_actors)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::published)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::publication_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::routed_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::request_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::request_ticket)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::heartbeat_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::history_slice_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::history_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::presence_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::presence_news_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::presence_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::group_wish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::group_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::group_ticket)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::group_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::group_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::store_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::retained_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::retained_page_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::rule_set_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::live_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::shard_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::peer_set_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(callboard::lighter_nodes_ptr)
