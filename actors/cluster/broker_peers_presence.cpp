#include <callboard/actors/cluster/broker_peers.hpp>

#include <algorithm>
#include <utility>

#include <caf/make_counted.hpp>

#include <callboard/actors/broker.hpp>

// Who is in topics of other nodes. The owner has the members of all nodes in
// its registry. The home reports what its loops do, and is told once for all of
// them that watch.

namespace callboard {

namespace {

// About so many bytes of members go in one frame.
constexpr size_t members_bytes_max = 256 * 1024;

size_t member_bytes(const presence_member& x) noexcept {
  auto result = sizeof(presence_member) + x.user.size()
                + x.connections.size() * sizeof(connection_id);
  for (auto& node : x.nodes)
    result += sizeof(uint32_t) + node.size();
  return result;
}

// Leaves what has no place in one frame to the next page.
void shorten(presence_page& x, std::string_view node) {
  auto& all = x.members;
  size_t bytes = 0;
  size_t n = 0;
  while (n < all.size() && bytes < members_bytes_max)
    bytes += member_bytes(all[n++]);
  if (n == all.size())
    return;
  all.resize(n);
  x.next = presence_registry::cursor_of(all.back(), node);
}

// Names the node of a connection as the node `own` knows it, and not `sender`.
void readdress(std::string& node, const std::string& sender,
               const std::string& own) {
  if (node.empty())
    node = sender;
  else if (node == own)
    node.clear();
}

void readdress(presence_page& page, const std::string& sender,
               const std::string& own) {
  for (auto& x : page.members) {
    x.nodes.resize(x.connections.size());
    for (auto& node : x.nodes)
      readdress(node, sender, own);
    if (std::ranges::all_of(x.nodes, &std::string::empty))
      x.nodes.clear();
  }
}

} // namespace

// -- as a home ----------------------------------------------------------------

void broker_peers::pass_on(uint32_t loop, const presence_change& x) {
  using kind = presence_change::kind;
  if (x.what == kind::watch || x.what == kind::watch_anew) {
    auto& loops = watching_[x.topic];
    auto known = !loops.empty();
    loops.set(loop, true);
    if (known && x.what == kind::watch)
      return;
  } else if (x.what == kind::unwatch) {
    auto i = watching_.find(x.topic);
    if (i == watching_.end())
      return;
    i->second.set(loop, false);
    if (!i->second.empty())
      return;
    watching_.erase(i);
  }
  ctx_.peers.send(shard_kind::broker, ctx_.peers.owner_of(x.topic), x.topic,
                  peer_presence{static_cast<uint8_t>(x.what), x.topic,
                                x.connection, x.user});
}

void broker_peers::take(uint32_t slot, peer_presence_news& x) {
  auto i = watching_.find(x.topic);
  // That of an old owner comes before all of a new one.
  if (i == watching_.end() || !moves_.owned(slot, x.topic, ctx_.peers.nodes()))
    return;
  auto& sender = ctx_.peers.nodes().at(slot)->who.name;
  for (auto& step : x.steps)
    readdress(step.node, sender, ctx_.node.name);
  auto news = caf::make_counted<presence_news>();
  news->topic = std::move(x.topic);
  news->timestamp = x.timestamp;
  news->reset = x.reset;
  news->steps = std::move(x.steps);
  self_.tell(news, i->second);
}

void broker_peers::look_up(const presence_query& x, presence_reply reply) {
  auto slot = ctx_.peers.owner_of(x.topic);
  if (auto failed = unreachable(slot); failed != errc::none)
    return reply({failed});
  auto& call = add_call(slot, shard_at(slot, x.topic));
  call.take_presence = std::move(reply);
  call.who = x;
  ctx_.peers.send(shard_kind::broker, slot, x.topic,
                  peer_presence_query{last_call_, x.topic, x.count_only,
                                      x.limit, x.after});
}

void broker_peers::take(uint32_t slot, peer_presence_found& x) {
  auto call = take_call(slot, x.call);
  if (!call.take_presence)
    return;
  // It is another node's by now.
  if (x.code == errc::owner_down && waits(call.who.topic))
    return look_up_later(call.who, std::move(call.take_presence));
  readdress(x.page, ctx_.peers.nodes().at(slot)->who.name, ctx_.node.name);
  call.take_presence({x.code, x.count, std::move(x.page)});
}

// -- as an owner --------------------------------------------------------------

presence_registry::source broker_peers::presence_source(uint32_t slot) {
  if (slot >= presence_nodes_.size())
    presence_nodes_.resize(slot + 1);
  auto& name = presence_nodes_[slot];
  if (!name)
    name = caf::make_counted<node_name>(ctx_.peers.nodes().at(slot)->who.name);
  return {loop_at(slot), name};
}

void broker_peers::take(uint32_t slot, peer_presence_query& x) {
  if (owns(x.topic) ? waits(x.topic) : moves_.may_return() && !durable(x.topic))
    return park(slot, x.topic, static_cast<int64_t>(sizeof(x)), x);
  peer_presence_found answer;
  answer.call = x.call;
  if (!owns(x.topic)) {
    answer.code = errc::owner_down;
  } else if (!self_.has_presence(x.topic)) {
    answer.code = errc::no_presence;
  } else if (!x.count_only && ctx_.peers.nodes().congested(slot)) {
    // All its watchers may ask at once.
    answer.code = errc::overloaded;
  } else {
    presence_query query;
    query.topic = x.topic;
    query.count_only = x.count_only;
    query.limit = std::clamp(x.limit, 1u, presence_query::limit_max);
    query.after = std::move(x.after);
    auto found = self_.find(query);
    answer.count = found.count;
    answer.page = std::move(found.page);
    shorten(answer.page, ctx_.node.name);
  }
  ctx_.peers.send(shard_kind::broker, slot, x.topic, answer);
}

void broker_peers::send_news(uint32_t loop, const presence_news& x) {
  ctx_.peers.send(shard_kind::broker, loop - ctx_.node.loops, x.topic,
                  peer_presence_news{x.topic, x.timestamp, x.reset, x.steps});
}

void broker_peers::drop_presence(uint32_t slot) {
  if (slot >= presence_nodes_.size() || !presence_nodes_[slot])
    return;
  self_.presence_.drop({loop_at(slot), std::move(presence_nodes_[slot])},
                       self_.now_ms());
}

void broker_peers::renew_presence(uint32_t slot,
                                  presence_registry::topic_filter topics) {
  if (slot < presence_nodes_.size() && presence_nodes_[slot])
    self_.presence_.renew(presence_source(slot), std::move(topics),
                          self_.now_ms());
}

void broker_peers::keep_own_presence() {
  self_.presence_.keep_if([this](const std::string& x) { return owns(x); });
  self_.advance_presence();
}

} // namespace callboard
