#include <callboard/actors/loop_audit.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/pool_manager.hpp>
#include <callboard/actors/user_table.hpp>

#include "actors/loop_audit_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;
using numbers = std::vector<uint64_t>;

BEGIN_FIXTURE_SCOPE(loop_audit_fixture)

CAF_TEST(a loop in order has no leaks) {
  node.options.user_connections_max = 5;
  node.users = std::make_shared<user_table>(node.options);
  begin();
  for (auto* user : {"ann", "bob", ""})
    sockets.add(connect(0, user));
  say(*clients[0], type::subscribe, 1, "news");
  sockets.list.push_back({9, nullptr, true});
  for (int i = 0; i < 4; ++i)
    round();
  CHECK_EQ(found(), 0);
  CHECK(reports.empty());
  for (auto& x : clients)
    CHECK(x->alive());
}

CAF_TEST(rounds begin as often as the option says) {
  begin();
  CHECK(audit->step());
  CHECK(!audit->busy());
  CHECK(!audit->step());
  pass(59'999ms);
  CHECK(!audit->step());
  pass(1ms);
  CHECK(audit->step());
}

CAF_TEST(without an interval there is no audit) {
  node.options.audit_interval = 0s;
  begin();
  auto& x = connect();
  for (int i = 0; i < 4; ++i) {
    pass(10min);
    CHECK(!audit->step());
  }
  CHECK(x.alive());
  CHECK_EQ(found(), 0);
}

// -- actors and sockets -------------------------------------------------------

CAF_TEST(an actor without socket is ended by the second round) {
  begin();
  auto& x = connect(0, "ann");
  sockets.add(connect());
  round();
  CHECK(x.alive());
  CHECK_EQ(found(), 0);
  round();
  CHECK(!x.alive());
  // A socket that is gone is not spoken to.
  CHECK_EQ(x.close_code(), 0);
  CHECK(clients[1]->alive());
  CHECK_EQ(found(leak_kind::actor_without_socket), 1);
  CHECK_EQ(reclaimed(leak_kind::actor_without_socket), 1);
  CHECK_EQ(found(), 1);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  auto& who = reports[0].who;
  CHECK_EQ(who.connection, 1u);
  CHECK_EQ(who.address, "192.0.2.1");
  CHECK_EQ(who.user, "ann");
  CHECK_EQ(who.state, "connected");
  CHECK_EQ(reports[0].now_ms - who.connected_ms, 120'000);
  round();
  CHECK_EQ(found(), 1);
}

CAF_TEST(what one round has seen alone is no leak) {
  begin();
  auto& x = connect();
  round();
  round([&] { sockets.add(x); });
  round([&] { sockets.list.clear(); });
  CHECK(x.alive());
  CHECK_EQ(found(), 0);
  round();
  CHECK(!x.alive());
}

CAF_TEST(who comes as a round begins is not looked for) {
  begin();
  round([&] { connect(); });
  round();
  CHECK(clients[0]->alive());
  round();
  CHECK(!clients[0]->alive());
}

CAF_TEST(a socket without actor is closed) {
  begin();
  sockets.list.push_back({7, nullptr});
  round();
  CHECK(sockets.closed.empty());
  round();
  CHECK_EQ(sockets.closed, numbers{7});
  CHECK_EQ(found(leak_kind::socket_without_actor), 1);
  CHECK_EQ(reclaimed(leak_kind::socket_without_actor), 1);
}

CAF_TEST(a socket whose actor has ended without closing it is closed) {
  begin();
  auto& x = connect();
  sockets.add(x);
  kill(x.handle);
  round();
  CHECK(sockets.closed.empty());
  round();
  CHECK_EQ(sockets.closed, numbers{1});
  CHECK_EQ(found(leak_kind::socket_without_actor), 1);
  CHECK_EQ(found(), 1);
}

// -- deadlines ----------------------------------------------------------------

CAF_TEST(a close that takes too long is cut) {
  begin();
  sockets.list.push_back({7, nullptr});
  auto closing_for = [this](int64_t ms) {
    return [this, ms] { sockets.list[0].closing_ms = ctx().steady_ms - ms; };
  };
  for (int i = 0; i < 3; ++i)
    round(closing_for(7'000));
  CHECK(sockets.ended.empty());
  round(closing_for(7'001));
  CHECK(sockets.ended.empty());
  round(closing_for(7'001));
  CHECK_EQ(sockets.ended, numbers{7});
  CHECK_EQ(found(leak_kind::stuck_disconnecting), 1);
  CHECK_EQ(found(), 1);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].overdue_ms, 5'001);
}

CAF_TEST(who does not log in for too long is closed) {
  node.options.connect_timeout = 10s;
  begin();
  auto& x = open(0, {}, true);
  sockets.add(x);
  auto connecting_for = [&](int64_t ms) {
    return [this, &x, ms] { x->live().entered_ms[0] = ctx().steady_ms - ms; };
  };
  for (int i = 0; i < 3; ++i)
    round(connecting_for(15'000));
  CHECK(x.alive());
  round(connecting_for(15'001));
  CHECK(x.alive());
  round(connecting_for(15'001));
  CHECK_EQ(x.close_code(), 4005);
  CHECK(!x.alive());
  CHECK_EQ(found(leak_kind::stuck_connecting), 1);
  CHECK_EQ(found(), 1);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].overdue_ms, 5'001);
  CHECK_EQ(reports[0].who.state, "connecting");
}

// -- subscriptions and places -------------------------------------------------

CAF_TEST(subscriptions of who is gone are taken back) {
  begin();
  auto& x = connect();
  sockets.add(x);
  say(x, type::subscribe, 1, "news");
  outbox_ptr box{new outbox{ctx().outboxes, wire_form::msgpack, 1024}};
  box->connection = 9;
  ctx().subscribers[123'456'789] = {{}, box, nullptr};
  ctx().topics.subscribe(*box, "snow", 1);
  ctx().topics.subscribe(*box, "weather", 2);
  round();
  CHECK_EQ(ctx().topics.subscriptions(), 3u);
  round();
  CHECK_EQ(ctx().topics.subscriptions(), 1u);
  CHECK_EQ(ctx().topics.topics(), 1u);
  CHECK_EQ(ctx().subscribers.size(), 1u);
  CHECK_EQ(found(leak_kind::subscription_without_subscriber), 2);
  CHECK_EQ(found(), 2);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].who.connection, 9u);
  CHECK_EQ(reports[0].count, 2u);
  x.publish("news", "hello");
  turn();
  CHECK(x.heard().ends_with("\"hello\""));
}

CAF_TEST(embedded subscribers that are gone are dropped as well) {
  begin();
  auto make = [this] {
    auto result
      = sys.spawn([] { return caf::behavior{[](const event&) { /* nop */ }}; });
    ask(ctx().brokers[0].actor, subscribe_atom_v, result, "news")
      .receive([](const position&) {},
               [](const caf::error& x) { CAF_FAIL(x); });
    return result;
  };
  auto here = make();
  auto gone = make();
  ctx().subscribers.at(gone.id()).address = nullptr;
  round();
  CHECK_EQ(ctx().topics.subscriptions(), 2u);
  round();
  CHECK_EQ(ctx().topics.subscriptions(), 1u);
  CHECK(ctx().subscribers.contains(here.id()));
  CHECK_EQ(found(leak_kind::subscription_without_subscriber), 1);
  kill(here);
  kill(gone);
}

CAF_TEST(the place of a user who is gone is given back) {
  node.options.user_connections_max = 1;
  node.users = std::make_shared<user_table>(node.options);
  begin();
  sockets.add(connect(0, "ann"));
  auto refused = [this](const std::string& user) {
    return node.users->enter(user, "", ctx().steady_ms).refused.has_value();
  };
  CHECK(!refused("bob"));
  ctx().claims[77] = {"bob", "", ctx().steady_ms};
  round();
  CHECK(refused("bob"));
  round();
  CHECK(!refused("bob"));
  CHECK(refused("ann"));
  CHECK_EQ(found(leak_kind::place_without_owner), 1);
  CHECK_EQ(found(), 1);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].who.user, "bob");
  CHECK_EQ(ctx().claims.size(), 1u);
}

CAF_TEST(a connection claims the place of its user while it lives) {
  node.options.user_connections_max = 1;
  node.users = std::make_shared<user_table>(node.options);
  begin();
  auto& x = connect(0, "ann");
  CAF_REQUIRE(ctx().claims.contains(1));
  CHECK_EQ(ctx().claims.at(1).user, "ann");
  kill(x.handle);
  CHECK(ctx().claims.empty());
}

CAF_TEST(places that two rounds find too many are given back) {
  begin();
  round([this] { sockets.surplus = 3; });
  CHECK_EQ(sockets.given_back, 0u);
  round([this] { sockets.surplus = 2; });
  CHECK_EQ(sockets.given_back, 2u);
  CHECK_EQ(found(leak_kind::place_without_owner), 2);
  round([this] { sockets.surplus = 1; });
  CHECK_EQ(sockets.given_back, 2u);
  round([this] { sockets.surplus = 0; });
  round([this] { sockets.surplus = 1; });
  CHECK_EQ(sockets.given_back, 2u);
  round();
  CHECK_EQ(sockets.given_back, 3u);
}

// -- the registry -------------------------------------------------------------

CAF_TEST(who is not in the registry is closed by the second round) {
  begin();
  auto& x = connect();
  sockets.add(x);
  auto other = spawn_hosted<pool_manager>(sys, nullptr, node);
  kill(std::exchange(pool, other));
  ctx().pool = pool;
  auto& y = connect();
  sockets.add(y);
  round();
  CHECK(x.alive());
  round();
  CHECK_EQ(x.close_code(), 1011);
  CHECK(!x.alive());
  CHECK(y.alive());
  CHECK_EQ(found(leak_kind::unregistered), 1);
  CHECK_EQ(reclaimed(leak_kind::unregistered), 1);
  CHECK_EQ(found(), 1);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].who.connection, 1u);
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(a step looks at so much and no more) {
  begin();
  for (uint64_t i = 1; i <= 2'500; ++i)
    sockets.list.push_back({i, nullptr, true});
  first_step();
  CHECK_EQ(sockets.looked_at, 1'000u);
  audit->step();
  CHECK_EQ(sockets.looked_at, 2'000u);
  CHECK(audit->busy());
  audit->step();
  CHECK_EQ(sockets.looked_at, 2'500u);
  CHECK(!audit->busy());
}

CAF_TEST(sockets may go while they are looked at) {
  begin();
  for (uint64_t i = 1; i <= 2'500; ++i)
    sockets.list.push_back({i, nullptr, true});
  first_step();
  sockets.list.resize(10);
  audit->step();
  CHECK_EQ(sockets.looked_at, 1'010u);
  CHECK(!audit->busy());
}

CAF_TEST(a step takes few leaks back and a round logs few) {
  begin();
  for (uint64_t i = 1; i <= 1'000; ++i)
    sockets.list.push_back({i, nullptr});
  round();
  first_step();
  // Each costs itself and 20 others.
  CHECK_EQ(sockets.closed.size(), 48u);
  while (audit->busy())
    audit->step();
  CHECK_EQ(sockets.closed.size(), 1'000u);
  CHECK_EQ(found(leak_kind::socket_without_actor), 1'000);
  CHECK_EQ(reports.size(), loop_audit::logged_max);
}

END_FIXTURE_SCOPE()
