#include <callboard/actors/cluster/broker_peers.hpp>

#include <charconv>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

// Last values for newcomers to patterns. A loop asks each shard of its node for
// a page after the other, and says how far it has come. A shard gives those of
// the topics that it owns, and then, from each shard of each other node, those
// of the topics whose home it is: so they take their place among the events of
// these topics, which come the same way.

namespace callboard {

namespace {

// How far a loop has come with other nodes. No topic has such a name:
// `separator` is a control character.
struct values_place {
  static constexpr auto separator = '\1';

  uint32_t slot = 0;
  uint32_t shard = 0;
  std::string after;

  std::string words() const {
    return separator + std::to_string(slot) + separator + std::to_string(shard)
           + separator + after;
  }

  // Returns false if `x` is a topic, or empty.
  bool read(std::string_view x) {
    auto number = [&x](uint32_t& to) {
      if (x.empty() || x[0] != separator)
        return false;
      auto* end = x.data() + x.size();
      auto [rest, wrong] = std::from_chars(x.data() + 1, end, to);
      x = {rest, end};
      return wrong == std::errc{};
    };
    if (!number(slot) || !number(shard) || x.empty())
      return false;
    after = x.substr(1);
    return true;
  }
};

} // namespace

std::string broker_peers::next_values(uint32_t slot, uint32_t shard) const {
  auto& nodes = ctx_.peers.nodes();
  for (; slot < nodes.slots.size(); ++slot, shard = 0)
    if (auto* node = nodes.at(slot); node != nullptr && shard < node->who.loops)
      return values_place{slot, shard, {}}.words();
  return {};
}

std::string broker_peers::after_own_values() const {
  return next_values(0, 0);
}

bool broker_peers::fetch_values(const retained_query& x) {
  values_place at;
  // Topics on their way are at no shard.
  if (moves_.open() && moves_.parked.has_room(sizeof(x))) {
    moves_.parked.add(peer_set::here, {}, sizeof(x), [this, x](errc failed) {
      if (failed == errc::none)
        self_.fetch(x);
    });
    return true;
  }
  if (!at.read(x.after))
    return false;
  auto page = caf::make_counted<retained_page>();
  page->shard = ctx_.index;
  page->pattern = x.pattern;
  page->number = x.number;
  page->own_done = true;
  auto take = [this, at, page, loop = x.loop](peer_values& found) {
    page->values = unboxed(found.values);
    page->upto = found.upto.empty()
                   ? next_values(at.slot, at.shard + 1)
                   : values_place{at.slot, at.shard, found.upto}.words();
    self_.send_page(loop, page);
  };
  auto* node = ctx_.peers.nodes().at(at.slot);
  if (node == nullptr || at.shard >= node->who.loops) {
    // It has gone meanwhile.
    peer_values none;
    take(none);
    return true;
  }
  add_call(at.slot, at.shard).take_values = take;
  ctx_.peers.send_to(shard_kind::broker, at.slot, at.shard,
                     peer_fetch_values{last_call_, x.pattern, at.after,
                                       ctx_.index, ctx_.node.loops});
  return true;
}

void broker_peers::take(uint32_t slot, peer_values& x) {
  auto call = take_call(slot, x.call);
  if (!call.take_values)
    return;
  if (!moves_.open())
    return call.take_values(x);
  // Events that the values are as new as may wait, and are in front of them.
  batch_held_ = true;
  moves_.held[batch_view_].push_back(
    [take_now = std::move(call.take_values), x]() mutable { take_now(x); });
}

} // namespace callboard
