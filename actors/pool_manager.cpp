#include <callboard/actors/pool_manager.hpp>

#include <algorithm>
#include <chrono>

#include <caf/send.hpp>

#include <callboard/actors/faults.hpp>
#include <callboard/messages/close_code.hpp>

namespace callboard {

pool_manager::pool_manager(caf::actor_config& cfg, caf::execution_unit* loop,
                           node_context& node)
  : super{cfg, loop},
    node_{node},
    leaks_{make_leak_metrics(home_system().metrics())},
    rounds_(node.loops) {
}

pool_manager::behavior_type pool_manager::make_behavior() {
  set_down_handler([this](const caf::down_msg& x) {
    if (injected(fault::keep_registration))
      return;
    if (connections_.contains(x.source.id()))
      closed(x.source.id());
    else
      unwatch(x.source);
  });
  return {
    [this](opened_atom, const caf::strong_actor_ptr& connection,
           const lifecycle_event& life) { opened(connection, life); },
    [this](const lifecycle_event& life) { tell(life); },
    [this](watch_atom, const caf::actor& who) { watch(who); },
    [this](unwatch_atom, const caf::actor& who) { unwatch(who.address()); },
    [this](lookup_atom, connection_id id) { return find(id); },
    [this](lookup_atom, const std::string& user) { return find(user); },
    [this](lookup_atom, const connection_query& x) { return find(x); },
    [this](drain_atom) { return drain(caf::timespan{0}); },
    [this](drain_atom, caf::timespan span) { return drain(span); },
    [this](audit_atom) { begin_audit(); },
    [this](audit_atom, const live_report_ptr& x) { audit(*x); },
    [this](audit_atom, uint64_t descriptors, uint64_t sockets) {
      audit(descriptors, sockets);
    },
  };
}

void pool_manager::on_exit() {
  watchers_.clear();
}

void pool_manager::opened(const caf::strong_actor_ptr& connection,
                          const lifecycle_event& life) {
  auto who = connection->id();
  connections_[who] = {life.connection,
                       caf::actor_cast<caf::weak_actor_ptr>(connection),
                       life.user};
  by_id_[life.connection] = who;
  if (!life.user.empty())
    by_user_.emplace(life.user, who);
  monitor(connection);
  tell(life);
  if (node_.draining)
    send_away(connection);
}

void pool_manager::send_away(const caf::strong_actor_ptr& connection) {
  auto who = caf::actor_cast<connection_actor>(connection);
  if (drains_.empty() || plan_.over(draining_for()))
    close(who);
  else
    caf::anon_send(who, drain_atom_v);
}

void pool_manager::close(const connection_actor& who) {
  caf::anon_send(who, close_atom_v, static_cast<uint16_t>(close_code::draining),
                 std::string{to_string(close_code::draining)});
}

void pool_manager::closed(caf::actor_id who) {
  auto i = connections_.find(who);
  auto& [id, connection, user] = i->second;
  by_id_.erase(id);
  auto [first, last] = by_user_.equal_range(user);
  for (; first != last; ++first) {
    if (first->second == who) {
      by_user_.erase(first);
      break;
    }
  }
  connections_.erase(i);
  drained_one();
}

void pool_manager::tell(const lifecycle_event& life) {
  for (auto& x : watchers_)
    caf::anon_send(x, life);
}

void pool_manager::watch(const caf::actor& who) {
  if (std::ranges::find(watchers_, who) != watchers_.end())
    return;
  monitor(who);
  watchers_.push_back(who);
  node_.watched = true;
}

void pool_manager::unwatch(const caf::actor_addr& who) {
  std::erase_if(watchers_, [&](auto& x) { return x.address() == who; });
  node_.watched = !watchers_.empty();
}

caf::result<caf::strong_actor_ptr> pool_manager::find(connection_id id) const {
  if (auto i = by_id_.find(id); i != by_id_.end())
    if (auto found = connections_.at(i->second).connection.lock())
      return found;
  return caf::make_error(errc::no_responder);
}

std::vector<caf::strong_actor_ptr>
pool_manager::find(const std::string& user) const {
  std::vector<caf::strong_actor_ptr> result;
  auto [first, last] = by_user_.equal_range(user);
  for (; first != last; ++first)
    if (auto found = connections_.at(first->second).connection.lock())
      result.push_back(std::move(found));
  return result;
}

caf::result<std::vector<caf::strong_actor_ptr>, connection_id>
pool_manager::find(const connection_query& x) const {
  auto limit = std::clamp(x.limit, 1u, inventory_page_max);
  auto ids = select(x, limit);
  connection_id next = 0;
  if (ids.size() > limit) {
    ids.pop_back();
    next = ids.back();
  }
  std::vector<caf::strong_actor_ptr> result;
  for (auto id : ids)
    if (auto found = connections_.at(by_id_.at(id)).connection.lock())
      result.push_back(std::move(found));
  return {std::move(result), next};
}

std::vector<connection_id> pool_manager::select(const connection_query& x,
                                                size_t limit) const {
  std::vector<connection_id> result;
  if (x.user.empty()) {
    auto i = by_id_.upper_bound(x.after);
    for (; i != by_id_.end() && result.size() <= limit; ++i)
      result.push_back(i->first);
    return result;
  }
  auto [first, last] = by_user_.equal_range(x.user);
  for (; first != last; ++first)
    if (auto id = connections_.at(first->second).id; id > x.after)
      result.push_back(id);
  std::ranges::sort(result);
  result.resize(std::min(result.size(), limit + 1));
  return result;
}

caf::result<void> pool_manager::drain(caf::timespan span) {
  node_.draining = true;
  auto promise = make_response_promise<void>();
  auto is_first = drains_.empty();
  drains_.push_back(promise);
  if (is_first) {
    plan_ = {connections_.size(), span};
    drain_began_ = clock().now();
    leaving_.clear();
    for (auto& [who, x] : connections_)
      leaving_.push_back(who);
    std::ranges::sort(leaving_, {}, [this](caf::actor_id who) {
      return connections_.at(who).id;
    });
    told_ = 0;
    go_on_draining();
  } else if (span <= caf::timespan{0}) {
    plan_ = {};
    close_all();
  }
  drained_one();
  return promise;
}

void pool_manager::go_on_draining() {
  if (connections_.empty())
    return;
  auto elapsed = draining_for();
  if (plan_.over(elapsed))
    return close_all();
  for (auto due = plan_.due(elapsed); told_ < due; ++told_)
    if (auto i = connections_.find(leaving_[told_]); i != connections_.end())
      if (auto connection = i->second.connection.lock())
        caf::anon_send(caf::actor_cast<connection_actor>(connection),
                       drain_atom_v);
  run_delayed(drain_plan::step, [this] { go_on_draining(); });
}

void pool_manager::close_all() {
  for (auto& [who, x] : connections_)
    if (auto connection = x.connection.lock())
      close(caf::actor_cast<connection_actor>(connection));
}

caf::timespan pool_manager::draining_for() const {
  return std::chrono::duration_cast<caf::timespan>(clock().now()
                                                   - drain_began_);
}

void pool_manager::drained_one() {
  if (!connections_.empty())
    return;
  for (auto& x : drains_)
    x.deliver();
  drains_.clear();
}

} // namespace callboard
