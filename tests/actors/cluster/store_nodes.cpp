#include <callboard/actors/cluster/store_nodes.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

using strings = std::vector<std::string>;

topic_rule a_rule(const std::string& pattern, durability x) {
  topic_rule result{pattern, {}};
  result.options.durability = x;
  return result;
}

const std::vector<topic_rule> rules{
  a_rule("orders/test", durability::none),
  a_rule("orders/+", durability::disk),
  a_rule("ram/#", durability::memory),
  a_rule("+/a", durability::none),
};

} // namespace

CAF_TEST(they keep what is durable by the rules) {
  store_nodes x{{"a"}, rules};
  for (auto* topic : {"orders/1", "orders/a", "ram/a/b", "ram/a"})
    CHECK(x.keep(topic));
  for (auto* topic : {"orders/test", "orders", "news", "x/a", ""})
    CHECK(!x.keep(topic));
  CHECK(!(store_nodes{{"a"}, {}}.keep("orders/1")));
}

CAF_TEST(the order of the names does not matter) {
  store_nodes x{{"b", "c", "a"}, rules};
  store_nodes y{{"c", "a", "b"}, {}};
  CHECK_EQ(x.names(), (strings{"a", "b", "c"}));
  CHECK_EQ(x.digest(), y.digest());
  for (int i = 0; i < 100; ++i) {
    auto topic = "orders/" + std::to_string(i);
    REQUIRE_EQ(x.owner_of(topic), y.owner_of(topic));
  }
}

CAF_TEST(other names have another digest) {
  auto digest = [](const strings& names) {
    return store_nodes{names, {}}.digest();
  };
  CHECK(digest({"a"}) != 0);
  CHECK(digest({"a"}) != digest({"b"}));
  CHECK(digest({"a", "b"}) != digest({"a"}));
  CHECK(digest({"a", "b"}) != digest({"ab"}));
  CHECK(digest({"a", "bc"}) != digest({"ab", "c"}));
}

// Each node has to look for a topic at the same one, also after an update: what
// is on its disk does not move.
CAF_TEST(owners stay as they are) {
  store_nodes x{{"a", "b", "c", "node-1", "node-2"}, rules};
  CHECK_EQ(x.owner_of("news"), 4u);
  CHECK_EQ(x.owner_of("chat/1"), 0u);
  CHECK_EQ(x.owner_of("chat/2"), 1u);
  CHECK_EQ(x.owner_of("chat/4"), 2u);
}

CAF_TEST(what has no say in durability does not count) {
  auto same = [](std::vector<topic_rule> x) {
    return durable_rules(x) == durable_rules(rules);
  };
  auto changed = rules;
  CHECK(same(changed));
  changed[1].options.history_size = 7;
  changed[0].options.presence = true;
  CHECK(same(changed));
  // Behind all that are durable, or apart from these.
  changed.push_back(a_rule("orders/2", durability::none));
  changed.insert(changed.begin(), a_rule("news/+", durability::none));
  CHECK(same(changed));
  changed.erase(changed.begin() + 4);
  CHECK(same(changed));
}

CAF_TEST(what has a say in durability does) {
  auto differs = [](size_t at, const topic_rule& x) {
    auto changed = rules;
    changed.insert(changed.begin() + static_cast<ptrdiff_t>(at), x);
    return durable_rules(changed) != durable_rules(rules);
  };
  CHECK(differs(0, a_rule("orders/2", durability::none)));
  CHECK(differs(0, a_rule("+/2", durability::none)));
  CHECK(differs(2, a_rule("ram/a/+", durability::none)));
  CHECK(!differs(3, a_rule("ram/a/+", durability::none)));
  CHECK(differs(4, a_rule("news", durability::disk)));
  auto changed = rules;
  changed[1].options.durability = durability::memory;
  CHECK(durable_rules(changed) != durable_rules(rules));
  changed = rules;
  changed.erase(changed.begin());
  CHECK(durable_rules(changed) != durable_rules(rules));
  CHECK(durable_rules({}).empty());
}

CAF_TEST(who votes about a topic is found by the same hashing) {
  const strings names{"a", "b", "c", "d", "e"};
  auto copied = a_rule("orders/+", durability::disk);
  auto kept_by = [&](const strings& among, uint32_t replicas) {
    copied.options.replicas = replicas;
    return store_nodes{among, {copied}};
  };
  auto one = kept_by(names, 1);
  auto two = kept_by(names, 2);
  auto three = kept_by(names, 3);
  for (int i = 0; i < 100; ++i) {
    auto topic = "orders/" + std::to_string(i);
    auto found = two.voters_of(topic);
    REQUIRE_EQ(found.keepers, 2u);
    REQUIRE_EQ(found.voters, 3u);
    REQUIRE_EQ(found.places[0], two.owner_of(topic));
    REQUIRE(three.voters_of(topic).places == found.places);
    REQUIRE_EQ(three.voters_of(topic).keepers, 3u);
    REQUIRE_EQ(one.voters_of(topic).voters, 1u);
    REQUIRE_EQ(one.voters_of(topic).places[0], found.places[0]);
    // The next one is the owner where the first one is none.
    auto others = names;
    others.erase(others.begin() + found.places[0]);
    auto next = store_nodes{others, {copied}}.owner_of(topic);
    REQUIRE_EQ(others[next], names[found.places[1]]);
  }
}

CAF_TEST(nobody votes where there is one copy) {
  auto copied = a_rule("orders/+", durability::disk);
  copied.options.replicas = 2;
  auto ram = a_rule("ram/#", durability::memory);
  ram.options.replicas = 2;
  CHECK_EQ((store_nodes{{"a"}, {copied}}.voters_of("orders/1").voters), 1u);
  CHECK_EQ((store_nodes{{"a", "b"}, {copied}}.voters_of("orders/1").voters),
           2u);
  CHECK_EQ((store_nodes{{"a", "b"}, {ram}}.voters_of("ram/1").voters), 1u);
  CHECK_EQ((store_nodes{{"a", "b"}, {ram}}.voters_of("news").keepers), 0u);
}
