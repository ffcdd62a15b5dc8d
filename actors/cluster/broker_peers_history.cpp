#include <callboard/actors/cluster/broker_peers.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <caf/make_counted.hpp>

#include <callboard/actors/broker.hpp>

// What a home asks the owners of what its topics have kept.

namespace callboard {

void broker_peers::look_up(const history_query& x, history_reply reply) {
  auto slot = ctx_.peers.owner_of(x.topic);
  if (auto failed = unreachable(slot); failed != errc::none) {
    reply(caf::make_error(failed));
    return;
  }
  auto& call = add_call(slot, shard_at(slot, x.topic));
  call.reply = std::move(reply);
  call.query = x;
  ctx_.peers.send(shard_kind::broker, slot, x.topic,
                  peer_query{last_call_,
                             x.topic,
                             x.position_only,
                             {x.since_epoch, x.since_offset},
                             x.before,
                             x.limit,
                             x.reverse,
                             x.bytes_max});
}

void broker_peers::take(uint32_t slot, peer_found& x) {
  auto call = take_call(slot, x.call);
  if (!call.reply)
    return;
  if (x.code == errc::owner_down && !durable(call.query.topic))
    // It is another node's by now.
    look_up_later(call.query, std::move(call.reply));
  else if (x.code != errc::none)
    call.reply(caf::make_error(x.code));
  else
    call.reply(history_found{std::move(x.head), unboxed(x.events), x.more});
}

void broker_peers::fetch(uint32_t loop, const std::string& topic,
                         uint64_t first) {
  auto i = followed_.find(topic);
  if (i == followed_.end())
    return;
  i->second.fetching.emplace_back(loop, first);
  ctx_.peers.send(shard_kind::broker, i->second.slot, topic,
                  peer_fetch{topic, first});
}

void broker_peers::take(uint32_t slot, peer_slice& x) {
  auto i = followed_.find(x.topic);
  if (i == followed_.end() || i->second.slot != slot)
    return;
  // What comes from a disk may come in another order.
  auto& all = i->second.fetching;
  auto who = std::ranges::find(all, x.asked,
                               &std::pair<uint32_t, uint64_t>::second);
  if (who == all.end())
    return;
  auto loop = who->first;
  all.erase(who);
  auto slice = caf::make_counted<history_slice>();
  slice->topic = std::move(x.topic);
  slice->epoch = std::move(x.epoch);
  slice->head = x.head;
  slice->asked = x.asked;
  slice->events = unboxed(x.events);
  self_.send_slice(loop, std::move(slice));
}

} // namespace callboard
