#include <callboard/net/admin_node.hpp>

#include <callboard/net/load_probe.hpp>
#include <callboard/net/steady_ms.hpp>
#include <callboard/net/version.hpp>

namespace callboard::net {

namespace {

template <class List>
int64_t sum(const List& metrics) {
  int64_t result = 0;
  for (auto* x : metrics)
    if (x != nullptr)
      result += x->value();
  return result;
}

void add(node_facts& to, const loop_metrics& x) {
  to.connecting += x.connections_connecting->value();
  to.connections += x.connections_connected->value();
  to.disconnecting += x.connections_disconnecting->value();
  to.closed += x.connections_closed->value();
  to.topics += x.topics->value();
  to.subscriptions += x.subscriptions->value();
  to.copied_topics += x.copied_topics->value();
  to.copied_topics_alone += x.copied_topics_alone->value();
  to.outbox_bytes += x.outbox_bytes->value();
  to.frames_in += sum(x.frames_in);
  to.frames_out += sum(x.frames_out);
  to.bytes_in += x.bytes_in->value();
  to.bytes_out += x.bytes_out->value();
  to.publishes += x.publications->value();
  to.deliveries += x.deliveries->value();
  for (auto* y : {x.requests_answered, x.requests_failed, x.requests_timed_out,
                  x.requests_cancelled, x.requests_overloaded,
                  x.requests_circuit_open, x.requests_rate_limited})
    to.requests += y->value();
  to.drops += sum(x.drops);
  to.refused += sum(x.refusals) + sum(x.publish_refusals);
}

} // namespace

admin_node::admin_node(const server_context& shared)
  : shared_{shared}, began_ms_{steady_ms()} {
  for (uint32_t i = 0; i < shared.node.loops; ++i)
    loops_.push_back(make_loop_metrics(shared.system.metrics(), i));
}

node_facts admin_node::facts() const {
  auto& node = shared_.node;
  node_facts result;
  result.name = node.name;
  result.version = version();
  result.incarnation = node.incarnation;
  result.uptime_ms = steady_ms() - began_ms_;
  result.loops = node.loops;
  result.draining = node.draining;
  result.joining = node.joining;
  if (node.store == nullptr)
    result.store = "none";
  else if (result.store = shared_.store.state(); result.store.empty())
    result.store = "up";
  result.resident_bytes = static_cast<int64_t>(resident_bytes());
  for (auto& x : loops_)
    add(result, x);
  return result;
}

} // namespace callboard::net
