#include <callboard/actors/broker.hpp>

#include <utility>

// Topics that have copies at other nodes: such a topic is loaded when this node
// may serve it, and what is published is part of it when enough disks have it
// (cluster/topic_replica.hpp).

namespace callboard {

const topic_options& broker::options_by_now(const std::string& name) const {
  auto i = durable_.topics.find(name);
  return i != durable_.topics.end() ? i->second.options
                                    : options_of(ctx_.rules(), name);
}

void broker::copies_begun(const std::string& name) {
  auto i = durable_.topics.find(name);
  if (i == durable_.topics.end())
    // Nobody needs it any more.
    return replicas_.topics().release(name);
  auto& at = i->second;
  if (at.at == durable_topic::stage::loading)
    ctx_.node.store->load(receiver(), name, at.options);
  else if (at.at == durable_topic::stage::unknown && !at.loops.empty())
    // It was lost for a moment: these are told where it stands now.
    when_ready(name, at, [](errc) {});
}

void broker::copies_agreed(const std::string& name, uint64_t offset) {
  for (;;) {
    auto i = durable_.topics.find(name);
    if (i == durable_.topics.end())
      return;
    auto& copies = i->second.copies;
    if (copies.empty() || copies.front().event->offset > offset)
      return;
    auto entry = std::move(copies.front());
    copies.pop_front();
    finish(std::move(entry), true);
  }
}

void broker::copies_lost(const std::string& name) {
  auto i = durable_.topics.find(name);
  if (i == durable_.topics.end())
    return;
  auto& at = i->second;
  // They may be in it or not, until their ids are looked for.
  for (auto& x : std::exchange(at.copies, {})) {
    x.who.tell(errc::owner_down);
    for (auto& y : x.again)
      y.tell(errc::owner_down);
  }
  if (at.at == durable_topic::stage::ready)
    return forget(name, at);
  if (at.at != durable_topic::stage::loading)
    return;
  // Each try is a question to all who vote.
  at.retry_ms = now_ms() + store_retry_interval.count();
  finish_loading(name, at, errc::owner_down);
}

} // namespace callboard
