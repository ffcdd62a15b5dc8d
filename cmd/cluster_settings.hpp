#pragma once

#include <string>
#include <vector>

#include <callboard/net/cluster/options.hpp>

#include "config_file.hpp"
#include "setting.hpp"

namespace caf {

class actor_system_config;

} // namespace caf

// How a node takes part in a cluster.

namespace callboard::cmd {

/// Returns the settings of it. `x` outlives them.
std::vector<setting> cluster_settings(net::cluster_settings& x);

/// Checks what none of them can check alone.
/// @returns empty, or what is wrong.
std::string check_cluster(const net::cluster_settings& x);

/// Checks that the cluster has what each section needs.
/// @param file its name, for messages.
/// @returns empty, or what is wrong.
std::string check_clustered(const std::vector<config_section>& sections,
                            const std::string& file,
                            const net::cluster_settings& x);

/// Has an actor system come with what a cluster needs of CAF, where there is to
/// be one.
void configure(caf::actor_system_config& to, const net::cluster_settings& x);

} // namespace callboard::cmd
