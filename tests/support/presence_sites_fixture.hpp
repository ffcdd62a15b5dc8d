#pragma once

#include <string>
#include <string_view>

#include "support/sites_fixture.hpp"

namespace callboard {

/// Nodes of a cluster whose topics keep who is there, but for those below
/// `none`.
struct presence_sites_fixture : sites_fixture {
  presence_sites_fixture();

  /// Lets time pass everywhere.
  void pass(caf::timespan x);

  /// Subscribes and asks to be told who comes and goes.
  /// @returns what `x` then hears.
  std::string watch(client& x, const std::string& topic, uint32_t seq_id = 1);

  /// The same, and takes what is told for a while.
  client& watcher(size_t site, uint32_t loop, const std::string& topic,
                  std::string user = {});

  /// Returns the answer to a request of the server's own.
  std::string ask(client& x, const std::string& action,
                  const std::string& json);

  /// Returns the members as JSON, or the error.
  std::string members(client& x, const std::string& topic);

  /// Returns `members/connections`, or the error.
  std::string count(client& x, const std::string& topic);

  /// Takes what was told, and returns what came of presence.
  static std::string news(client& x);

  /// Lets the only loop of a site report these, as if they had come to it.
  void report(size_t site, const std::string& topic, size_t n,
              const std::string& user = {});

  /// The connection is lost.
  void lose(client& x);

  /// Returns what is told of one step.
  static std::string step(const std::string& topic, const std::string& what,
                          const std::string& user, client& x);

  static std::string reset(const std::string& topic);
};

} // namespace callboard
