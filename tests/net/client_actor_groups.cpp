// The client as an actor: who is in a topic, and members of groups.

#include <callboard/net/client_actor.hpp>

#include <algorithm>

#include "net/client_actor_fixture.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct fixture : client_actor_fixture {
  // The members clear `promises`, so they end first.
  ~fixture() override {
    for (auto& x : listeners)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    run();
  }

  // Spawns a member that keeps what it is to say of each event.
  caf::actor worker(const std::string& name) {
    auto result = sys.spawn(
      [this, name](caf::event_based_actor* me) -> caf::behavior {
        // A promise does not outlive its actor.
        me->attach_functor([this] { promises.clear(); });
        return {
          [this, name, me](const event& x) -> caf::result<void> {
            log.push_back(name + " event " + x.group + '/' + x.topic + '@'
                          + std::to_string(x.offset) + 'x'
                          + std::to_string(x.attempt));
            promises.push_back(me->make_response_promise<void>());
            return promises.back();
          },
          [this](uint64_t i, caf::error& why) {
            if (why)
              promises[i].deliver(std::move(why));
            else
              promises[i].deliver();
          },
          [this, name](const std::string& topic, const callboard::position& x) {
            log.push_back(name + " gap " + topic + '@'
                          + std::to_string(x.offset));
          },
          [this, name](unsubscribe_atom, const std::string& topic,
                       const callboard::position& x) {
            log.push_back(name + " lost " + topic + '@'
                          + std::to_string(x.offset));
          },
        };
      });
    listeners.push_back(result);
    return result;
  }

  // Lets a member say of the event that came as the `i`th what is to be said;
  // no error: that it is done with.
  void reply(const caf::actor& who, uint64_t i, caf::error why = {}) {
    caf::anon_send(who, i, std::move(why));
    run();
  }

  auto ask_to_join(const caf::actor& who, callboard::position since = {}) {
    return ask(subscribe_atom_v, who, "t", group_options{"g", since});
  }

  // Writes down where a group goes on.
  template <class Handle>
  void note_place(Handle&& x) {
    x.receive(
      [this](const callboard::position& at, bool whole) {
        log.push_back("at " + std::to_string(at.offset)
                      + (whole ? " whole" : ""));
      },
      [this](const caf::error& why) { log.push_back(details(why).name); });
  }

  void join(const caf::actor& who) {
    auto answer = ask_to_join(who);
    port->on_joined(subscribed{{"e", 4}, true});
    run();
    note_place(answer);
    take_log();
  }

  void give(uint64_t number, uint64_t offset) {
    auto body = payload::pack(1);
    event_view x;
    x.topic = "t";
    x.offset = offset;
    x.attempt = 1;
    x.body = body.view();
    port->give(number, x);
    run();
  }

  void subscribe_with_presence(const caf::actor& who) {
    auto answer = ask(subscribe_atom_v, presence_atom_v, who, "t");
    port->on_subscribed(subscribed{{"e", 4}});
    run();
    note(answer);
  }

  std::vector<caf::typed_response_promise<void>> promises;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_actor_groups_tests, fixture)

// -- groups -------------------------------------------------------------------

CAF_TEST(a member confirms when it answers) {
  auto a = worker("a");
  auto answer = ask_to_join(a, {"e", 3});
  CAF_CHECK_EQUAL(take_log(), lines{"join t g@3"});
  port->on_joined(subscribed{{"e", 4}, true});
  run();
  note_place(answer);
  CAF_CHECK_EQUAL(take_log(), lines{"at 4 whole"});
  give(7, 5);
  give(8, 6);
  CAF_CHECK_EQUAL(take_log(), (lines{"a event g/t@5x1", "a event g/t@6x1"}));
  reply(a, 1, caf::make_error(errc::overloaded));
  reply(a, 0);
  CAF_CHECK_EQUAL(take_log(), (lines{"reject 8", "confirm 7"}));
}

CAF_TEST(a client is one member of a group) {
  join(worker("a"));
  note_place(ask_to_join(worker("b")));
  CAF_CHECK_EQUAL(take_log(), lines{"already_subscribed"});
}

CAF_TEST(who is refused is no member) {
  auto answer = ask_to_join(worker("a"));
  port->on_joined(caf::make_error(errc::forbidden));
  run();
  take_log();
  note_place(answer);
  CAF_CHECK_EQUAL(take_log(), lines{"forbidden"});
  ask_to_join(worker("b"));
  CAF_CHECK_EQUAL(take_log(), lines{"join t g"});
}

CAF_TEST(a member that ends leaves and gives back what it had) {
  auto a = worker("a");
  join(a);
  give(7, 5);
  take_log();
  caf::anon_send_exit(a, caf::exit_reason::kill);
  run();
  auto said = take_log();
  std::sort(said.begin(), said.end());
  CAF_CHECK_EQUAL(said, (lines{"leave t g", "reject 7"}));
  // What comes meanwhile is for another one.
  give(8, 6);
  CAF_CHECK_EQUAL(take_log(), lines{"reject 8"});
}

CAF_TEST(a member leaves) {
  auto a = worker("a");
  join(a);
  ask(unsubscribe_atom_v, worker("b"), "t", "g");
  CAF_CHECK_EQUAL(take_log(), lines{});
  ask(unsubscribe_atom_v, a, "t", "g");
  CAF_CHECK_EQUAL(take_log(), lines{"leave t g"});
}

CAF_TEST(a gap of a group is its member s alone) {
  auto a = worker("a");
  auto b = listener("b");
  join(a);
  subscribe(b, 4);
  take_log();
  port->handlers.on_gap({"t", "history exceeded", {"e", 9}, "g"});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a gap t@9"});
  port->handlers.on_gap({"t", "events lost", {"e", 8}});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"b gap t@8"});
}

CAF_TEST(a membership that is lost is told) {
  join(worker("a"));
  port->on_member_lost(caf::make_error(errc::forbidden));
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a lost t@4"});
  join(worker("b"));
  port->ended({});
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"port gone", "b lost t@4"}));
}

// -- presence -----------------------------------------------------------------

CAF_TEST(those who asked hear who comes and who goes) {
  auto a = listener("a");
  subscribe_with_presence(a);
  CAF_CHECK_EQUAL(take_log(), (lines{"subscribe t presence", "at 4"}));
  note(ask(subscribe_atom_v, listener("b"), "t"));
  note(ask(subscribe_atom_v, presence_atom_v, listener("c"), "t"));
  take_log();
  using kind = presence_note::kind;
  port->on_presence(
    {"t", {{kind::join, "ann", "n-1"}, {kind::leave, "", "n-z"}}});
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"a presence t +ann/1 -/35",
                                     "c presence t +ann/1 -/35"}));
  ask(unsubscribe_atom_v, a, "t");
  port->on_presence({"t", {{kind::join, "ann", "n-1"}, {}}});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"c presence t reset"});
}

CAF_TEST(presence has to be asked for first) {
  subscribe(listener("a"), 4);
  take_log();
  note(ask(subscribe_atom_v, presence_atom_v, listener("b"), "t"));
  CAF_CHECK_EQUAL(take_log(), lines{"already_subscribed"});
}

CAF_TEST(after a reconnect who is there is asked for again) {
  subscribe_with_presence(listener("a"));
  take_log();
  port->handlers.on_recovered("t", {"e", 4});
  run();
  CAF_CHECK_EQUAL(take_log(), lines{"a presence t reset"});
  port->handlers.on_gap({"t", "not_recovered", {"e", 9}});
  run();
  CAF_CHECK_EQUAL(take_log(), (lines{"a gap t@9", "a presence t reset"}));
}

CAF_TEST(members are counted and listed) {
  auto count = ask(presence_atom_v, "t");
  CAF_CHECK_EQUAL(take_log(),
                  lines{R"(request callboard.presence_count {"topic":"t"})"});
  port->on_answer(*payload::from_json(R"({"members":2,"connections":3})"));
  run();
  count.receive(
    [](const presence_count& x) {
      CAF_CHECK(x == (presence_count{2, 3}));
    },
    [](const caf::error& x) { CAF_FAIL(x); });
  auto page = ask(presence_atom_v, "t", uint32_t{10}, "x");
  port->on_answer(*payload::from_json(
    R"({"members":[{"user":"ann","connections":["n-1","n-10"]}],"next":"y"})"));
  run();
  page.receive(
    [](const presence_page& x) {
      CAF_REQUIRE_EQUAL(x.members.size(), 1u);
      CAF_CHECK(x.members[0] == (presence_member{"ann", {1, 36}}));
      CAF_CHECK_EQUAL(x.next, "y");
    },
    [](const caf::error& x) { CAF_FAIL(x); });
}

CAF_TEST_FIXTURE_SCOPE_END()
