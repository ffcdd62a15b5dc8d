#include <callboard/actors/cluster/broker_peers.hpp>

#include <string>
#include <utility>
#include <vector>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

// What a home sends on for its publishers, and what it lets wait while a topic
// is on its way from one owner to another.

namespace callboard {

namespace {

int64_t parked_cost(const std::string& topic) {
  return static_cast<int64_t>(256 + topic.size());
}

} // namespace

// -- publications -------------------------------------------------------------

caf::typed_response_promise<published> broker_peers::promise_of_publisher() {
  if (!self_.current_sender())
    return {};
  return self_.make_response_promise<published>();
}

caf::result<published> broker_peers::publish(const publication_ptr& x) {
  auto promise = promise_of_publisher();
  forward(x, promise);
  return promise;
}

void broker_peers::forward(const publication_ptr& x,
                           caf::typed_response_promise<published> promise) {
  auto slot = ctx_.peers.owner_of(x->topic);
  if (auto failed = unreachable(slot); failed != errc::none)
    return promise.deliver(published{x->call_id, failed, {}, 0});
  auto shard = shard_at(slot, x->topic);
  peer_publish frame{0, {x, x->publisher}};
  if (promise.pending()) {
    auto& call = add_call(slot, shard);
    call.call_id = x->call_id;
    call.promise = std::move(promise);
    frame.call = last_call_;
  }
  ctx_.peers.send_to(shard_kind::broker, slot, shard, frame);
}

void broker_peers::take(uint32_t slot, peer_published& x) {
  auto call = take_call(slot, x.call);
  if (call.promise.pending())
    call.promise.deliver(
      published{call.call_id, x.code, std::move(x.where), x.retry_after_ms});
}

// -- what waits meanwhile -----------------------------------------------------

bool broker_peers::waits(std::string_view topic) const noexcept {
  return moves_.open() && !durable(topic)
         && moves_.moves(topic, ctx_.peers.nodes());
}

caf::result<published> broker_peers::publish_later(const publication_ptr& x) {
  auto promise = promise_of_publisher();
  moves_.parked.add(peer_set::here, x->topic, x->cost(),
                    [this, x, promise](errc failed) {
                      publish_parked(x, failed, promise);
                    });
  return promise;
}

void broker_peers::take(uint32_t slot, peer_returned& x) {
  auto call = take_call(slot, x.call);
  if (x.call != 0 && !call.promise.pending())
    return;
  auto what = unboxed(x.what);
  what->call_id = call.call_id;
  // Its owner goes by other rules: there it would be returned again.
  if (durable(what->topic))
    return call.promise.deliver(
      published{call.call_id, errc::owner_down, {}, 0});
  if (!waits(what->topic))
    return publish_parked(what, errc::none, call.promise);
  moves_.parked.add_returned(peer_set::here, what->topic, what->cost(),
                             [this, what, promise = call.promise](errc failed) {
                               publish_parked(what, failed, promise);
                             });
}

void broker_peers::publish_parked(
  const publication_ptr& x, errc failed,
  caf::typed_response_promise<published> promise) {
  if (failed == errc::none && left())
    failed = errc::shutting_down;
  if (failed != errc::none)
    promise.deliver(published{x->call_id, failed, {}, 0});
  else if (owns(x->topic))
    promise.deliver(self_.publish_now(x));
  else
    forward(x, std::move(promise));
}

void broker_peers::attach_later(uint32_t loop, const std::string& topic,
                                uint64_t generation) {
  auto attach = [=, this](errc failed) {
    if (failed == errc::none)
      self_.attach_loop(loop, topic, generation);
    else if (failed == errc::overloaded)
      self_.refuse(loop, topic, generation, failed);
  };
  moves_.parked.add(peer_set::here, topic, parked_cost(topic), attach, loop);
}

void broker_peers::fetch_later(uint32_t loop, const std::string& topic,
                               uint64_t first) {
  auto fetch = [=, this](errc failed) {
    if (failed == errc::none)
      self_.fetch(loop, topic, first);
    else if (failed == errc::overloaded)
      self_.send_slice(loop, self_.read_kept(topic, first));
  };
  moves_.parked.add(peer_set::here, topic, parked_cost(topic), fetch);
}

void broker_peers::look_up_later(const history_query& x, history_reply reply) {
  auto look_up = [this, x, reply = std::move(reply)](errc failed) {
    if (failed != errc::none)
      reply(caf::make_error(failed));
    else if (owns(x.topic))
      reply(self_.look_up(x));
    else
      this->look_up(x, reply);
  };
  if (waits(x.topic))
    moves_.parked.add(peer_set::here, x.topic, x.cost(), std::move(look_up));
  else
    look_up(errc::none);
}

caf::result<void> broker_peers::leave() {
  auto promise = self_.make_response_promise<void>();
  if (installed_)
    moves_.leavers.push_back(promise);
  else
    promise.deliver();
  go_on_moving();
  return promise;
}

// -- when it is over, or given up ---------------------------------------------

void broker_peers::return_parked() {
  moves_.parked.make(errc::none, [this](uint32_t slot, auto& topic) {
    return slot != peer_set::here && !topic.empty() && !owns(topic);
  });
}

void broker_peers::tell_gaps() {
  using extent = pattern_gaps::extent;
  switch (moves_.gaps.take()) {
    case extent::none:
      break;
    case extent::durable:
      if (auto& stores = ctx_.peers.nodes().stores; stores != nullptr)
        ctx_.topics.lose_events(
          [&](const std::string& name) { return stores->may_keep(name); });
      break;
    case extent::everywhere:
      for (uint32_t loop = 0; loop < ctx_.node.loops; ++loop)
        if (loop != ctx_.index)
          caf::anon_send(ctx_.brokers[loop].actor, cluster_atom_v,
                         attach_atom_v);
      [[fallthrough]];
    case extent::all:
      ctx_.topics.lose_events();
  }
}

void broker_peers::release_held() {
  for (auto& [view, frames] : std::exchange(moves_.held, {}))
    for (auto& take_now : frames)
      take_now();
  for (uint32_t slot = 0; slot < unsettled_.size(); ++slot)
    unsettled_[slot] += std::exchange(moves_.held_bytes[slot], 0);
  settle();
}

void broker_peers::end_move() {
  moves_.end(ctx_.peers.nodes());
  let_in_rooms();
  groups_.let_in();
  ctx_.metrics.history_bytes->value(topics_.kept_bytes());
  ctx_.metrics.ids_bytes->value(topics_.ids_bytes());
  moves_.parked.make_all(errc::none);
  make_up_for_reports();
  self_.advance_presence();
}

void broker_peers::forget_moves(uint32_t slot, const uint32_t* shard) {
  auto is_meant = [=, this](const std::string& topic) {
    return shard == nullptr
           || (!topic.empty() && shard_at(slot, topic) == *shard);
  };
  moves_.parked.drop(slot, is_meant);
  fetches_.drop(slot, is_meant);
  std::erase_if(moves_.incoming, [=](auto& x) {
    return x.first.first == slot && (!shard || x.first.second == *shard);
  });
  std::erase_if(moves_.unheard,
                [&](auto& x) { return x.first == slot && is_meant(x.second); });
  std::vector<std::string> left;
  for (auto& [name, x] : moves_.arrivals)
    if (x.loops.contains(loop_at(slot)) && is_meant(name))
      left.push_back(name);
  for (auto& name : left)
    moves_.cancel(loop_at(slot), name);
  if (!moves_.outgoing.empty())
    moves_.outgoing.front().restart();
}

loop_set broker_peers::of_this_node(const loop_set& x) const {
  loop_set result;
  x.for_each([&](uint32_t loop) {
    if (!is_peer(loop))
      result.set(loop, true);
  });
  return result;
}

} // namespace callboard
