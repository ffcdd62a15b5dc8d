#include <callboard/actors/connection.hpp>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

// The actions that the server answers itself: `callboard.…`.

namespace callboard {

bool connection::handle_own_action(const frame_view& x) {
  if (x.subject == "callboard.echo") {
    ++ctx_.counts.own_requests;
    write_response(x.seq_id, x.payload);
    return true;
  }
  if (x.subject == "callboard.time") {
    ++ctx_.counts.own_requests;
    byte_buffer now;
    msgpack::pack(now, ctx_.unix_ms);
    write_response(x.seq_id, {codec::msgpack, now.view()});
    return true;
  }
  if (x.subject == "callboard.history" || x.subject == "callboard.position") {
    handle_query(x, x.subject == "callboard.position");
    return true;
  }
  return false;
}

void connection::handle_query(const frame_view& x, bool position_only) {
  auto query = read_query(x.payload, position_only);
  if (!query)
    return write_error(x.seq_id, errc::bad_payload,
                       position_only ? "It takes {topic}."
                                     : "It takes {topic, since?, before?, "
                                       "limit?, reverse?}, limit 1 to 1000.");
  if (auto wrong = check_readable(query->topic); wrong != subject_error::none)
    return write_error(x.seq_id, errc::bad_subject, to_sentence(wrong));
  if (!authorized(operation::subscribe, query->topic))
    return write_error(x.seq_id, errc::forbidden);
  auto shard = shard_of(query->topic, ctx_.node.loops);
  auto& broker = ctx_.brokers[shard];
  if (ctx_.node.congested(broker))
    return write_error(x.seq_id, errc::overloaded);
  auto call = begin(x.seq_id, inflight_kind::query, shard);
  if (!call)
    return;
  broker.waiting->add(query->cost());
  send(broker.actor, read_atom_v, *call, std::move(*query));
}

} // namespace callboard
