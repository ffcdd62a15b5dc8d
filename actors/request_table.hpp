#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_clock.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/linked_list.hpp>
#include <callboard/actors/mailbox_bytes.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/timing_wheel.hpp>
#include <callboard/messages/payload.hpp>

namespace callboard {

class action_guard;
class request_node;
struct action_rule;
struct registration;
struct request_peer;

/// A request that waits for its answer.
struct pending_request {
  /// What its ticket says; 0 while it is not open.
  uint64_t number = 0;
  /// Where it lies in its table.
  uint32_t place = 0;
  /// The asker's, where that is a connection.
  uint32_t call_id = 0;
  /// The asker's, where that is another node.
  request_ticket origin;
  timing_wheel<pending_request*>::handle deadline = 0;
  caf::actor_clock::time_point begin;
  request_peer* asker = nullptr;
  registration* responder = nullptr;
  /// Answers an embedded asker; invalid for others.
  caf::typed_response_promise<payload> promise;
  /// What another node was asked, kept in case that it serves the action no
  /// longer; null where the responder is here.
  routed_request_ptr content;
  credit_token credit;
  /// Whether it went to a second node.
  bool moved = false;
  /// Who counts how it ends; null where its action has no rule.
  std::weak_ptr<action_guard> guard;
  /// The guard's.
  uint32_t guard_round = 0;
  list_links<pending_request> of_asker;
  list_links<pending_request> of_responder;
};

struct fewest_in_flight {
  bool operator()(const registration* x, const registration* y) const noexcept;
};

/// An action and who serves it, the next to be chosen first.
using served_action
  = std::pair<const std::string, std::set<registration*, fewest_in_flight>>;

/// Says that somebody serves an action.
struct registration {
  request_peer* who = nullptr;
  /// Null once it is taken back; it then lasts until the last request that was
  /// given to it is answered.
  served_action* action = nullptr;
  /// What the action is held to by the rules of that round; null: nothing. Of
  /// round 0 nobody has looked yet.
  const action_rule* rule = nullptr;
  uint64_t rules_round = 0;
  /// Whether it is an actor of the application's.
  bool embedded = false;
  /// What an embedded actor or another node has waiting of this action; null
  /// for a connection.
  mailbox_bytes_ptr waiting;
  /// Where it lies among those of its peer.
  size_t place = 0;
  size_t in_flight = 0;
  /// Orders those with as many in flight: it grows with each choice.
  uint64_t chosen = 0;
  linked_list<pending_request, &pending_request::of_responder> requests;
};

/// Somebody who asks, responds or does both.
struct request_peer {
  /// Null: another node.
  caf::strong_actor_ptr who;
  /// Null: an actor of this one.
  request_node* node = nullptr;
  linked_list<pending_request, &pending_request::of_asker> requests;
  std::vector<std::unique_ptr<registration>> registrations;

  [[nodiscard]] bool idle() const noexcept {
    return requests.empty() && registrations.empty();
  }
};

/// The actions of a router shard, who serves them, and the requests that wait.
/// Sends nothing and knows no time.
class request_table {
public:
  /// The most requests that a table can hold.
  static constexpr size_t limit = (size_t{1} << 24) - 1;

  /// @param requests_max how many requests may wait, 1 … `limit`.
  /// @param responders_max how many may serve one action, from 1.
  /// @param seed makes the numbers of this table differ from those of the one
  ///             before it.
  request_table(size_t requests_max, size_t responders_max, uint64_t seed);

  request_table(const request_table&) = delete;

  request_table& operator=(const request_table&) = delete;

  // -- responders -------------------------------------------------------------

  /// Lets `who` serve `action`; does nothing if it does already.
  /// @returns false if the action has as many responders of this node as it
  ///          may.
  bool add(request_peer& who, std::string_view action, bool embedded);

  /// Returns the registration of `who` for `action`; null if it does not serve
  /// that.
  registration* find(request_peer& who, std::string_view action);

  /// Gives no more requests to `x`, which has its action; those that were given
  /// to it stay.
  void remove(registration& x);

  /// Returns who of this node serves the next request for `action`: the one
  /// with the fewest in flight, in turn where these are equal; or null.
  registration* next(std::string_view action) noexcept {
    return next_in(actions_, action);
  }

  /// The same of other nodes.
  registration* next_node(std::string_view action) noexcept {
    return next_in(offers_, action);
  }

  /// Calls `f` for each action that somebody of this node serves.
  template <class F>
  void for_each_action(F&& f) const {
    for (auto& [action, responders] : actions_)
      f(action);
  }

  /// Says that it was the turn of `x`, which has its action: of those with as
  /// many in flight it is the last now.
  void choose(registration& x);

  // -- requests ---------------------------------------------------------------

  [[nodiscard]] bool full() const noexcept {
    return size_ >= requests_max_;
  }

  /// Opens a request of `asker` to `responder`, under a number that no other
  /// one has had, 1 … 2⁶⁰−1.
  /// @pre `!full()`
  pending_request& open(request_peer& asker, registration& responder);

  /// Gives an open request to another responder.
  void move(pending_request& x, registration& to);

  /// Returns the request with this number; null if it is not open any more.
  pending_request* find(uint64_t number) noexcept;

  /// Ends a request. Its asker and its responder can be idle then.
  void close(pending_request& x);

  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

private:
  using action_map = std::unordered_map<std::string, served_action::second_type,
                                        string_hash, std::equal_to<>>;

  static registration* next_in(action_map& actions,
                               std::string_view action) noexcept;

  // Returns the actions that are served by the like of `who`.
  action_map& actions_of(const request_peer& who) noexcept {
    return who.node != nullptr ? offers_ : actions_;
  }

  // Takes a request away from its responder.
  void leave_responder(pending_request& x);

  // Sets the number of requests in flight, and with it the order.
  void reorder(registration& x, size_t in_flight, uint64_t chosen);

  static void erase_from_peer(registration& x);

  size_t requests_max_;
  size_t responders_max_;
  action_map actions_;
  // What other nodes serve.
  action_map offers_;
  // A number is a count and, in the low bits, the request's place here. Places
  // do not move, and are used again.
  std::deque<pending_request> requests_;
  std::vector<pending_request*> free_;
  size_t size_ = 0;
  uint64_t count_;
  uint64_t choices_ = 0;
};

} // namespace callboard
