#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <sstream>
#include <string>
#include <string_view>

#include <callboard/actors/cluster/replica_messages.hpp>

namespace callboard {

/// What has happened to the voters of a topic, in words: the last of it.
class replica_trace {
public:
  static constexpr size_t lines_max = 200;

  void add(std::string_view what, uint32_t place, uint64_t x) {
    if (enabled)
      add() << place << ": " << what << ' ' << x;
  }

  template <class T>
  void add(std::string_view what, uint32_t place, uint64_t x, T y) {
    if (enabled)
      add() << place << ": " << what << ' ' << x << ", " << y;
  }

  void add(std::string_view what, uint32_t place, const replica_record& x) {
    if (enabled)
      add() << place << ": " << what << " promised " << x.promised << " term "
            << x.term << " floor " << x.floor << " agreed " << x.agreed
            << " head " << x.head << " placed " << x.placed << ' ' << x.epoch
            << (x.forgot ? " forgot" : "");
  }

  void add(uint32_t from, uint32_t to, const replica_message& x) {
    static constexpr const char* names[]
      = {"ask",    "vote",   "refuse", "begin", "fetch",
         "events", "append", "level",  "vouch", "vouched"};
    if (enabled)
      add() << from << " -> " << to << ": "
            << names[static_cast<size_t>(x.what)] << " in " << x.term << " log "
            << x.log_term << " first " << x.first << " head " << x.head
            << " agreed " << x.agreed << " floor " << x.floor << " placed "
            << x.placed << " events " << x.events.size() << ' ' << x.epoch
            << (x.whole ? " whole" : "");
  }

  /// Returns the last lines.
  std::string text() {
    add();
    std::string result;
    for (auto& x : lines_)
      result += x + '\n';
    return result;
  }

  bool enabled = false;

private:
  // Begins another line.
  std::ostringstream& add() {
    lines_.push_back(last_.str());
    if (lines_.size() > lines_max)
      lines_.pop_front();
    last_.str({});
    return last_;
  }

  std::ostringstream last_;
  std::deque<std::string> lines_;
};

} // namespace callboard
