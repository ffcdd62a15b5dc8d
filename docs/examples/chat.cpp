// A moderator greets whoever comes and shows out who shouts; ada comes.
#include <caf/all.hpp>
#include <iostream>

#include <callboard/actors/responder.hpp>
#include <callboard/net/client.hpp>
#include <callboard/net/server.hpp>

using namespace callboard;
using namespace std::chrono_literals;

struct shout {
  std::string text;
  MSGPACK_DEFINE_MAP(text)
};

void step(int number, const std::string& what) {
  static std::atomic<int> last = 0;
  std::cout << number << ". " << what << std::endl;
  if (++last != number)
    std::quick_exit(1);
}

caf::behavior moderator(caf::event_based_actor* self, server_handle hub) {
  auto visitor = std::make_shared<connection_id>(0);
  auto greet = [=](const payload& name) {
    step(2, "the client says that it is " + name.to_json());
    self->request(hub, 5s, publish_atom_v, "log/visits", name)
      .then([=](const position& x) {
        step(3, "log/visits is at " + std::to_string(x.offset));
        caf::anon_send(hub, publish_atom_v, "rooms/lobby", name);
      });
  };
  auto on_life = [=](const lifecycle_event& x) {
    *visitor = x.connection;
    if (x.kind == lifecycle_kind::disconnected)
      return step(8, x.user + " left: " + x.reason), self->quit();
    if (x.kind == lifecycle_kind::connected)
      return step(1, x.user + " connected");
    self
      ->request(hub, 6s, request_atom_v, *visitor, "name", payload{},
                caf::timespan{5s})
      .then(greet);
  };
  auto on_shout = [=](const event& x) {
    step(7, x.sender + " in " + x.topic + ": " + x.payload.to_json());
    caf::anon_send(hub, close_atom_v, *visitor, uint16_t{4503}, "too loud");
  };
  return {on_life, on_shout};
}

void caf_main(caf::actor_system& sys) {
  net::server_options options{.port = 0};
  options.rights.authenticate = [](auto& x) { return identity{x.token}; };
  options.rights.authorize = [](auto&, auto, auto x) { return x != "staff"; };
  auto server = std::move(*net::server::start(sys, options));
  auto hub = server->handle();
  respond<shout>(hub, "shout", [](auto& x) { return x.text + "!"; });
  caf::scoped_actor self{sys};
  auto guard = self->spawn(moderator, hub);
  caf::anon_send(hub, watch_atom_v, guard);
  self->request(hub, 5s, subscribe_atom_v, guard, "shouts/+")
    .receive([](position&) {}, [](caf::error&) { std::quick_exit(1); });
  net::client ada{{.server = *net::parse_url(server->url()), .token = "ada"}};
  ada.respond("name", [](auto asked) { asked.answer(payload::pack("Ada")); });
  ada.subscribe("rooms/lobby", [&](auto& x) {
    step(4, "ada is greeted at " + std::to_string(x.offset));
    ada.publish("staff", {}, {}, [&](auto result) {
      step(5, result.error() == errc::forbidden ? "staff is closed" : "?");
      ada.request("shout", payload::pack(shout{"hey"}), 5s, [&](auto answer) {
        step(6, "the answer is " + answer->to_json());
        ada.publish("shouts/ada", *answer, {}, {});
      });
    });
  });
  ada.start();
  ada.run();
  self->wait_for(guard);
}

CAF_MAIN(caf::id_block::callboard_messages, caf::id_block::callboard_actors)
