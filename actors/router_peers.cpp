#include <callboard/actors/router.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/telemetry/counter.hpp>

// What router shards of different nodes have to do with each other.

namespace callboard {

namespace {

// How soon a router looks again whether its loop knows the nodes.
constexpr auto meeting_interval = std::chrono::milliseconds{1};

} // namespace

// -- the nodes ----------------------------------------------------------------

void router::told(const peer_set_ptr& x) {
  auto first = told_ == nullptr;
  told_ = x;
  meet_told();
  if (!first)
    return;
  // Until now the gate did not know this shard: what came for it is lost.
  for (auto& node : nodes_)
    if (node != nullptr) {
      ctx_.peers.send_to_all(shard_kind::router, node->slot(),
                             peer_restart{index_});
      offer_all(*node);
    }
}

void router::meet() {
  if (met_ == ctx_.peers.shared_nodes())
    return;
  auto old = std::exchange(met_, ctx_.peers.shared_nodes());
  nodes_.resize(std::max(nodes_.size(), met_->slots.size()));
  for (uint32_t slot = 0; slot < nodes_.size(); ++slot) {
    auto& known = nodes_[slot];
    auto* now = met_->at(slot);
    // In a set that this has missed, the node may have had another slot.
    if (known != nullptr && met_->same_at(slot, *old))
      continue;
    if (auto gone = std::move(known))
      bury(gone->peer);
    if (now != nullptr) {
      known = std::make_unique<request_node>(slot, now->who);
      offer_all(*known);
    }
  }
}

void router::meet_told() {
  meet();
  // The loop's broker installs the set. It may not have come to that, or have
  // come to a newer one, of which this will hear.
  if (met_ == told_ || std::exchange(looks_again_, true))
    return;
  delayed_send(this, meeting_interval, cluster_atom_v);
}

void router::offer_all(const request_node& to, const uint32_t* shard) {
  table_.for_each_action([&](const std::string& action) {
    auto at = to.shard_of(action);
    if (shard == nullptr || *shard == at)
      tell(to, at, peer_offer{action});
  });
}

// -- frames -------------------------------------------------------------------

void router::take(const shard_batch& x) {
  meet();
  auto* from = x.slot < nodes_.size() ? nodes_[x.slot].get() : nullptr;
  if (from == nullptr)
    return;
  frame_source source{x.frames};
  peer_frame number{};
  while (source.next(number))
    if (!take_frame(*from, number, source)) {
      ctx_.metrics.cluster_malformed->inc();
      break;
    }
  met_->at(x.slot)->traffic->received.fetch_add(x.frames.size(),
                                                std::memory_order_relaxed);
  if (x.credit != nullptr)
    x.credit->take_over();
}

bool router::take_frame(request_node& from, peer_frame number,
                        frame_source& source) {
  return source.read_one_of<peer_offer, peer_withdraw, peer_restart, peer_serve,
                            peer_outcome, peer_cancel>(number, [&](auto& x) {
    take(from, x);
  });
}

void router::take(request_node& from, const peer_offer& x) {
  table_.add(from.peer, x.action, false);
}

void router::take(request_node& from, const peer_withdraw& x) {
  if (auto* offered = table_.find(from.peer, x.action))
    remove(*offered);
}

void router::take(request_node& from, const peer_restart& x) {
  auto shard_of = [&from](const registration& y) {
    // What is taken back already has requests that it waits for.
    return from.shard_of(y.action != nullptr
                           ? y.action->first
                           : y.requests.first()->content->content.action);
  };
  auto& offered = from.peer.registrations;
  // The last one takes the place of one that goes.
  for (auto i = offered.size(); i > 0; --i)
    if (auto& y = *offered[i - 1]; shard_of(y) == x.shard)
      fail(y);
  while (auto* asked = from.first_of(x.shard)) {
    ctx_.metrics.requests_cancelled->inc();
    withdraw(*asked);
  }
  offer_all(from, &x.shard);
}

// -- as the node that serves --------------------------------------------------

void router::take(request_node& from, peer_serve& x) {
  auto& request = x.what;
  constexpr auto ms_max = static_cast<uint64_t>(timeout_ms_max);
  request->timeout
    = std::chrono::milliseconds{std::clamp(x.timeout_ms, uint64_t{1}, ms_max)};
  ctx_.metrics.cluster_requests_served->inc();
  if (x.ticket.number == 0)
    return notify(request, &from);
  if (!from.accepts(x.ticket)) {
    ctx_.metrics.cluster_malformed->inc();
    return;
  }
  if (auto refused = open(request, {.node = &from, .ticket = x.ticket}))
    tell(from, x.ticket.shard,
         peer_outcome{x.ticket, refused.code == errc::no_responder,
                      to_outcome(refused)});
}

void router::take(request_node& from, const peer_cancel& x) {
  // It may have crossed the answer.
  auto* request = from.find(x.ticket);
  if (request == nullptr)
    return;
  if (x.late)
    return time_out(*request);
  ctx_.metrics.requests_cancelled->inc();
  withdraw(*request);
}

// -- as the node that asks ----------------------------------------------------

void router::ask(const request_node& to, const request_ticket& ticket,
                 const routed_request_ptr& x, int64_t left_ms) {
  ctx_.metrics.cluster_requests_sent->inc();
  tell(to, to.shard_of(x->content.action),
       peer_serve{ticket, static_cast<uint64_t>(left_ms), x});
}

void router::take(request_node& from, const peer_outcome& x) {
  auto* request = table_.find(x.ticket.number);
  if (request == nullptr || x.ticket.shard != index_
      || request->responder->who != &from.peer) {
    ctx_.metrics.stray_answers->inc();
    return;
  }
  if (!x.unserved || !move(*request))
    finish(*request, x.what);
}

bool router::move(pending_request& x) {
  using std::chrono::milliseconds;
  auto* to = x.moved ? nullptr : next_node(x.content->content.action);
  if (to == nullptr || congested(*to))
    return false;
  x.moved = true;
  table_.choose(*to);
  table_.move(x, *to);
  x.credit = charge(to->waiting, x.content->cost());
  auto passed = std::chrono::floor<milliseconds>(clock().now() - x.begin);
  ask(*to->who->node, {index_, x.number}, x.content,
      std::max<int64_t>(timeout_ms(x.content->timeout) - passed.count(), 1));
  return true;
}

} // namespace callboard
