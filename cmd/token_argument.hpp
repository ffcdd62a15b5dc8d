#pragma once

#include <string>

namespace callboard::cmd {

/// Returns the token that `--token` or CALLBOARD_TOKEN stands for: `@FILE` is
/// what is in the file, without the blanks and line ends behind it.
/// @throws CLI::ValidationError if the file cannot be read.
std::string resolve_token(const std::string& given);

} // namespace callboard::cmd
