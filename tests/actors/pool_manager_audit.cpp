// What the pool compares with what loops' audits tell.

#include <callboard/actors/pool_manager.hpp>

#include <string>
#include <vector>

#include <caf/make_counted.hpp>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture : node_fixture {
  fixture() {
    node.log_leak = [this](const leak_report& x) { reports.push_back(x); };
    start(2);
    stranger = sys.spawn([this] {
      return caf::behavior{
        [this](callboard::close_atom, uint16_t code, const std::string&) {
          codes.push_back(code);
        }};
    });
  }

  ~fixture() {
    kill(stranger);
  }

  /// Makes the pool know the stranger, as connection 99.
  void introduce() {
    lifecycle_event life;
    life.connection = 99;
    life.user = "ann";
    caf::anon_send(pool, opened_atom_v,
                   caf::actor_cast<caf::strong_actor_ptr>(stranger), life);
    turn();
  }

  /// A loop has found the stranger.
  void tell(uint32_t loop, uint32_t round) {
    auto x = caf::make_counted<live_report>();
    x->loop = loop;
    x->round = round;
    leak_history who;
    who.connection = 99;
    x->connected.push_back({stranger.address(), who});
    caf::anon_send(pool, audit_atom_v, live_report_ptr{std::move(x)});
    turn();
  }

  int64_t found(leak_kind x) {
    return make_leak_metrics(sys.metrics()).found_of(x)->value();
  }

  int64_t reclaimed(leak_kind x) {
    return make_leak_metrics(sys.metrics()).reclaimed_of(x)->value();
  }

  /// Lets the stranger die; the pool looks before it hears of that.
  void die_unheard() {
    caf::anon_send<caf::message_priority::high>(pool, audit_atom_v);
    caf::anon_send_exit(stranger, caf::exit_reason::kill);
    CAF_REQUIRE(sched.prioritize(stranger));
    sched.run_once();
  }

  caf::actor stranger;
  std::vector<uint16_t> codes;
  std::vector<leak_report> reports;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(who is not known in two rounds of a loop is closed) {
  tell(0, 1);
  tell(0, 1);
  CHECK(codes.empty());
  tell(0, 2);
  CHECK_EQ(codes, std::vector<uint16_t>{1011});
  CHECK_EQ(found(leak_kind::unregistered), 1);
  CHECK_EQ(reclaimed(leak_kind::unregistered), 1);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].who.connection, 99u);
}

CAF_TEST(rounds of other loops do not count) {
  tell(0, 1);
  tell(1, 2);
  tell(1, 4);
  CHECK(codes.empty());
  tell(0, 2);
  CHECK_EQ(codes.size(), 1u);
}

CAF_TEST(rounds that do not follow each other do not count) {
  tell(0, 1);
  tell(0, 3);
  CHECK(codes.empty());
  tell(0, 4);
  CHECK_EQ(codes.size(), 1u);
}

CAF_TEST(who is known is no leak) {
  introduce();
  for (uint32_t round = 1; round < 4; ++round) {
    tell(0, round);
    ask(pool, audit_atom_v)
      .receive([] {}, [](const caf::error& x) { CAF_FAIL(x); });
  }
  CHECK(codes.empty());
  CHECK(reports.empty());
}

CAF_TEST(who has ended since is no leak) {
  tell(0, 1);
  kill(stranger);
  tell(0, 2);
  CHECK_EQ(found(leak_kind::unregistered), 0);
}

// Two rounds before the pool hears of it take a fault: e2e.leaks.
CAF_TEST(who is dead in one round only is no leak) {
  introduce();
  die_unheard();
  turn();
  ask(pool, audit_atom_v)
    .receive([] {}, [](const caf::error& x) { CAF_FAIL(x); });
  CHECK_EQ(found(leak_kind::registered_dead), 0);
}

CAF_TEST(a node that ends looks for nobody) {
  introduce();
  node.draining = true;
  die_unheard();
  turn();
  CHECK_EQ(found(leak_kind::registered_dead), 0);
}

CAF_TEST(descriptors that nobody accounts for are told of and kept) {
  auto count = [this](uint64_t open, uint64_t sockets) {
    for (int i = 0; i < 3; ++i)
      ask(pool, audit_atom_v, open, sockets)
        .receive([] {}, [](const caf::error& x) { CAF_FAIL(x); });
    return found(leak_kind::descriptor);
  };
  CHECK_EQ(count(20, 0), 0);
  CHECK_EQ(count(120, 100), 0);
  CHECK_EQ(count(128, 100), 0);
  CHECK_EQ(count(129, 100), 9);
  CHECK_EQ(count(129, 100), 9);
  CHECK_EQ(reclaimed(leak_kind::descriptor), 0);
  CAF_REQUIRE_EQUAL(reports.size(), 1u);
  CHECK_EQ(reports[0].count, 9u);
}

END_FIXTURE_SCOPE()
