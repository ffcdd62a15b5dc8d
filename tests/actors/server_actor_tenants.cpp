// Applications and the tenants of their clients.

#include <callboard/actors/server_actor.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/tenant_space.hpp>

#include "actors/tenant_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : tenant_fixture {
  fixture() {
    server = start_server();
  }

  ~fixture() override {
    kill(server);
  }

  /// Asks the server and returns its position or error in words.
  template <class... Ts>
  std::string position_of(Ts&&... xs) {
    std::string result;
    ask(server, std::forward<Ts>(xs)...)
      .receive([&](const position& x) { result = std::to_string(x.offset); },
               [&](const caf::error& x) { result = words_of(x); });
    return result;
  }

  template <class Handle>
  static std::string result_of(Handle&& x) {
    std::string result;
    x.receive([&](const payload& y) { result = text_of(y); },
              [&](const caf::error& y) { result = words_of(y); });
    return result;
  }

  /// Spawns an actor that notes what it hears.
  caf::actor listener() {
    return sys.spawn([this] {
      return caf::behavior{
        [this](const event& x) {
          lines.push_back(x.topic + " by " + x.pattern + " from " + x.sender);
        },
        [this](const lifecycle_event& x) {
          lines.push_back(to_string(x.kind) + ' ' + x.subject + " of "
                          + x.user);
        },
      };
    });
  }

  std::vector<std::string> heard() {
    return std::exchange(lines, {});
  }

  server_handle server;
  std::vector<std::string> lines;
};

using strings = std::vector<std::string>;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(applications publish to a tenant by full names) {
  std::vector<client*> all;
  for (auto* who : {"ann of acme", "eve of other", "cid"}) {
    all.push_back(&enter(who));
    tell(*all.back(), type::subscribe, 2, "news");
  }
  CHECK_EQ(position_of(publish_atom_v, tenant_topic("acme", "news"), text("1")),
           "1");
  CHECK_EQ(told(*all[0]), "event news @1 \"1\"");
  CHECK_EQ(told(*all[1]) + told(*all[2]), "");
  CHECK_EQ(position_of(publish_atom_v, tenant_topic("other", "news"), text("2"),
                       std::string{"k"}),
           "1");
  CHECK_EQ(told(*all[1]), "event news @1 key k \"2\"");
  CHECK_EQ(position_of(publish_atom_v, std::string{"news"}, text("3")), "1");
  CHECK_EQ(told(*all[2]), "event news @1 \"3\"");
  CHECK_EQ(told(*all[0]) + told(*all[1]), "");
}

CAF_TEST(what is no full name of a topic is refused) {
  for (std::string name :
       {"$tenant/+/a", "$tenant/acme/+", "$tenant//a", "$tenant/acme",
        "$tenant/$x/a", "$tenant/acme/$user/ann", "$$tenant/acme/a",
        "$$tenant/acme/$user/ann", "$$tenant/acme/$dead/a"}) {
    MESSAGE("name " << name);
    CHECK_EQ(position_of(publish_atom_v, name, text("x")), "bad_subject");
  }
  node.options.tenant_isolation = false;
  auto full = tenant_topic("acme", "a");
  CHECK_EQ(position_of(publish_atom_v, full, text("x")), "bad_subject");
  CHECK_EQ(position_of(history_atom_v, full), "bad_subject");
  auto me = listener();
  CHECK_EQ(position_of(subscribe_atom_v, me, full), "bad_subject");
  kill(me);
}

CAF_TEST(applications listen to one tenant or to several) {
  auto me = listener();
  CHECK_EQ(position_of(subscribe_atom_v, me, tenant_topic("acme", "news")),
           "0");
  CHECK_EQ(position_of(subscribe_atom_v, me, tenant_topic("+", "#")), "0");
  CHECK_EQ(position_of(subscribe_atom_v, me, tenant_topic("#", "a")),
           "bad_subject");
  enter("ann of acme").publish("news", "hi");
  turn();
  auto lines = heard();
  std::ranges::sort(lines);
  CHECK_EQ(lines, (strings{"$tenant/acme/news by  from ann",
                           "$tenant/acme/news by $tenant/+/# from ann"}));
  enter("eve of other").publish("a/b", "hi");
  enter("cid").publish("news", "hi");
  turn();
  CHECK_EQ(heard(), strings{"$tenant/other/a/b by $tenant/+/# from eve"});
  kill(me);
}

CAF_TEST(applications are members of groups of a tenant) {
  auto me = listener();
  auto joined = [&](const std::string& topic) {
    std::string result;
    ask(server, subscribe_atom_v, me, topic, group_options{"g", {}})
      .receive([&](const position&, bool) { result = "joined"; },
               [&](const caf::error& x) { result = words_of(x); });
    return result;
  };
  CHECK_EQ(joined(tenant_topic("acme", "jobs")), "joined");
  CHECK_EQ(joined(tenant_topic("+", "jobs")), "bad_subject");
  publish(enter("ann of acme"), "jobs");
  publish(enter("eve of other"), "jobs");
  CHECK_EQ(heard(), strings{"$tenant/acme/jobs by  from ann"});
  kill(me);
}

CAF_TEST(applications read what a tenant has) {
  publish(enter("ann of acme"), "kept/a", 3);
  auto at = [&](const std::string& tenant, const std::string& topic) {
    return position_of(history_atom_v, tenant_topic(tenant, topic));
  };
  CHECK_EQ(at("acme", "kept/a"), "3");
  CHECK_EQ(at("other", "kept/a"), "0");
  CHECK_EQ(at("", "kept/a"), "0");
  CHECK_EQ(at("acme", "$user/ann"), "0");
  CHECK_EQ(at("acme", "$dead/a"), "0");
  CHECK_EQ(at("acme", "$sys/a"), "bad_subject");
  CHECK_EQ(at("+", "kept/a"), "bad_subject");
}

CAF_TEST(applications push to users of a tenant and ask them) {
  auto& one = enter("bob of acme");
  auto& two = enter("bob");
  CHECK_EQ(position_of(push_atom_v, tenant_user("acme", "bob"), text("x")),
           "1");
  CHECK_EQ(told(one), "event $user/bob @1 \"x\"");
  CHECK_EQ(told(two), "");
  CHECK_EQ(position_of(push_atom_v, std::string{"bob"}, text("y")), "1");
  CHECK_EQ(told(two), "event $user/bob @1 \"y\"");
  CHECK_EQ(told(one), "");
  for (auto* user : {"$tenant/+/bob", "$tenant/acme/", "$tenant/acme/a+"})
    CHECK_EQ(position_of(push_atom_v, std::string{user}, text("x")),
             "bad_subject");
  auto asked = ask(server, request_atom_v, tenant_user("acme", "bob"),
                   std::string{"do"}, text("?"), caf::timespan{1s});
  CHECK_EQ(told(one), "request 1 do \"?\"");
  CHECK_EQ(told(two), "");
  tell(one, type::response, 1, "", text("done"));
  CHECK_EQ(result_of(asked), "done");
}

CAF_TEST(applications ask for what clients of a tenant answer) {
  auto& one = enter("bob of acme");
  auto& two = enter("bob", 1);
  for (uint32_t shard : {0, 1}) {
    auto action = name_on(shard, 2, "sum");
    tell(one, type::register_action, 2, action);
    tell(two, type::register_action, 2, action);
    auto begin = [&](const std::string& name) {
      return ask(server, request_atom_v, name, text("?"), caf::timespan{1s});
    };
    auto words = "request " + std::to_string(shard + 1) + ' ' + action
                 + " \"?\"";
    auto of_acme = begin(tenant_action("acme", action));
    CHECK_EQ(told(one), words);
    CHECK_EQ(told(two), "");
    auto of_none = begin(tenant_action("", action));
    CHECK_EQ(told(two), words);
    tell(one, type::response, shard + 1, "", text("1"));
    tell(two, type::response, shard + 1, "", text("2"));
    CHECK_EQ(result_of(of_acme), "1");
    CHECK_EQ(result_of(of_none), "2");
    CHECK_EQ(result_of(begin(tenant_action("other", action))), "no_responder");
  }
}

CAF_TEST(whoever watches is told full names) {
  auto me = listener();
  caf::anon_send(pool, watch_atom_v, me);
  turn();
  auto& ann = enter("ann of acme");
  tell(ann, type::subscribe, 2, "a/+");
  tell(ann, type::unsubscribe, 3, "a/+");
  join(ann, "jobs");
  leave(ann, "jobs");
  enter("cid");
  CHECK_EQ(heard(), (strings{"connected  of $tenant/acme/ann",
                             "subscribed $tenant/acme/a/+ of $tenant/acme/ann",
                             "unsubscribed $tenant/acme/a/+ of "
                             "$tenant/acme/ann",
                             "subscribed $tenant/acme/jobs of $tenant/acme/ann",
                             "unsubscribed $tenant/acme/jobs of "
                             "$tenant/acme/ann",
                             "connected  of cid"}));
  kill(me);
}

END_FIXTURE_SCOPE()
