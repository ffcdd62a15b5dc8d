#pragma once

#include <string>

#include "actors/member_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// A node whose tenants are isolated. Tokens are `USER` or `USER of TENANT`.
struct tenant_fixture : member_fixture {
  tenant_fixture() {
    node.options.tenant_isolation = true;
    node.rights.authenticate
      = [](const credentials& x) -> caf::expected<identity> {
      auto mark = x.token.find(" of ");
      identity who{x.token.substr(0, mark)};
      if (mark != std::string::npos)
        who.tenant = x.token.substr(mark + 4);
      return who;
    };
  }

  static payload token(const std::string& x) {
    return *payload::from_json("{\"token\":\"" + x + "\"}");
  }

  /// Shows a token in a `connect` frame. Returns "welcome", or what else is
  /// heard, with the close.
  std::string log_in(const std::string& who) {
    auto& x = open(0, {}, true);
    x.say(frame_type::connect, 1, "", token(who));
    turn();
    auto words = told(x);
    if (words.starts_with("welcome 1 "))
      return "welcome";
    return words + "; close " + std::to_string(x.close_code()) + ' '
           + x.socket.close_reason;
  }

  /// Opens a connection and logs in, with the welcome heard.
  client& enter(const std::string& who, uint32_t loop = 0,
                wire_form form = wire_form::msgpack) {
    // A user's own topic does not count: tests name epochs by their number.
    auto epoch = node.next_epoch.load();
    auto& x = open(loop, {}, true, form);
    x.say(frame_type::connect, 1, "", token(who));
    turn();
    node.next_epoch = epoch;
    CHECK(told(x).starts_with("welcome 1 {"));
    return x;
  }

  /// Returns what `x` has heard, none of which is about full names.
  static std::string told(client& x) {
    CHECK(x.socket.received.find("tenant/") == std::string::npos);
    return x.heard();
  }

  /// Lets `x` say a frame and returns what it is then told.
  template <class... Ts>
  std::string tell(client& x, Ts&&... xs) {
    x.say(std::forward<Ts>(xs)...);
    turn();
    return told(x);
  }

  /// Lets `x` ask the server about a topic.
  std::string ask_about(client& x, const std::string& action,
                        const std::string& topic) {
    return tell(x, frame_type::request, 9, action,
                *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  }

  /// Lets `x` push "hi" to a user.
  std::string push(client& x, const std::string& user) {
    return tell(x, frame_type::request, 9, "callboard.push",
                *payload::from_json(R"({"user":")" + user
                                    + R"(","payload":"hi"})"));
  }
};

} // namespace callboard
