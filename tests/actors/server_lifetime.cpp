#include <callboard/actors/server_actor.hpp>

#include <string>

#include <caf/actor_cast.hpp>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture : node_fixture {
  fixture() {
    server = start_server();
  }

  server_handle server;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// An actor that nobody holds any more ends, and the system waits for that. So
// what is left of a server must not hold those that hold its handle.
CAF_TEST(a server that has ended holds no actor of the application) {
  caf::weak_actor_ptr weak;
  {
    auto who = sys.spawn([hub = server] {
      return caf::behavior{
        [hub](const action_request& x) { return x.payload; },
        [hub](const lifecycle_event&) {},
      };
    });
    weak = caf::actor_cast<caf::weak_actor_ptr>(who);
    caf::anon_send(server, register_atom_v, std::string{"echo"}, who);
    caf::anon_send(server, watch_atom_v, who);
    turn();
  }
  CHECK(weak.lock() != nullptr);
  kill(server);
  for (auto& [shard, waiting] : loops[0]->routers)
    kill(shard);
  kill(pool);
  turn();
  CHECK(weak.lock() == nullptr);
}

END_FIXTURE_SCOPE()
