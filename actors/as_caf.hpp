#pragma once

#include <string_view>

#include <caf/string_view.hpp>

namespace callboard {

/// Returns the same characters as the view that CAF takes.
inline caf::string_view as_caf(std::string_view x) {
  return {x.data(), x.size()};
}

} // namespace callboard
