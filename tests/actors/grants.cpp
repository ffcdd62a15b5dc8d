#include <callboard/actors/grants.hpp>

#include <string>

#include "support/test.hpp"

using namespace callboard;

namespace {

// What one pattern allows to subscribe.
bool allows(std::string_view pattern, std::string_view subject) {
  grants rights;
  CHECK(rights.add(operation::subscribe, pattern) == subject_error::none);
  return rights.allows(operation::subscribe, subject);
}

} // namespace

CAF_TEST(nothing is allowed by itself) {
  grants rights;
  for (auto what : {operation::subscribe, operation::publish,
                    operation::request, operation::register_action})
    for (auto subject : {"a", "a/b", "#", "+", "$user/a"})
      CHECK(!rights.allows(what, subject));
}

CAF_TEST(each operation has its own list) {
  grants rights;
  rights.add(operation::request, "a");
  CHECK(rights.allows(operation::request, "a"));
  CHECK(!rights.allows(operation::subscribe, "a"));
  CHECK(!rights.allows(operation::publish, "a"));
  CHECK(!rights.allows(operation::register_action, "a"));
}

CAF_TEST(topics are allowed by name and by pattern) {
  CHECK(allows("a", "a"));
  CHECK(!allows("a", "b"));
  CHECK(!allows("a", "a/b"));
  CHECK(!allows("a/b", "a"));
  CHECK(allows("a/+", "a/b"));
  CHECK(!allows("a/+", "a/b/c"));
  CHECK(allows("a/#", "a/b/c"));
  CHECK(!allows("a/#", "a"));
  CHECK(allows("#", "a/b"));
}

CAF_TEST(a pattern is allowed where all of its topics are) {
  CHECK(allows("a/#", "a/+"));
  CHECK(allows("a/#", "a/#"));
  CHECK(allows("a/+", "a/+"));
  CHECK(allows("+/b", "+/b"));
  CHECK(allows("#", "#"));
  CHECK(allows("+/#", "a/#"));
  // These would let in more than was allowed.
  CHECK(!allows("a/+", "a/#"));
  CHECK(!allows("+", "#"));
  CHECK(!allows("+/#", "#"));
  CHECK(!allows("a", "+"));
  CHECK(!allows("a/b", "a/+"));
  CHECK(!allows("a/+", "+/b"));
  CHECK(!allows("a/#", "+/#"));
}

CAF_TEST(names of the server need their own pattern) {
  CHECK(!allows("#", "$user/ann"));
  CHECK(!allows("+/ann", "$user/ann"));
  CHECK(!allows("#", "$dead/#"));
  CHECK(!allows("+/#", "$dead/a/+"));
  CHECK(allows("$user/+", "$user/ann"));
  CHECK(allows("$dead/#", "$dead/a/+"));
  CHECK(!allows("$user/+", "$dead/a"));
}

CAF_TEST(what is no pattern is told and allows nothing) {
  grants rights;
  CHECK(rights.add(operation::publish, "") == subject_error::empty);
  CHECK(rights.add(operation::publish, "a//b") == subject_error::empty_segment);
  CHECK(rights.add(operation::publish, "a/#/b")
        == subject_error::misplaced_wildcard);
  CHECK(rights.add(operation::publish, std::string(255, 'x'))
        == subject_error::none);
  CHECK(rights.add(operation::publish, std::string(256, 'x'))
        == subject_error::too_long);
  CHECK_EQ(rights.size(operation::publish), 1u);
  rights.add(operation::publish, std::string(255, 'x'));
  CHECK_EQ(rights.size(operation::publish), 1u);
  CHECK(rights.allows(operation::publish, std::string(255, 'x')));
}
