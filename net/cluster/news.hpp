#pragma once

#include <callboard/actors/cluster/cluster_options.hpp>

namespace callboard::net {

/// Logs what a cluster actor has to say. Any thread.
void log_cluster_news(const cluster_note& x);

} // namespace callboard::net
