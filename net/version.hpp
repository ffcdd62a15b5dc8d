#pragma once

#include <string_view>

namespace callboard::net {

/// Returns the version of the library: `0.1.0`.
std::string_view version() noexcept;

} // namespace callboard::net
