#pragma once

#include <cstddef>
#include <optional>

namespace callboard::net {

/// Returns how many descriptors the process has open; nothing where the system
/// does not tell. Kernels before Linux 6.2 have to list them, which takes about
/// a microsecond for each: not for a loop's thread.
std::optional<size_t> open_descriptors();

} // namespace callboard::net
