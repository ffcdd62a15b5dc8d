#include <callboard/actors/broker.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
  using stage = durable_topic::stage;
  auto i = durable_.topics.find(name);
  auto waits = i != durable_.topics.end() && i->second.at == stage::loading;
  if (waits)
    ctx_.node.store->load(receiver(), name, i->second.options);
  else if (i == durable_.topics.end() || i->second.loops.empty())
    // Nobody needs it any more.
    replicas_.topics().release(name);
  else
    // It was lost for a moment: these are told where it stands now.
    when_ready(name, i->second, [](errc) {});
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

void broker::copies_placed(const std::string& name, uint64_t number) {
  for (;;) {
    auto i = durable_.topics.find(name);
    if (i == durable_.topics.end())
      return;
    auto& placing = i->second.placing;
    if (placing.empty())
      return;
    if (placing.front().first == 0)
      return place_copies(name, i->second);
    if (placing.front().first > number)
      return;
    auto f = std::move(placing.front().second);
    placing.pop_front();
    f(false);
  }
}

void broker::copy_places(std::vector<saved_place>& xs,
                         std::function<void(bool)>& f) {
  std::set<std::string> changed;
  auto lost = false;
  auto take_out = [&](saved_place& x) {
    if (!replicas_.copied(x.topic))
      return false;
    auto i = durable_.topics.find(x.topic);
    if (i == durable_.topics.end() || !i->second.copied
        || i->second.at != durable_topic::stage::ready) {
      lost = true;
      return true;
    }
    auto& places = i->second.places;
    if (x.forgotten)
      places.erase(x.where.group);
    else
      places[x.where.group] = std::move(x.where);
    changed.insert(std::move(x.topic));
    return true;
  };
  std::erase_if(xs, take_out);
  if (changed.empty() && !lost)
    return;
  struct joint {
    std::function<void(bool)> f;
    size_t left;
    bool failed;
  };
  // All of it is one answer.
  auto all = std::make_shared<joint>(joint{
    std::exchange(f, nullptr), changed.size() + (xs.empty() ? 0 : 1), lost});
  auto done = [all](bool failed) {
    all->failed |= failed;
    if (--all->left == 0 && all->f)
      all->f(all->failed);
  };
  if (all->left == 0 && all->f)
    return all->f(true);
  if (!xs.empty())
    f = done;
  for (auto& name : changed) {
    // It was lost a moment ago, and the broker is about to hear of it.
    if (!replicas_.topics().leads(name)) {
      done(true);
      continue;
    }
    auto& at = durable_.topics.find(name)->second;
    at.placing.emplace_back(0, done);
    // All groups of a topic may be much. While one change is on its way the
    // next ones wait, and are one then.
    if (at.placing.size() == 1)
      place_copies(name, at);
  }
}

void broker::place_copies(const std::string& name, durable_topic& at) {
  std::vector<group_place> places;
  for (auto& [group, x] : at.places)
    places.push_back(x);
  auto number = replicas_.topics().place(
    name, std::make_shared<const std::vector<group_place>>(std::move(places)));
  for (auto& [sent, f] : at.placing)
    sent = number;
}

broker::left_copy broker::leave_copy(const std::string& name) {
  auto i = durable_.topics.find(name);
  // The next owner asks this node's disk, too, where its groups stand.
  if (i != durable_.topics.end() && !i->second.placing.empty()
      && i->second.placing.back().first == 0 && replicas_.topics().leads(name))
    place_copies(name, i->second);
  replicas_.topics().release(name);
  if (i == durable_.topics.end()) {
    topics_.drop(name);
    return {};
  }
  auto& at = i->second;
  left_copy result{at.loops, {}};
  if (at.at == durable_topic::stage::ready)
    result.where = where(name);
  refuse_copies(at);
  topics_.drop(name);
  auto parked = std::move(at.parked);
  durable_.topics.erase(i);
  for (auto& f : parked)
    f(errc::owner_down);
  return result;
}

void broker::refuse_copies(durable_topic& at) {
  // They may be in it or not, until their ids are looked for.
  for (auto& x : std::exchange(at.copies, {})) {
    x.who.tell(errc::owner_down);
    for (auto& y : x.again)
      y.tell(errc::owner_down);
  }
  for (auto& [number, f] : std::exchange(at.placing, {}))
    f(true);
}

void broker::copies_lost(const std::string& name) {
  auto i = durable_.topics.find(name);
  if (i == durable_.topics.end())
    return;
  auto& at = i->second;
  refuse_copies(at);
  if (at.at == durable_topic::stage::ready)
    forget(name, at);
  // Perhaps it is served again in a moment.
  if (at.at == durable_topic::stage::unknown && replicas_.topics().wanted(name))
    return;
  // Each try is a question to all who vote. Who has subscribers asks again.
  at.retry_ms = now_ms() + store_retry_interval.count();
  finish_loading(name, at, errc::owner_down);
}

} // namespace callboard
