#include <callboard/net/server_parts.hpp>

#include <utility>

#include <caf/actor_system.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <callboard/actors/as_caf.hpp>
#include <callboard/net/server.hpp>

namespace callboard::net {

caf::telemetry::int_counter* reload_counter(caf::actor_system& sys, bool done) {
  return sys.metrics()
    .counter_family("callboard", "reloads", {"result"},
                    "Reloads of options by what became of them.", "1", true)
    ->get_or_add({{"result", as_caf(done ? "done" : "refused")}});
}

void count_reload(caf::actor_system& sys, bool done) {
  reload_counter(sys, done)->inc();
}

caf::expected<commits>
read_files(std::initializer_list<const read_function*> readers) {
  commits result;
  for (auto* read : readers) {
    if (!*read)
      continue;
    auto commit = (*read)();
    if (!commit)
      return std::move(commit.error());
    result.push_back(std::move(*commit));
  }
  return result;
}

} // namespace callboard::net
