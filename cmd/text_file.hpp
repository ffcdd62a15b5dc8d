#pragma once

#include <optional>
#include <string>

namespace callboard::cmd {

/// Returns what is in a file; nothing if it cannot be read, which is so for a
/// folder as well.
std::optional<std::string> read_file(const std::string& path);

} // namespace callboard::cmd
