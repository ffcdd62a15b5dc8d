#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

#include <callboard/messages/topic.hpp>

// Who is in the topics that a shard owns.

namespace callboard {

// -- as the owner -------------------------------------------------------------

void broker::take_report(const presence_report& x) {
  waiting_->remove(x.cost());
  for (auto& change : x.changes)
    peers_.report(x.loop, change);
  advance_presence();
}

void broker::advance_presence() {
  presence_.advance(now_ms(), [this](const presence_news_ptr& news,
                                     const loop_set& loops) {
    news->timestamp = ctx_.unix_ms;
    tell(news, loops);
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

void broker::tell(const presence_news_ptr& news, const loop_set& loops) {
  loops.for_each([&](uint32_t loop) {
    if (loop == ctx_.index)
      deliver(*news);
    else if (!peers_.is_peer(loop))
      caf::anon_send(ctx_.brokers[loop].actor, presence_atom_v, news);
    else if (peers_.congested(loop))
      presence_.hold(news->topic, loop, now_ms());
    else
      peers_.send_news(loop, *news);
  });
}

void broker::look_up(uint32_t call_id, const presence_query& x) {
  waiting_->remove(x.cost());
  look_up(x, [=, this, asker = current_sender(), server = x.server,
              count_only = x.count_only](presence_found&& found) {
    auto& node = ctx_.node;
    auto outcome = found.code != errc::none
                     ? request_outcome::failure(found.code)
                   : count_only ? answer(found.count)
                                : answer(found.page, node.name,
                                         node.options.frame_bytes_max);
    if (server == ctrl())
      relay(asker, call_id, outcome);
    else
      caf::anon_send(caf::actor_cast<broker_actor>(server), resolve_atom_v,
                     asker, call_id, std::move(outcome));
  });
}

void broker::look_up(const presence_query& x, presence_reply reply) {
  if (!has_presence(x.topic))
    reply({errc::no_presence});
  else if (peers_.waits(x.topic))
    peers_.look_up_later(x, std::move(reply));
  else if (!peers_.owns(x.topic))
    peers_.look_up(x, std::move(reply));
  else
    reply(find(x));
}

presence_found broker::find(const presence_query& x) {
  presence_found result;
  if (x.count_only)
    result.count = presence_.count(x.topic);
  else
    result.page = presence_.list(x.topic, x.after, x.limit);
  return result;
}

caf::result<presence_count> broker::count_presence(const std::string& topic) {
  auto promise = make_response_promise<presence_count>();
  presence_query x;
  x.topic = topic;
  x.count_only = true;
  look_up(x, [promise](presence_found&& found) mutable {
    if (found.code != errc::none)
      promise.deliver(caf::make_error(found.code));
    else
      promise.deliver(found.count);
  });
  return promise;
}

caf::result<presence_page> broker::list_presence(const std::string& topic,
                                                 uint32_t limit,
                                                 const std::string& after) {
  auto promise = make_response_promise<presence_page>();
  presence_query x;
  x.topic = topic;
  x.limit = std::clamp(limit, 1u, presence_query::limit_max);
  x.after = after;
  look_up(x, [promise](presence_found&& found) mutable {
    if (found.code != errc::none)
      promise.deliver(caf::make_error(found.code));
    else
      promise.deliver(std::move(found.page));
  });
  return promise;
}

// -- as the server of the loop's subscriptions --------------------------------

void broker::deliver(const presence_news& x) {
  auto& topics = ctx_.topics;
  auto n = x.reset ? topics.reset_presence(x.topic, x.timestamp)
                   : topics.deliver_presence(x, ctx_.node.name);
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
