#pragma once

#include <cstdint>
#include <vector>

#include <callboard/actors/metrics.hpp>
#include <callboard/net/admin_json.hpp>
#include <callboard/net/loop_service.hpp>

namespace callboard::net {

/// Tells how a node is. Any one thread.
class admin_node {
public:
  /// @param shared outlives this.
  explicit admin_node(const server_context& shared);

  [[nodiscard]] node_facts facts() const;

private:
  const server_context& shared_;
  std::vector<loop_metrics> loops_;
  int64_t began_ms_;
};

} // namespace callboard::net
