#include <callboard/net/cluster/basp.hpp>

#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

namespace callboard::net {

namespace {

// Calls `f` with the broker of the connections on its thread.
template <class F>
void in_basp(caf::actor_system& sys, F f) {
  auto& middleman = sys.middleman();
  auto keep = caf::actor_cast<caf::strong_actor_ptr>(
    middleman.named_broker<caf::io::basp_broker>("BASP"));
  auto* unit = &middleman.backend();
  unit->post([keep, unit, f = std::move(f)]() mutable {
    auto* broker = static_cast<caf::io::basp_broker*>(keep->get());
    if (broker->getf(caf::abstract_actor::is_terminated_flag))
      return;
    // As the middleman does it where it calls its brokers without a message.
    broker->context(unit);
    f(*broker);
  });
}

void end_now(caf::io::basp_broker& broker, caf::io::connection_handle x) {
  broker.connection_cleanup(x, caf::sec::connection_timeout);
  broker.close(x);
}

} // namespace

void end_connection(caf::actor_system& sys, const caf::node_id& node) {
  in_basp(sys, [node](caf::io::basp_broker& broker) {
    if (auto found = broker.instance.tbl().lookup_direct(node))
      end_now(broker, *found);
  });
}

void end_handshakes(caf::actor_system& sys, const std::string& ip,
                    uint16_t port) {
  in_basp(sys, [ip, port](caf::io::basp_broker& broker) {
    std::vector<caf::io::connection_handle> found;
    for (auto& [handle, state] : broker.ctx)
      if (state.callback && broker.remote_port(handle) == port
          && broker.remote_addr(handle) == ip)
        found.push_back(handle);
    for (auto handle : found)
      end_now(broker, handle);
  });
}

} // namespace callboard::net
