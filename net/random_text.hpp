#pragma once

#include <cstddef>
#include <string>

namespace callboard::net {

/// Returns `n` random letters and digits.
std::string random_text(size_t n);

} // namespace callboard::net
