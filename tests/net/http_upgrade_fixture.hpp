#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "support/http_client_fixture.hpp"

namespace callboard::net {

/// Upgrades of clients, some of whom show tokens.
struct http_upgrade_fixture : http_client_fixture {
  /// Lets the user "ann" in with the token "a+b/c".
  void require_login() {
    what.rights.authenticate
      = [this](const credentials& x) -> caf::expected<identity> {
      shown.push_back(x.token + " from " + x.address);
      if (x.token == "a+b/c")
        return identity{"ann"};
      if (x.token == "old")
        return caf::make_error(errc::token_expired);
      if (x.token == "throw")
        throw std::runtime_error{"the database is gone"};
      if (x.token == "throw 1")
        throw 1;
      return caf::make_error(errc::forbidden);
    };
  }

  std::vector<std::string> shown;
};

} // namespace callboard::net
