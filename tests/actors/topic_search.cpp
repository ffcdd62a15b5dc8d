#include <callboard/actors/topic_search.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

/// Offers topics one by one, as a table would.
std::string search(topic_query what, const std::vector<std::string>& names) {
  topic_search x{std::move(what)};
  for (auto& name : names)
    if (x.wants(name))
      x.add({name, "e", 1, 0, 0, 0});
  auto page = x.take();
  std::string result;
  for (auto& topic : page.topics)
    result += topic.topic + ' ';
  return result + "next " + page.next;
}

} // namespace

CAF_TEST(it finds the first ones in order) {
  CHECK_EQ(search({"", 2, ""}, {"d", "b", "c", "a"}), "a b next b");
  CHECK_EQ(search({"", 4, ""}, {"d", "b", "c", "a"}), "a b c d next ");
  CHECK_EQ(search({"", 3, ""}, {"d", "b", "c", "a"}), "a b c next c");
  CHECK_EQ(search({"", 3, ""}, {}), "next ");
}

CAF_TEST(it goes on behind a name) {
  CHECK_EQ(search({"b", 2, ""}, {"d", "b", "c", "a"}), "c d next ");
  CHECK_EQ(search({"b", 1, ""}, {"d", "b", "c", "a"}), "c next c");
  CHECK_EQ(search({"bb", 2, ""}, {"d", "b", "c", "a"}), "c d next ");
  CHECK_EQ(search({"d", 2, ""}, {"d", "b", "c", "a"}), "next ");
}

CAF_TEST(a pattern chooses) {
  std::vector<std::string> names{"a/x", "b", "a/y", "$user/a"};
  CHECK_EQ(search({"", 9, "a/+"}, names), "a/x a/y next ");
  CHECK_EQ(search({"", 9, "b"}, names), "b next ");
  CHECK_EQ(search({"", 9, "#"}, names), "a/x a/y b next ");
  CHECK_EQ(search({"", 9, ""}, names), "$user/a a/x a/y b next ");
}

CAF_TEST(a topic that comes again is there once) {
  CHECK_EQ(search({"", 2, ""}, {"a", "b", "a", "b"}), "a b next ");
}

CAF_TEST(a page is bounded) {
  std::vector<std::string> names;
  for (auto i = 1000; i < 2002; ++i)
    names.push_back(std::to_string(i));
  CHECK(search({"", 0, ""}, names) == "1000 next 1000");
  CHECK(search({"", 1000, ""}, names).ends_with(" next 1999"));
  CHECK(search({"", 1001, ""}, names).ends_with(" next 1999"));
}

CAF_TEST(what was found can be forgotten) {
  topic_search x{{"", 2, ""}};
  x.add({"a", "e", 1, 0, 0, 0});
  x.clear();
  x.add({"b", "e", 2, 0, 0, 0});
  auto page = x.take();
  REQUIRE(page.topics.size() == 1u);
  CHECK_EQ(page.topics[0].topic, "b");
  CHECK_EQ(page.topics[0].offset, 2u);
}
