// Which publications of clients are refused by a topic's rule.

#include <callboard/actors/publish_screen.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  std::string refuse(std::string_view topic, size_t bytes = 0) {
    auto why = screen.refuse(topic, bytes);
    return why ? std::string{to_string(*why)} : std::string{};
  }

  void assign(std::vector<topic_rule> x) {
    rules = std::move(x);
    screen.assign(rules);
  }

  std::vector<topic_rule> rules;
  publish_screen screen;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(it is empty unless a rule refuses something) {
  CHECK(screen.empty());
  assign({{"#", {.history_size = 5, .publish_rate = 1}}});
  CHECK(screen.empty());
  CHECK_EQ(refuse("a", 1'000'000), "");
  assign({{"a", {}}, {"b", {.payload_bytes_max = 1}}});
  CHECK(!screen.empty());
  assign({{"a", {.publishers = publishers::server}}});
  CHECK(!screen.empty());
  assign({});
  CHECK(screen.empty());
  CHECK_EQ(refuse("a"), "");
}

CAF_TEST(payloads are refused from one byte past the bound) {
  assign({{"a/#", {.payload_bytes_max = 10}}});
  CHECK_EQ(refuse("a/b", 10), "");
  CHECK_EQ(refuse("a/b", 11), "payload_bytes");
  CHECK_EQ(refuse("b", 11), "");
}

CAF_TEST(clients do not publish where only the server does) {
  assign({{"a", {.payload_bytes_max = 1, .publishers = publishers::server}}});
  CHECK_EQ(refuse("a", 0), "publishers");
  CHECK_EQ(refuse("a", 2), "publishers");
  CHECK_EQ(refuse("b", 2), "");
}

CAF_TEST(the first rule that matches counts and no other) {
  assign({{"a/b", {}},
          {"a/+", {.publishers = publishers::server}},
          {"#", {.payload_bytes_max = 10}},
          {"c", {.publishers = publishers::server}},
          {"$user/+", {.payload_bytes_max = 5}},
          {"a/+", {}}});
  CHECK_EQ(refuse("a/b", 11), "");
  CHECK_EQ(refuse("a/c", 0), "publishers");
  CHECK_EQ(refuse("c", 0), "");
  CHECK_EQ(refuse("c", 11), "payload_bytes");
  // Wildcards match no name that begins with $.
  CHECK_EQ(refuse("$dead/x", 11), "");
  CHECK_EQ(refuse("$user/ann", 6), "payload_bytes");
  CHECK(screen.find("a/b") == &rules[0].options);
  CHECK(screen.find("$dead/x") == nullptr);
}

END_FIXTURE_SCOPE()
