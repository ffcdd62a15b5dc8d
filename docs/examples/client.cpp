// Two clients of a server elsewhere: ada in Asio's style, bob as an actor. The
// server's URL is the first line of the input.
#include <atomic>
#include <caf/all.hpp>
#include <iostream>

#include <callboard/net/async_client.hpp>
#include <callboard/net/boost/coroutine.hpp>
#include <callboard/net/client_actor.hpp>
#include <callboard/net/url.hpp>

using namespace callboard;
using namespace std::chrono_literals;
namespace asio = net::asio;
using asio::use_awaitable;

void step(int number, const std::string& what) {
  static std::atomic<int> last = 0;
  std::cout << number << ". " << what << std::endl;
  if (++last != number)
    std::quick_exit(1);
}

net::client_options options(const net::url& server, std::string token) {
  return {.server = server, .token = std::move(token)};
}

caf::behavior bob(caf::event_based_actor* self, net::client_handle client) {
  auto me = caf::actor_cast<caf::actor>(self);
  auto fail = [](const caf::error&) { std::quick_exit(1); };
  auto on_greeting = [=](const payload& x) {
    step(2, "bob is told " + x.to_json());
    caf::anon_send(client, publish_atom_v, "room", payload::pack("hi"));
  };
  auto ask = [=](const position&) {
    caf::timespan limit = 5s;
    self->request(client, 6s, request_atom_v, "greet", payload{}, limit)
      .then(on_greeting, fail);
  };
  self->request(client, 10s, subscribe_atom_v, me, "room").then(ask, fail);
  return {[=](const event& x) {
    if (x.sender != "ada")
      return;
    step(4, "ada says " + x.payload.to_json() + " in " + x.topic);
    caf::anon_send(client, close_atom_v);
    self->quit();
  }};
}

asio::awaitable<void> ada(net::async_client& client,
                          std::function<void()> invite) {
  auto hello = co_await client.async_connect(use_awaitable);
  step(1, hello->user + " is connected");
  auto greet = [](const net::incoming_request& x) {
    x.answer(payload::pack("hello, " + x.from()));
  };
  co_await client.async_respond("greet", greet, use_awaitable);
  auto room = co_await client.async_subscribe("room", use_awaitable);
  invite();
  auto said = co_await room->async_receive(use_awaitable);
  step(3, said->what.sender + " says " + said->what.payload.to_json());
  co_await client.async_publish("room", payload::pack("bye"), use_awaitable);
  co_await client.async_close(use_awaitable);
}

void caf_main(caf::actor_system& sys) {
  std::string line;
  std::getline(std::cin, line);
  auto server = *net::parse_url(line);
  asio::io_context context;
  net::async_client client{context.get_executor(), options(server, "ada")};
  auto invite = [&] {
    sys.spawn(bob, net::spawn_client(sys, options(server, "bob")));
  };
  asio::co_spawn(context, ada(client, invite), asio::detached);
  context.run();
}

CAF_MAIN(caf::id_block::callboard_messages, caf::id_block::callboard_actors)
