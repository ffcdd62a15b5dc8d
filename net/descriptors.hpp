#pragma once

#include <cstddef>
#include <optional>

namespace callboard::net {

/// Returns how many descriptors the process has open; nothing where the system
/// does not tell. Kernels before Linux 6.2 have to list them, which takes about
/// a microsecond for each: not for a loop's thread.
std::optional<size_t> open_descriptors();

/// Makes the kernel's table of the process's descriptors large enough for `n`
/// of them, as far as its limit goes. The table doubles when it is full, and in
/// a process with threads each time halts the one that needs it for 10 ms or
/// so, until all processors have let go of the old one; accepting a crowd would
/// do that to everybody on the loop.
void reserve_descriptors(size_t n);

} // namespace callboard::net
