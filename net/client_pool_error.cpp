#include <callboard/net/client_pool_error.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/net/client_error.hpp>

namespace callboard::net {

std::string_view to_string(pool_errc x) noexcept {
  switch (x) {
    case pool_errc::pool_exhausted:
      return "pool_exhausted";
    case pool_errc::pool_closed:
      return "pool_closed";
    case pool_errc::lease_reclaimed:
      return "lease_reclaimed";
    case pool_errc::target_unavailable:
      return "target_unavailable";
    case pool_errc::too_many_pools:
      return "too_many_pools";
  }
  return "unknown";
}

caf::error to_error(pool_errc code, std::string sentence,
                    caf::timespan retry_after) {
  auto temporary = code != pool_errc::pool_closed
                   && code != pool_errc::lease_reclaimed;
  auto category = temporary ? errc::overloaded : errc::cancelled;
  return caf::make_error(category, uint16_t{0}, std::string{to_string(code)},
                         std::move(sentence), temporary, retry_after);
}

bool is_error(const caf::error& x, pool_errc code) {
  auto what = details(x);
  return what.code == 0 && what.name == to_string(code);
}

} // namespace callboard::net
