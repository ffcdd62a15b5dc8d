#include <callboard/actors/connection.hpp>

#include <caf/send.hpp>

#include <msgpack.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/user_topic.hpp>

// The actions that the server answers itself: `callboard.…`.

namespace callboard {

namespace {

// One value of any kind, as MessagePack.
struct any_value {
  byte_buffer bytes;

  void msgpack_unpack(const msgpack::object& x) {
    msgpack::pack(bytes, x);
  }
};

// The payload of a `callboard.push`.
struct push_content {
  std::string user;
  any_value payload;

  MSGPACK_DEFINE_MAP(user, payload)
};

} // namespace

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
    handle_history(x, x.subject == "callboard.position");
    return true;
  }
  if (x.subject == "callboard.presence"
      || x.subject == "callboard.presence_count") {
    handle_presence(x, x.subject == "callboard.presence_count");
    return true;
  }
  if (x.subject == "callboard.push") {
    handle_push(x);
    return true;
  }
  return false;
}

bool connection::is_own_topic(std::string_view topic) const {
  return topic.starts_with('$') && topic == user_topic(who_.user);
}

void connection::handle_push(const frame_view& x) {
  auto content = payload{x.payload}.get_as<push_content>();
  if (!content || content->user.empty())
    return write_error(x.seq_id, errc::bad_payload,
                       "It takes {user, payload}.");
  auto topic = user_topic(content->user);
  if (topic.empty())
    return write_error(x.seq_id, errc::bad_subject,
                       "The user's name fits into no topic.");
  if (!authorized(operation::publish, topic))
    return write_error(x.seq_id, errc::forbidden);
  publish(x, topic,
          payload{payload_view{codec::msgpack, content->payload.bytes.view()}});
}

void connection::handle_history(const frame_view& x, bool position_only) {
  auto query = read_query(x.payload, position_only);
  if (!query)
    return write_error(x.seq_id, errc::bad_payload,
                       position_only
                         ? "It takes {topic}."
                         : "It takes {topic, since?, before?, limit?, "
                           "reverse?}, limit 1 to 1000.");
  query->bytes_max = ctx_.node.options.frame_bytes_max;
  ask_owner(x, std::move(*query), inflight_kind::query);
}

void connection::handle_presence(const frame_view& x, bool count_only) {
  auto query = read_presence_query(x.payload, count_only);
  if (!query)
    return write_error(x.seq_id, errc::bad_payload,
                       count_only
                         ? "It takes {topic}."
                         : "It takes {topic, limit?, after?}, limit 1 to "
                           "1000.");
  query->server
    = caf::actor_cast<caf::strong_actor_ptr>(ctx_.brokers[ctx_.index].actor);
  // The owner must know of a watcher before it answers it.
  ctx_.report_presence();
  ask_owner(x, std::move(*query), inflight_kind::presence_query);
}

template <class Query>
void connection::ask_owner(const frame_view& x, Query query,
                           inflight_kind kind) {
  if (auto wrong = check_readable(query.topic);
      wrong != subject_error::none && !is_own_topic(query.topic))
    return write_error(x.seq_id, errc::bad_subject, to_sentence(wrong));
  if (!authorized(operation::subscribe, query.topic))
    return write_error(x.seq_id, errc::forbidden);
  if (isolated())
    query.topic = full_name(query.topic);
  auto shard = shard_of(query.topic, ctx_.node.loops);
  auto& broker = ctx_.brokers[shard];
  if (ctx_.node.congested(broker))
    return write_error(x.seq_id, errc::overloaded);
  auto call = begin(x.seq_id, kind, shard);
  if (!call)
    return;
  broker.waiting->add(query.cost());
  send(broker.actor, read_atom_v, *call, std::move(query));
}

void connection::on_answer(uint32_t call_id, const request_outcome& x) {
  enter([&] { finish_request(call_id, x); });
}

} // namespace callboard
