#include <callboard/actors/pool_manager.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>

#include <callboard/actors/alarms.hpp>
#include <callboard/messages/close_code.hpp>

// What the pool compares with what the loops' audits tell.

namespace callboard {

namespace {

// Buckets of the registry that are looked at at a time, and the time between.
constexpr size_t audited_max = 1000;
constexpr caf::timespan audit_pause = std::chrono::milliseconds{10};

// Leaks of a round that are logged; all are counted.
constexpr size_t logged_leaks_max = 20;

} // namespace

void pool_manager::begin_audit() {
  if (std::exchange(auditing_, true))
    return;
  suspects_.begin_round();
  logged_ = 0;
  audited_ = 0;
  go_on_auditing();
}

void pool_manager::go_on_auditing() {
  std::vector<caf::actor_id> dead;
  // Loops that end let go of connections whatever their state, and none of them
  // may end here because this had the last reference.
  auditing_ = !node_.draining;
  if (!auditing_)
    return;
  auto& all = connections_;
  auto end = std::min(audited_ + audited_max, all.bucket_count());
  for (; audited_ < end; ++audited_)
    for (auto i = all.begin(audited_); i != all.end(audited_); ++i)
      if (has_ended(i->second.connection.lock())
          && suspects_.suspect(leak_kind::registered_dead, i->second.id))
        dead.push_back(i->first);
  for (auto who : dead) {
    auto& x = connections_.at(who);
    leak_history history;
    history.connection = x.id;
    history.user = x.user;
    found(leak_kind::registered_dead, std::move(history));
    leaks_.reclaimed_of(leak_kind::registered_dead)->inc();
    closed(who);
  }
  auditing_ = audited_ < connections_.bucket_count();
  if (auditing_)
    run_delayed(audit_pause, [this] { go_on_auditing(); });
}

void pool_manager::audit(const live_report& x) {
  auto& round = rounds_[x.loop];
  if (x.round != round.number) {
    if (x.round == round.number + 1)
      round.suspects.begin_round();
    else
      round.suspects.clear();
    round.number = x.round;
  }
  for (auto& [connection, who] : x.connected) {
    if (connections_.contains(connection.id()))
      continue;
    auto stranger = caf::actor_cast<caf::strong_actor_ptr>(connection);
    if (has_ended(stranger)
        || !round.suspects.suspect(leak_kind::unregistered, who.connection))
      continue;
    found(leak_kind::unregistered, who);
    leaks_.reclaimed_of(leak_kind::unregistered)->inc();
    // Nobody could find it, and a drain would forget it; its client comes back.
    auto code = close_code::internal_error;
    caf::anon_send(caf::actor_cast<connection_actor>(stranger), close_atom_v,
                   static_cast<uint16_t>(code), std::string{to_string(code)});
  }
}

void pool_manager::audit(uint64_t descriptors, uint64_t sockets) {
  auto leaked = descriptors_.observe(static_cast<int64_t>(descriptors),
                                     static_cast<int64_t>(sockets));
  if (leaked > 0)
    found(leak_kind::descriptor, {}, static_cast<uint64_t>(leaked));
}

void pool_manager::found(leak_kind kind, leak_history who, uint64_t count) {
  leaks_.found_of(kind)->inc(static_cast<int64_t>(count));
  if (node_.log_leak && logged_++ < logged_leaks_max)
    node_.log_leak({kind, std::move(who), past_ms(clock().now()), 0, count});
}

} // namespace callboard
