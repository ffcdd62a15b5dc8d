#include <callboard/actors/cluster/cluster_actor.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <caf/make_counted.hpp>
#include <caf/make_message.hpp>
#include <caf/send.hpp>

#include <callboard/actors/in_ms.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

namespace {

// Shards of a kind: no node has more loops.
constexpr uint32_t shards_max = node_loops_max;

membership_options membership_options_of(const cluster_options& x) {
  return {in_ms(x.heartbeat), in_ms(x.timeout), x.members_max};
}

template <class Block>
uint64_t add_types(uint64_t hash) {
  for (auto id = Block::begin; id < Block::end; ++id) {
    auto name = caf::query_type_name(id);
    hash = hash * 0x100000001b3u + id;
    hash ^= hash_of({name.data(), name.size()});
  }
  return hash;
}

} // namespace

uint64_t type_fingerprint() {
  return add_types<caf::id_block::callboard_actors>(
    add_types<caf::id_block::callboard_messages>(0));
}

cluster_actor::cluster_actor(caf::actor_config& cfg, cluster_options options,
                             member self, caf::actor dialer)
  : caf::event_based_actor{cfg},
    options_{std::move(options)},
    dialer_{std::move(dialer)},
    membership_{membership_options_of(options_), std::move(self)},
    slots_{options_.outbox_bytes_max, options_.stores},
    dials_{options_.random_seed},
    first_round_{now_ms() + in_ms(options_.timeout)},
    metrics_{make_cluster_metrics(home_system().metrics())},
    lighter_{caf::make_counted<lighter_nodes>()} {
  for (auto& x : options_.seeds)
    add_seed(x);
}

caf::behavior cluster_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg& x) { down(x); });
  change_view();
  tick();
  return {
    [this](peer_batch& x) { take_batch(x); },
    [this](const peer_heartbeat& x) { take_heartbeat(x); },
    [this](const std::string& from, const cluster_view& x) {
      take_view(from, x);
    },
    [this](const peer_hello& x) { return take_hello(x); },
    [this](cluster_atom, uint8_t kind, uint32_t index, caf::actor& shard) {
      install_shard(static_cast<shard_kind>(kind), index, std::move(shard));
    },
    [this](join_atom, const std::string& address) {
      add_seed(address);
      dial_due();
    },
    [this](join_atom) {
      first_round_.complete();
      look_at_first_round();
    },
    [this](drain_atom) { return retire(); },
    [this](leave_atom) { return leave(); },
    [this](leave_atom, const std::string& address) {
      dials_.remove_seed(address);
    },
    [this](lookup_atom) { return facts(); },
    [this](watch_atom, const caf::actor& who) { watch(who); },
    [this](unwatch_atom, const caf::actor& who) { unwatch(who.address()); },
  };
}

void cluster_actor::on_exit() {
  dialer_ = nullptr;
  links_ = {};
  slots_ = peer_slots{};
  retirements_.clear();
  leaves_.clear();
  watchers_.clear();
  for (auto& xs : shards_)
    xs.clear();
}

void cluster_actor::tick() {
  membership_.tick(now_ms());
  follow();
  check_traffic();
  offer_others();
  dial_due();
  look_at_first_round();
  measure();
  run_delayed(options_.heartbeat / 4, [this] { tick(); });
}

void cluster_actor::install_shard(shard_kind kind, uint32_t index,
                                  caf::actor shard) {
  auto at = static_cast<size_t>(kind);
  if (at >= shard_kind_count || index >= shards_max || !shard)
    return;
  auto& xs = shards_[at];
  if (index >= xs.size())
    xs.resize(index + 1);
  xs[index] = std::move(shard);
  caf::anon_send(xs[index], cluster_atom_v, slots_.last());
  if (kind == shard_kind::broker && !lighter_->empty())
    caf::anon_send(xs[index], cluster_atom_v, lighter_);
  release_held();
}

caf::result<void> cluster_actor::retire() {
  auto promise = make_response_promise<void>();
  retirements_.push_back(promise);
  membership_.retire();
  membership_.tick(now_ms());
  follow();
  return promise;
}

void cluster_actor::when_settled(std::function<void()> f) {
  auto& shards = shards_[static_cast<size_t>(shard_kind::broker)];
  auto open = std::make_shared<size_t>(1);
  auto done = [open, f = std::move(f)] {
    if (--*open == 0)
      f();
  };
  for (auto& x : shards) {
    if (!x)
      continue;
    ++*open;
    // What dies has nothing to give any more.
    request(x, caf::infinite, leave_atom_v)
      .then(done, [done](const caf::error&) { done(); });
  }
  done();
}

caf::result<void> cluster_actor::leave() {
  auto promise = make_response_promise<void>();
  leaves_.push_back(promise);
  membership_.leave();
  membership_.tick(now_ms());
  follow();
  return promise;
}

// -- what follows from the membership -----------------------------------------

void cluster_actor::follow() {
  // Before the view's messages, so that nobody goes by it with numbers of the
  // round before.
  if (membership_.view() != view_)
    change_view();
  send_messages();
  // The shards know the view by now.
  if (membership_.retired())
    for (auto& x : std::exchange(retirements_, {}))
      when_settled([x]() mutable { x.deliver(); });
  if (membership_.left())
    for (auto& x : std::exchange(leaves_, {}))
      x.deliver();
}

void cluster_actor::send_messages() {
  for (auto& x : membership_.take_messages()) {
    auto* to = links_.find(x.to);
    if (to == nullptr)
      continue;
    if (auto* beat = std::get_if<peer_heartbeat>(&x.what)) {
      stamp(*to, *beat);
      caf::anon_send(to->gate, std::move(*beat));
    } else {
      caf::anon_send(to->gate, membership_.self().name,
                     std::get<cluster_view>(std::move(x.what)));
    }
  }
}

void cluster_actor::change_view() {
  auto old = std::exchange(view_, membership_.view());
  for (auto& x : old.members)
    if (auto* link = links_.find(x); link != nullptr && !is_member(x)) {
      // This node's shards forget it; so it has to forget what they said.
      links_.renew(*link);
      send_heartbeat(*link);
    }
  metrics_.views->inc();
  log_view(cluster_news::view_changed);
  check_stores();
  install_peers();
  tell_watchers(old);
  if (first_round_.over() || view_.members.size() == 1)
    return;
  when_settled([this, number = view_.number] {
    // Of a later view it is asked as well.
    if (view_.number != number)
      return;
    first_round_.settled();
    look_at_first_round();
  });
}

void cluster_actor::install_peers() {
  auto& peers = slots_.assign(view_, membership_.self().name, links_);
  for (auto& shards : shards_)
    for (auto& x : shards)
      caf::anon_send(x, cluster_atom_v, peers);
  release_held();
}

// -- those who watch ----------------------------------------------------------

void cluster_actor::watch(const caf::actor& who) {
  if (!who || std::ranges::find(watchers_, who) != watchers_.end())
    return;
  monitor(who);
  watchers_.push_back(who);
  for (auto& x : view_.members) {
    if (x.name == membership_.self().name)
      continue;
    caf::anon_send(who, node_event{node_event_kind::up, x, view_.number});
    if (x.state == member_state::leaving)
      caf::anon_send(who,
                     node_event{node_event_kind::leaving, x, view_.number});
  }
}

void cluster_actor::unwatch(const caf::actor_addr& who) {
  if (std::erase_if(watchers_, [&](auto& x) { return x.address() == who; }) > 0)
    demonitor(who);
}

void cluster_actor::tell_watchers(const cluster_view& old) {
  for (auto& x : old.members)
    if (!is_member(x))
      tell(node_event_kind::down, x);
  for (auto& x : view_.members) {
    if (x.name == membership_.self().name)
      continue;
    auto* before = old.find(x.name);
    auto known = before != nullptr && before->same_run(x);
    if (!known)
      tell(node_event_kind::up, x);
    if (x.state == member_state::leaving
        && (!known || before->state != member_state::leaving))
      tell(node_event_kind::leaving, x);
  }
}

void cluster_actor::tell(node_event_kind kind, const member& who) {
  for (auto& x : watchers_)
    caf::anon_send(x, node_event{kind, who, view_.number});
}

// -- what there is to see -----------------------------------------------------

cluster_facts cluster_actor::facts() const {
  auto& self = membership_.self();
  cluster_facts result{
    options_.name, self.name, view_.number, view_.coordinator, {}, {}, {}};
  if (options_.stores != nullptr)
    result.store_nodes = options_.stores->names();
  result.absent_store_nodes = absent_stores();
  auto owners = slots_.last()->owners.size();
  auto add = [&](const member& who, bool in_view) {
    node_facts x;
    x.who = who;
    x.in_view = in_view;
    if (in_view
        && (who.state == member_state::up || owners == view_.members.size()))
      x.owner_share = 1.0 / static_cast<double>(owners);
    if (who.name == self.name) {
      x.linked = x.heard = true;
      x.view = view_.number;
      x.load = own_load();
    } else if (auto* peer = membership_.find(who.name);
               peer != nullptr && peer->who.same_run(who)) {
      x.heard = membership_.hears(who, now_ms());
      x.view = peer->goes_by.number;
    }
    if (auto* link = links_.find(who)) {
      x.linked = link->complete();
      x.round_trip_ms = link->round_trip_ms;
      x.load = link->load;
      x.outstanding_bytes = link->traffic->outstanding();
      x.sent_bytes = link->traffic->sent;
      x.received_bytes = link->traffic->received;
    }
    result.nodes.push_back(std::move(x));
  };
  for (auto& x : view_.members)
    add(x, true);
  membership_.for_each_peer([&](const membership::peer& x) {
    if (!is_member(x.who))
      add(x.who, false);
  });
  return result;
}

void cluster_actor::measure() {
  int64_t links = 0, held = 0, outstanding = 0;
  auto add = [](caf::telemetry::int_counter* metric, uint64_t now,
                uint64_t& counted) {
    if (now > counted)
      metric->inc(static_cast<int64_t>(now - counted));
    counted = now;
  };
  links_.for_each([&](peer_link& x) {
    links += x.complete() ? 1 : 0;
    held += static_cast<int64_t>(x.held_bytes);
    outstanding += static_cast<int64_t>(x.traffic->outstanding());
    add(metrics_.sent_bytes, x.traffic->sent, x.counted.bytes);
    add(metrics_.sent_batches, x.traffic->batches_sent, x.counted.batches);
    add(metrics_.sent_frames, x.traffic->frames_sent, x.counted.frames);
  });
  metrics_.members->value(static_cast<int64_t>(view_.members.size()));
  metrics_.view->value(static_cast<int64_t>(view_.number));
  metrics_.absent_store_nodes->value(
    static_cast<int64_t>(absent_stores().size()));
  metrics_.links->value(links);
  metrics_.held_bytes->value(held);
  metrics_.outstanding_bytes->value(outstanding);
}

void cluster_actor::log(cluster_news what, const member& who,
                        std::string why) const {
  if (options_.log)
    options_.log(
      {what, who.name, who.address, std::move(why), view_.number, {}});
}

void cluster_actor::log_view(cluster_news what) const {
  if (!options_.log)
    return;
  cluster_note note;
  note.what = what;
  note.node = view_.coordinator;
  note.view = view_.number;
  for (auto& x : view_.members)
    note.members += (note.members.empty() ? "" : ",") + x.name;
  options_.log(note);
}

bool cluster_actor::is_member(const member& x) const {
  auto* y = view_.find(x.name);
  return y != nullptr && y->same_run(x);
}

int64_t cluster_actor::now_us() const {
  using namespace std::chrono;
  return floor<microseconds>(clock().now().time_since_epoch()).count();
}

} // namespace callboard
