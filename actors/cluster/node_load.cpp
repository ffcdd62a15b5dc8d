#include <callboard/actors/cluster/node_load.hpp>

#include <algorithm>
#include <cmath>

namespace callboard {

namespace {

constexpr uint32_t full_load = 1000;

node_intake intake_of(const load_reading& x) noexcept {
  if (x.draining)
    return node_intake::draining;
  // A twentieth is left to those who come by themselves.
  if (x.connections >= x.connections_max - x.connections_max / 20)
    return node_intake::full;
  if (x.sheds || (x.low > 0 && x.score >= x.low))
    return node_intake::busy;
  return node_intake::open;
}

} // namespace

std::string to_string(node_intake x) {
  switch (x) {
    case node_intake::open:
      return "open";
    case node_intake::busy:
      return "busy";
    case node_intake::full:
      return "full";
    default:
      return "draining";
  }
}

bool from_string(caf::string_view name, node_intake& x) {
  for (auto y : {node_intake::open, node_intake::busy, node_intake::full,
                 node_intake::draining})
    if (name.compare(to_string(y)) == 0) {
      x = y;
      return true;
    }
  return false;
}

bool from_integer(uint8_t number, node_intake& x) {
  if (number > static_cast<uint8_t>(node_intake::draining))
    return false;
  x = static_cast<node_intake>(number);
  return true;
}

uint32_t node_load::weight() const noexcept {
  auto taken = connections_max == 0 ? 0
                                    : static_cast<double>(connections)
                                        / static_cast<double>(connections_max);
  auto share = std::clamp(taken * full_load, 0.0, double{full_load});
  return std::max(std::min(score, full_load), static_cast<uint32_t>(share));
}

node_load load_of(const load_reading& x) noexcept {
  auto score = std::clamp(x.score, 0.0, 1.0) * full_load;
  return {static_cast<uint32_t>(std::lround(score)), x.connections,
          x.connections_max, intake_of(x)};
}

} // namespace callboard
