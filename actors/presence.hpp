#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/messages.hpp>

// What actors tell each other of who is in a topic.

namespace callboard {

/// Something that a loop tells a topic's owner.
struct presence_change {
  enum class kind : uint8_t {
    /// A connection has subscribed.
    join,
    /// A connection's subscription is gone.
    leave,
    /// Somebody on this loop wants to hear who comes and goes, or nobody does
    /// any more.
    watch,
    unwatch,
    /// Like `watch`, by somebody who was told by another owner until now.
    watch_anew,
    /// Who is there, and who watches, is told anew from now on; for those who
    /// are then left out it was not said that they went.
    renew,
  };

  kind what;
  std::string topic;
  /// 0 unless it comes or goes.
  connection_id connection = 0;
  /// Set for `join`; empty where nobody is logged in.
  std::string user;
};

/// A turn's changes of one loop for one owner, in their order. Immutable once
/// sent.
class presence_report : public caf::ref_counted {
public:
  uint32_t loop = 0;
  std::vector<presence_change> changes;

  /// Returns roughly what it costs in memory, for credits.
  [[nodiscard]] int64_t cost() const noexcept {
    auto result = sizeof(presence_report);
    for (auto& x : changes)
      result += sizeof(presence_change) + x.topic.size() + x.user.size();
    return static_cast<int64_t>(result);
  }
};

using presence_report_ptr = caf::intrusive_ptr<presence_report>;

/// Somebody came or went.
struct presence_step {
  bool joined = false;
  /// Empty where nobody is logged in.
  std::string user;
  /// With which the user came, or the last one that the user had.
  connection_id connection = 0;
  /// The name of the connection's node; empty: this one.
  std::string node = {};

  friend bool operator==(const presence_step&, const presence_step&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, presence_step& x) {
    return f.object(x).fields(f.field("joined", x.joined),
                              f.field("user", x.user),
                              f.field("connection", x.connection),
                              f.field("node", x.node));
  }
};

/// What an owner tells the loops that watch a topic. Immutable once sent.
class presence_news : public caf::ref_counted {
public:
  std::string topic;
  /// Unix time in milliseconds.
  int64_t timestamp = 0;
  /// Whether what the watchers know may be wrong; then there are no steps.
  bool reset = false;
  std::vector<presence_step> steps;
};

using presence_news_ptr = caf::intrusive_ptr<presence_news>;

/// Somebody who is in a topic: a user, or a connection where nobody is logged
/// in.
struct presence_member {
  std::string user;
  /// Empty for a user who may come back within the linger.
  std::vector<connection_id> connections;
  /// For each of them the name of its node; empty: this one. Left out where all
  /// are of this node.
  std::vector<std::string> nodes = {};

  friend bool operator==(const presence_member&, const presence_member&)
    = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, presence_member& x) {
    return f.object(x).fields(f.field("user", x.user),
                              f.field("connections", x.connections),
                              f.field("nodes", x.nodes));
  }
};

/// How many are in a topic.
struct presence_count {
  /// Users, and connections where nobody is logged in.
  uint64_t members = 0;
  uint64_t connections = 0;

  friend bool operator==(const presence_count&, const presence_count&)
    = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, presence_count& x) {
    return f.object(x).fields(f.field("members", x.members),
                              f.field("connections", x.connections));
  }
};

/// Some of those who are in a topic, in a fixed order.
struct presence_page {
  std::vector<presence_member> members;
  /// Ask for those after this; empty: there are no more.
  std::string next;

  template <class Inspector>
  friend bool inspect(Inspector& f, presence_page& x) {
    return f.object(x).fields(f.field("members", x.members),
                              f.field("next", x.next));
  }
};

/// Who came to a topic and who went, as an embedded subscriber hears it.
struct presence_update {
  std::string topic;
  /// Whether what was heard until now may be wrong: ask again who is there.
  bool reset = false;
  std::vector<presence_step> steps;
  credit_token credit;

  template <class Inspector>
  friend bool inspect(Inspector& f, presence_update& x) {
    return f.object(x).fields(f.field("topic", x.topic),
                              f.field("reset", x.reset),
                              f.field("steps", x.steps));
  }
};

} // namespace callboard
