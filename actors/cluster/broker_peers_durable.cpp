#include <callboard/actors/cluster/broker_peers.hpp>

#include <set>
#include <string>
#include <utility>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/cluster/peer_boxes.hpp>

// Where this node owns a durable topic, the answers to other nodes wait for the
// disk. What concerns such a topic never waits for other nodes: one without
// copies had no other owner before, and of one with copies the disks tell where
// it stands.

namespace callboard {

namespace {

// Returns what calls `f` with an answer to the node at `slot` if it is there
// still, in the same round: no other node's call is to be answered.
template <class F>
auto answer_to(const loop_context& ctx, uint32_t slot, F f) {
  auto link = ctx.peers.nodes().at(slot)->traffic;
  return [&ctx, slot, link = std::move(link), f = std::move(f)](auto x) {
    auto* node = ctx.peers.nodes().at(slot);
    if (node != nullptr && node->traffic == link)
      f(std::move(x));
  };
}

// Returns whether as much as may waits for the disk already.
bool has_enough(const loop_context& ctx, const mailbox_bytes& waiting) {
  return waiting.exceeds(ctx.node.options.shard_bytes_max);
}

} // namespace

void broker_peers::publish_durable(uint32_t slot, peer_publish& x) {
  auto what = unboxed(x.what);
  what->publisher = foreign(slot, what->publisher);
  auto answer
    = answer_to(ctx_, slot, [this, slot, call = x.call, what](published done) {
        peer_published frame{call, done.code, std::move(done.position),
                             done.retry_after_ms};
        if (call != 0)
          ctx_.peers.send(shard_kind::broker, slot, what->topic, frame);
      });
  if (!owns(what->topic))
    // Its home goes by other rules, or by an older view.
    return answer(published{0, errc::owner_down, {}, 0});
  if (has_enough(ctx_, *self_.waiting_))
    return answer(published{0, errc::overloaded, {}, 0});
  auto* at = self_.durable(what->topic);
  if (at == nullptr || !self_.goes_to_store(*at))
    return answer(self_.publish_now(what));
  self_.waiting_->add(what->cost());
  self_.publish_durable(*at, what, {0, {}, std::move(answer)});
}

void broker_peers::look_up_durable(uint32_t slot, uint64_t call,
                                   const history_query& x) {
  using found = caf::expected<history_found>;
  auto answer
    = answer_to(ctx_, slot, [this, slot, call, topic = x.topic](found y) {
        peer_found frame;
        frame.call = call;
        if (y) {
          frame.head = std::move(y->head);
          frame.events = boxed(slot, y->events);
          frame.more = y->more;
        } else {
          frame.code = errc_of(y.error());
        }
        ctx_.peers.send(shard_kind::broker, slot, topic, frame);
      });
  auto refuse = [&answer](errc why) { answer(found{caf::make_error(why)}); };
  if (!owns(x.topic))
    // As to `peer_attach`.
    return refuse(errc::storage_unavailable);
  if (!x.well_formed())
    return refuse(errc::bad_payload);
  if (has_enough(ctx_, *self_.waiting_))
    return refuse(errc::overloaded);
  self_.waiting_->add(x.cost());
  self_.look_up_own(x, std::move(answer));
}

// -- topics that have copies --------------------------------------------------

void broker_peers::leave_copies() {
  auto stays = [this](const std::string& name) {
    return owns(name) || !self_.replicas_.copied(name);
  };
  // There may be members of one that nobody has used since it was lost.
  auto groups = self_.groups_.topics_unless(stays);
  std::set<std::string> names{groups.begin(), groups.end()};
  for (auto& [name, at] : self_.durable_.topics)
    if (at.copied && !owns(name))
      names.insert(name);
  // What their members have confirmed until now is not given out again.
  if (!names.empty())
    self_.groups_.save_all();
  for (auto& name : names) {
    groups_.send_on(name);
    auto [loops, where] = self_.leave_copy(name);
    followed_topic next;
    for (auto [loop, generation] : loops)
      if (is_peer(loop)) {
        // By the view it may have been the owner all the time.
        send_refused(loop, name, 0, errc::storage_unavailable);
      } else {
        next.loops.set(loop, true);
        if (where.epoch.empty())
          next.waiting.emplace_back(loop, generation);
      }
    if (next.loops.empty())
      continue;
    // What they have is compared with what the next owner has.
    next.where = std::move(where);
    // What they have asked for is not answered any more.
    next.again = true;
    auto& topic = followed_[name] = std::move(next);
    ask_anew(name, topic);
  }
}

} // namespace callboard
