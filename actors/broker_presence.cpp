#include <callboard/actors/broker.hpp>

#include <caf/send.hpp>

#include <callboard/messages/topic.hpp>

// Who is in the topics that a shard owns.

namespace callboard {

// -- as the owner -------------------------------------------------------------

void broker::take_report(const presence_report& x) {
  waiting_->remove(x.cost());
  presence_.apply(x, now_ms());
  advance_presence();
}

void broker::advance_presence() {
  presence_.advance(now_ms(), [this](const presence_news_ptr& news,
                                     const loop_set& loops) {
    news->timestamp = ctx_.unix_ms;
    loops.for_each([&](uint32_t loop) {
      if (loop == ctx_.index)
        deliver(*news);
      else
        caf::anon_send(ctx_.brokers[loop].actor, presence_atom_v, news);
    });
  });
  ctx_.metrics.presence_members->value(
    static_cast<int64_t>(presence_.members()));
  auto due = presence_.due_ms();
  // The message that comes earlier asks for the next one.
  if (due >= presence_tick_ms_)
    return;
  presence_tick_ms_ = due;
  delayed_anon_send(caf::actor_cast<broker_actor>(this),
                    std::chrono::milliseconds{due - now_ms()}, presence_atom_v);
}

void broker::wake_presence() {
  // One that was asked for before an earlier one is still to come: it counts
  // for nothing, or each would ask for another.
  if (now_ms() >= presence_tick_ms_)
    presence_tick_ms_ = presence_registry::never;
  advance_presence();
}

bool broker::has_presence(std::string_view topic) const {
  return !is_pattern(topic) && options_of(ctx_.rules(), topic).presence;
}

request_outcome broker::look_up(const presence_query& x) {
  if (!has_presence(x.topic))
    return request_outcome::failure(errc::no_presence);
  if (x.count_only)
    return answer(presence_.count(x.topic));
  return answer(presence_.list(x.topic, x.after, x.limit), ctx_.node.name,
                ctx_.node.options.frame_bytes_max);
}

caf::result<presence_count> broker::count_presence(const std::string& topic) {
  if (!has_presence(topic))
    return caf::make_error(errc::no_presence);
  return presence_.count(topic);
}

caf::result<presence_page> broker::list_presence(const std::string& topic,
                                                 uint32_t limit,
                                                 const std::string& after) {
  if (!has_presence(topic))
    return caf::make_error(errc::no_presence);
  return presence_.list(topic, after,
                        std::clamp(limit, 1u, presence_query::limit_max));
}

// -- as the server of the loop's subscriptions --------------------------------

void broker::deliver(const presence_news& x) {
  auto n = ctx_.topics.deliver_presence(x, ctx_.node.name);
  // Connections do not write these frames themselves.
  ctx_.counts.frames_out[static_cast<size_t>(frame_type::presence)]
    += static_cast<uint32_t>(n);
}

void broker::relay(const caf::strong_actor_ptr& asker, uint32_t call_id,
                   const request_outcome& x) {
  if (!asker)
    return;
  // Who has subscriptions may watch: the answer must not be overtaken.
  if (auto i = ctx_.subscribers.find(asker->id());
      i != ctx_.subscribers.end()) {
    if (i->second.box->owner != nullptr)
      i->second.box->owner->on_answer(call_id, x);
  } else {
    caf::anon_send(caf::actor_cast<connection_actor>(asker), resolve_atom_v,
                   call_id, x);
  }
}

} // namespace callboard
