#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include <callboard/actors/connection.hpp>

// Parts of a connection that most connections never need. Not installed.

namespace callboard {

/// What a client serves as responder.
struct connection::served {
  /// Whether the client answers an action, or has a request to answer.
  [[nodiscard]] bool is_in_use() const noexcept {
    return !actions.empty() || !registering.empty() || !requests.empty();
  }

  /// Who waits for the answer to a request that was sent to this client: a
  /// router shard's ticket, or an embedded actor's promise.
  struct waiting {
    request_ticket ticket;
    caf::typed_response_promise<payload> promise;
    caf::disposable timer;
  };

  std::vector<std::string> actions;
  /// Actions whose `register` waits for its answer, by that one's call ID.
  std::unordered_map<uint32_t, std::string> registering;
  /// By the seqId of our request.
  std::unordered_map<uint32_t, waiting> requests;
  /// Events of groups that the client has to confirm, by the event's seqId.
  std::unordered_map<uint32_t, group_ticket> unconfirmed;
  uint32_t last_seq_id = 0;

  uint32_t next_seq_id() {
    do {
      if (++last_seq_id == 0)
        last_seq_id = 1;
    } while (requests.contains(last_seq_id)
             || unconfirmed.contains(last_seq_id));
    return last_seq_id;
  }

  // Forgets events of a group.
  void forget_events(std::unordered_map<uint64_t, uint32_t>& seq_ids) {
    for (auto [number, seq_id] : seq_ids)
      unconfirmed.erase(seq_id);
    seq_ids.clear();
  }

  // Routers see by themselves that the client is gone; embedded askers do not.
  void fail_all() {
    for (auto& [seq_id, x] : requests) {
      if (!x.promise.pending())
        continue;
      x.timer.dispose();
      x.promise.deliver(caf::make_error(errc::responder_failed));
    }
  }

  void forget_shard(uint32_t shard) {
    std::erase_if(requests, [shard](auto& x) {
      return x.second.ticket.number != 0 && x.second.ticket.shard == shard;
    });
  }
};

/// A group that the client is a member of, or asks to be.
struct connection::membership {
  std::string topic;
  std::string group;
  /// Whether the client confirms.
  bool ack = false;
  uint32_t shard = 0;
  /// Names what was asked last.
  uint32_t call_id = 0;
  /// The seqId of the `subscribe` that waits for its answer; or 0.
  uint32_t seq_id = 0;
  /// Whether the client was told that it is a member.
  bool established = false;
  /// The topic's, as it was told.
  std::string epoch;
  /// The member's number; 0 while the owner has not answered.
  uint64_t member = 0;
  /// Whether the owner waits for room in the outbox.
  bool paused = false;
  /// The seqIds of the events that the client has to confirm, by the numbers
  /// of the deliveries.
  std::unordered_map<uint64_t, uint32_t> unconfirmed;
};

struct connection::memberships {
  std::list<membership> list;
  /// Those whose owner has answered, by the members' numbers.
  std::unordered_map<uint64_t, membership*> members;
  uint32_t last_call_id = 0;

  membership* find(std::string_view topic, std::string_view group) {
    auto i = std::ranges::find_if(list, [=](const membership& x) {
      return x.topic == topic && x.group == group;
    });
    return i == list.end() ? nullptr : &*i;
  }

  membership* find(uint64_t member) {
    auto i = members.find(member);
    return i == members.end() ? nullptr : i->second;
  }

  // Gives it the number that it has at its owner; 0: it has none.
  void set_member(membership& x, uint64_t member) {
    members.erase(x.member);
    x.member = member;
    if (member != 0)
      members[member] = &x;
  }

  void erase(membership& x) {
    members.erase(x.member);
    list.remove_if([&x](auto& y) { return &y == &x; });
  }
};

/// The times of the last malformed frames.
struct connection::malformed_times {
  /// So many in a minute are borne.
  static constexpr size_t borne = 16;

  /// Adds one at `now_ms`.
  /// @returns whether it is one too many.
  bool add(int64_t now_ms) {
    auto& oldest = times[next];
    auto too_many = count == borne && now_ms - oldest < 60'000;
    oldest = now_ms;
    next = (next + 1) % borne;
    count = std::min(count + 1, borne);
    return too_many;
  }

  std::array<int64_t, borne> times = {};
  size_t next = 0;
  size_t count = 0;
};

} // namespace callboard
