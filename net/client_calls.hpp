#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <callboard/actors/history_page.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/client_types.hpp>

// What the server itself answers (docs/protocol.md: Reading, Presence, Users).

namespace callboard::net {

/// Returns the event with all that it says. It has no credit.
event owned_event(const event_view& x);

/// Asks for an action, as `client::request` does.
using asking_function
  = std::function<void(std::string action, payload x, request_options options,
                       result_handler<payload> done)>;

/// Somebody who is in a topic.
struct member {
  /// Empty where nobody is logged in.
  std::string user;
  /// Names of connections; none while the user lingers.
  std::vector<std::string> connections;

  friend bool operator==(const member&, const member&) = default;
};

/// Some of those who are in a topic.
struct member_page {
  std::vector<member> members;
  /// Ask for those after this; empty: there are no more.
  std::string next;
};

/// Reads events that a topic keeps. Answers of another shape than the
/// protocol's fail with `bad_payload`, here and below.
void ask_history(const asking_function& ask, std::string topic,
                 history_options options, result_handler<history_page> done);

/// Asks where a topic stands.
void ask_position(const asking_function& ask, std::string topic,
                  result_handler<position> done);

/// Asks who is in a topic.
/// @param limit 1 … 1000.
/// @param after `next` of the page before; empty: from the first one on.
void ask_presence(const asking_function& ask, std::string topic, uint32_t limit,
                  std::string after, result_handler<member_page> done);

/// Asks how many are in a topic.
void ask_presence_count(const asking_function& ask, std::string topic,
                        result_handler<presence_count> done);

/// Publishes to every connection of a user.
/// @param id as `publish_options::id`; with one it is sent again where the
///           connection was lost before the answer came.
void ask_push(const asking_function& ask, std::string user, payload x,
              std::string id, result_handler<position> done);

} // namespace callboard::net
