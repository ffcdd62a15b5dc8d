#include <callboard/net/version.hpp>

#ifndef CALLBOARD_VERSION
#  error "the build defines CALLBOARD_VERSION"
#endif

namespace callboard::net {

std::string_view version() noexcept {
  return CALLBOARD_VERSION;
}

} // namespace callboard::net
