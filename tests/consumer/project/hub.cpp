// The server of the example client: says where it is, and ends when two clients
// have been there.
#include <caf/all.hpp>
#include <iostream>

#include <callboard/net/server.hpp>

using namespace callboard;

caf::behavior guard(caf::event_based_actor* self) {
  auto gone = std::make_shared<int>(0);
  return {[=](const lifecycle_event& x) {
    if (x.kind == lifecycle_kind::disconnected && ++*gone == 2)
      self->quit();
  }};
}

void caf_main(caf::actor_system& sys) {
  net::server_options options;
  options.port = 0;
  options.rights.authenticate = [](auto& x) { return identity{x.token}; };
  auto server = std::move(*net::server::start(sys, options));
  caf::scoped_actor self{sys};
  auto watcher = self->spawn(guard);
  self
    ->request(server->handle(), caf::infinite, watch_atom_v,
              caf::actor_cast<caf::actor>(watcher))
    .receive([] {}, [](caf::error&) { std::quick_exit(1); });
  std::cout << server->url() << std::endl;
  self->wait_for(watcher);
}

CAF_MAIN(caf::id_block::callboard_messages, caf::id_block::callboard_actors)
