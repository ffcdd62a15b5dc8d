// How much a connection may have in flight.

#include <callboard/actors/connection.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

BEGIN_FIXTURE_SCOPE(node_fixture)

CAF_TEST(as many requests wait as may and the next is too many) {
  node.options.inflight_max = 2;
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  say(alice, type::request, 1, "sum");
  CHECK_EQ(say(alice, type::request, 2, "sum"), "");
  CHECK_EQ(say(alice, type::request, 3, "sum"), "error 3 too_many_inflight");
  alice.publish("a", "x", 4);
  turn();
  CHECK_EQ(alice.heard(), "error 4 too_many_inflight");
  CHECK_EQ(bob.take().size(), 2u);
  say(bob, type::response, 2);
  CHECK_EQ(alice.heard(), "response 2");
  CHECK_EQ(say(alice, type::request, 5, "sum"), "");
  // What the server answers at once never waits.
  CHECK_EQ(say(alice, type::request, 6, "callboard.echo"), "response 6");
}

CAF_TEST(what waits for its subscription is no request in flight) {
  node.options.inflight_max = 1;
  start(2);
  auto& alice = connect(0);
  // Their owner is on the other loop, which has not answered yet.
  alice.say(type::subscribe, 1, name_on(1, 2, "a"));
  alice.say(type::subscribe, 2, name_on(1, 2, "b"));
  alice.publish(name_on(1, 2, "c"), "x", 3);
  alice.publish(name_on(1, 2, "c"), "x", 4);
  CHECK_EQ(alice.heard(), "");
  turn();
  std::vector<std::string> words;
  for (auto& x : alice.take())
    words.push_back(std::string{to_string(x.type)} + ' '
                    + std::to_string(x.seq_id));
  std::ranges::sort(words);
  CHECK_EQ(words, (std::vector<std::string>{"error 4", "response 1",
                                            "response 2", "response 3"}));
}

CAF_TEST(a router with as much waiting as may refuses requests) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "log");
  auto& waiting = *loops[0]->routers[0].waiting;
  auto bound = static_cast<int64_t>(node.options.shard_bytes_max);
  waiting.add(bound);
  say(alice, type::notify, 0, "log", text("x"));
  CHECK_EQ(bob.heard(), "notify log \"x\"");
  CHECK_EQ(say(alice, type::request, 1, "log"), "");
  CHECK_EQ(bob.heard(), "request 1 log");
  waiting.add(1);
  say(alice, type::notify, 0, "log", text("x"));
  CHECK_EQ(say(alice, type::request, 2, "log"), "error 2 overloaded");
  CHECK_EQ(bob.heard(), "");
  CHECK_EQ(waiting.count(), bound + 1);
  // What was refused is not in flight.
  waiting.remove(1);
  CHECK_EQ(say(alice, type::request, 2, "log"), "");
  CHECK_EQ(bob.heard(), "request 2 log");
}

END_FIXTURE_SCOPE()
