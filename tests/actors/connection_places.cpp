// How many connections a user and a tenant may have.

#include <callboard/actors/connection.hpp>

#include <memory>
#include <string>
#include <vector>

#include <callboard/actors/user_table.hpp>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

/// Tokens are `USER` or `USER of TENANT`.
struct fixture : node_fixture {
  fixture() {
    node.rights.authenticate
      = [](const credentials& x) -> caf::expected<identity> {
      auto mark = x.token.find(" of ");
      identity who{x.token.substr(0, mark)};
      if (mark != std::string::npos)
        who.tenant = x.token.substr(mark + 4);
      return who;
    };
  }

  void begin(uint32_t n = 1) {
    node.users = std::make_shared<user_table>(node.options);
    start(n);
  }

  /// Shows a token in a `connect` frame. Returns "welcome", or what else is
  /// heard, with the close.
  std::string log_in(const std::string& token, uint32_t loop = 0) {
    auto& x = open(loop, {}, true);
    return connect_frame(x, token);
  }

  std::string connect_frame(client& x, const std::string& token) {
    auto words = say(x, type::connect, 1, "",
                     *payload::from_json("{\"token\":\"" + token + "\"}"));
    if (words.starts_with("welcome 1 "))
      return "welcome";
    return words + "; close " + std::to_string(x.close_code()) + ' '
           + x.socket.close_reason;
  }

  void lose(client& x) {
    x->enter([&] { x->lost(1001, "bye"); });
    turn();
  }

  size_t connections_of(const std::string& user) {
    size_t result = 0;
    ask(pool, lookup_atom_v, user)
      .receive(
        [&](const std::vector<caf::strong_actor_ptr>& xs) {
          result = xs.size();
        },
        [](const caf::error& x) { CAF_FAIL(x); });
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a user has as many connections as may be on all loops) {
  node.options.user_connections_max = 2;
  begin(2);
  auto& one = connect(0, "ann");
  connect(1, "ann");
  auto& third = open(1, "ann");
  CHECK_EQ(third.heard(), "error forbidden");
  CHECK_EQ(third.close_code(), 4504);
  CHECK_EQ(third.socket.close_reason, "user_connections");
  CHECK(!third.alive());
  CHECK_EQ(connections_of("ann"), 2u);
  CHECK_EQ(loops[1]->metrics.refusals_by(limit_kind::user_connections)->value(),
           1);
  connect(1, "bob");
  connect(1);
  lose(one);
  connect(0, "ann");
}

CAF_TEST(who logs in by a frame is told with its seqId) {
  node.options.user_connections_max = 1;
  begin();
  CHECK_EQ(log_in("ann"), "welcome");
  CHECK_EQ(log_in("ann"), "error 1 forbidden; close 4504 user_connections");
  CHECK_EQ(log_in("bob"), "welcome");
}

CAF_TEST(the sentence says what there is too much of) {
  node.options.user_connections_max = 1;
  begin();
  connect(0, "ann");
  auto frames = open(0, "ann").take();
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(text_of(frames[0].content), "This user has too many connections.");
}

CAF_TEST(a tenant has as many for all its users) {
  node.options.tenant_connections_max = 2;
  begin();
  CHECK_EQ(log_in("ann of acme"), "welcome");
  CHECK_EQ(log_in("bob of acme"), "welcome");
  CHECK_EQ(log_in("cid of acme"),
           "error 1 forbidden; close 4504 tenant_connections");
  CHECK_EQ(log_in("cid of other"), "welcome");
  CHECK_EQ(log_in("cid"), "welcome");
  CHECK_EQ(
    loops[0]->metrics.refusals_by(limit_kind::tenant_connections)->value(), 1);
}

CAF_TEST(a fresh token takes no further place) {
  node.options.user_connections_max = 1;
  begin();
  auto& x = open(0, {}, true);
  for (auto i = 0; i < 3; ++i)
    CHECK_EQ(connect_frame(x, "ann"), "welcome");
  CHECK_EQ(log_in("ann"), "error 1 forbidden; close 4504 user_connections");
  lose(x);
  CHECK_EQ(log_in("ann"), "welcome");
}

CAF_TEST(however a connection ends its place is free) {
  node.options.user_connections_max = 1;
  begin();
  auto& closed = connect(0, "ann");
  closed->enter([&] { closed->close(close_code::kicked); });
  turn();
  auto& killed = connect(0, "ann");
  kill(killed.handle);
  connect(0, "ann");
  // Who was refused had none to give back.
  CHECK_EQ(open(0, "ann").close_code(), 4504);
  CHECK_EQ(open(0, "ann").close_code(), 4504);
}

CAF_TEST(who is refused is told to nobody) {
  node.options.user_connections_max = 1;
  begin();
  std::vector<std::string> lines;
  auto watcher = sys.spawn([&lines] {
    return caf::behavior{[&lines](const lifecycle_event& x) {
      lines.push_back(to_string(x.kind) + ' ' + x.name);
    }};
  });
  caf::anon_send(pool, watch_atom_v, watcher);
  turn();
  connect(0, "ann");
  open(0, "ann");
  CHECK_EQ(lines, std::vector<std::string>{"connected n-1"});
  kill(watcher);
}

END_FIXTURE_SCOPE()
