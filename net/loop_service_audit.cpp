#include <callboard/net/loop_service.hpp>

#include <algorithm>
#include <utility>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <callboard/messages/close_code.hpp>
#include <callboard/net/descriptors.hpp>
#include <callboard/net/log.hpp>

// What a loop's audit asks of its sockets.

namespace callboard::net {

size_t loop_service::sockets() const {
  return sessions_.size();
}

socket_facts loop_service::socket(size_t i) const {
  auto& session = *sessions_[i];
  auto& record = records_[i];
  return {record.number, session.actor(), session.is_echo(),
          record.closing != nullptr ? record.closing->closing_ms : 0};
}

leak_history loop_service::socket_history(size_t i) const {
  auto& session = *sessions_[i];
  auto& record = records_[i];
  leak_history result;
  if (record.closing != nullptr) {
    result = *record.closing;
  } else if (session.actor() != nullptr) {
    result = session.actor()->history();
  } else {
    result.connection = session.connection_number();
  }
  result.address = record.address;
  return result;
}

int64_t loop_service::closing_time_ms() const {
  return close_ms;
}

void loop_service::close_socket(size_t i) {
  auto session = sessions_[i];
  session->close(static_cast<uint16_t>(close_code::internal_error),
                 to_string(close_code::internal_error));
}

void loop_service::end_socket(size_t i) {
  auto session = sessions_[i];
  session->on_deadline();
}

size_t loop_service::surplus_places() {
  return shared_.queue.surplus(loop_.context().index,
                               sessions_.size() + reserved_);
}

void loop_service::give_back_places(size_t n) {
  // To those who wait, if there are any.
  for (n = std::min(n, surplus_places()); n > 0; --n)
    shared_.queue.leave(loop_.context().index);
}

void loop_service::audit() {
  auto& ctx = loop_.context();
  if (!audit_.step() || ctx.index != 0)
    return;
  // The pool has one registry for all loops, and the process one table.
  caf::anon_send(ctx.pool, audit_atom_v);
  if (shared_.options.audits_descriptors)
    count_descriptors();
}

void loop_service::count_descriptors() {
  auto& registry = shared_.system.metrics();
  std::vector<caf::telemetry::int_gauge*> gauges;
  for (uint32_t i = 0; i < shared_.node.loops; ++i)
    gauges.push_back(make_sockets_gauge(registry, i));
  // It may take long, see `open_descriptors`.
  shared_.system.spawn<caf::detached>(
    [gauges, pool = loop_.context().pool,
     others = shared_.other_sockets](caf::event_based_actor*) {
      auto open = open_descriptors();
      if (!open)
        return;
      auto sockets = others->load();
      for (auto* x : gauges)
        sockets += x->value();
      logger("actors")->debug("descriptors_counted open={} sockets={}", *open,
                              sockets);
      caf::anon_send(pool, audit_atom_v, uint64_t{*open},
                     static_cast<uint64_t>(std::max<int64_t>(sockets, 0)));
    });
}

} // namespace callboard::net
