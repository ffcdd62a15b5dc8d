#pragma once

#include <optional>
#include <string>

namespace callboard::cmd {

/// Returns what is in a file; nothing if it cannot be read.
std::optional<std::string> read_file(const std::string& path);

/// Returns the token that `--token` or CALLBOARD_TOKEN stands for: `@FILE` is
/// what is in the file, without the blanks and line ends behind it.
/// @throws CLI::ValidationError if the file cannot be read.
std::string resolve_token(const std::string& given);

} // namespace callboard::cmd
