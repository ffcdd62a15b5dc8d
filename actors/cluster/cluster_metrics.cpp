#include <callboard/actors/cluster/cluster_metrics.hpp>

#include <caf/telemetry/metric_registry.hpp>

namespace callboard {

cluster_metrics
make_cluster_metrics(caf::telemetry::metric_registry& registry) {
  auto gauge = [&](caf::string_view name, caf::string_view help,
                   caf::string_view unit = "1") {
    return registry.gauge_singleton("callboard", name, help, unit);
  };
  auto counter = [&](caf::string_view name, caf::string_view help,
                     caf::string_view unit = "1") {
    return registry.counter_singleton("callboard", name, help, unit, true);
  };
  cluster_metrics m;
  m.members = gauge("cluster-members", "Nodes in the view.");
  m.links = gauge("cluster-links", "Links to other nodes.");
  m.view = gauge("cluster-view", "Number of the view.");
  m.absent_store_nodes = gauge("cluster-store-nodes-absent",
                               "Store nodes without which durable topics "
                               "have no owner.");
  m.held_bytes = gauge("cluster-held",
                       "Bytes that wait for a view of this node.", "bytes");
  m.outstanding_bytes = gauge("cluster-outstanding",
                              "Bytes that other nodes are not done with.",
                              "bytes");
  m.views = counter("cluster-views", "Views that the node has gone by.");
  m.sent_bytes = counter("cluster-sent", "Bytes sent to other nodes.", "bytes");
  m.sent_batches = counter("cluster-sent-batches",
                           "Batches sent to other nodes.");
  m.sent_frames = counter("cluster-sent-frames", "Frames in these batches.");
  m.received_bytes = counter("cluster-received", "Bytes from other nodes.",
                             "bytes");
  m.received_batches = counter("cluster-received-batches",
                               "Batches from other nodes.");
  m.held_batches = counter("cluster-held-batches",
                           "Batches that came before their view.");
  m.stale_batches = counter("cluster-stale-batches",
                            "Batches of a link that was over.");
  m.stray_batches = counter("cluster-stray-batches",
                            "Batches for a shard that there is not.");
  m.refused_hellos = counter("cluster-refused-hellos",
                             "Nodes that were refused.");
  m.failed_dials = counter("cluster-failed-dials",
                           "Addresses that were dialed in vain.");
  m.overflows = counter("cluster-overflows",
                        "Links ended because too much was on its way.");
  return m;
}

} // namespace callboard
