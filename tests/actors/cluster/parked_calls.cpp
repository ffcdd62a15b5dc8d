#include <callboard/actors/cluster/parked_calls.hpp>

#include <string>
#include <utility>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

using strings = std::vector<std::string>;

namespace {

struct fixture {
  parked_calls::call note(const std::string& name) {
    return [this, name](errc failed) {
      made.push_back(failed == errc::none ? name : name + '!');
    };
  }

  strings take_made() {
    return std::exchange(made, {});
  }

  static constexpr auto here = ~uint32_t{0};

  strings made;
  parked_calls x{{3, 100}};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(calls are made in order and those that came back first) {
  x.add(here, "t", 1, note("1"));
  x.add_returned(here, "t", 1, note("2"));
  x.add_returned(here, "u", 1, note("3"));
  CHECK(made.empty());
  x.make_all(errc::none);
  CHECK_EQ(take_made(), (strings{"2", "3", "1"}));
  x.make_all(errc::none);
  CHECK(made.empty());
}

CAF_TEST(one call more than there may be is refused) {
  for (auto* name : {"1", "2", "3"})
    x.add(here, "t", 1, note(name));
  CHECK(made.empty());
  CHECK(!x.has_room(1));
  x.add(here, "t", 1, note("4"));
  x.add_returned(here, "t", 1, note("5"));
  CHECK_EQ(take_made(), (strings{"4!", "5!"}));
  x.make_all(errc::none);
  CHECK_EQ(take_made(), (strings{"1", "2", "3"}));
  CHECK(x.has_room(1));
}

CAF_TEST(what leaves half of the room to others is not let in behind them) {
  CHECK(x.has_half(50));
  CHECK(!x.has_half(51));
  x.add(here, "t", 1, note("1"));
  CHECK(!x.has_half(1));
  CHECK(x.has_room(1));
}

CAF_TEST(one byte more than there may be is refused) {
  x.add(here, "t", 60, note("1"));
  x.add(here, "t", 41, note("2"));
  CHECK_EQ(take_made(), strings{"2!"});
  x.add(here, "t", 40, note("3"));
  CHECK(made.empty());
  x.make_all(errc::none);
  CHECK_EQ(take_made(), (strings{"1", "3"}));
  CHECK(x.has_room(100));
}

CAF_TEST(some are made and others wait on) {
  x.add(1, "t", 50, note("1"));
  x.add(here, "t", 1, note("2"));
  x.add(1, "u", 1, note("3"));
  x.make(errc::none, [](uint32_t slot, const std::string& topic) {
    return slot == 1 && topic == "t";
  });
  CHECK_EQ(take_made(), strings{"1"});
  CHECK(x.has_room(98));
  CHECK(!x.has_room(99));
  x.make_all(errc::internal);
  CHECK_EQ(take_made(), (strings{"2!", "3!"}));
}

CAF_TEST(a call may let another one wait) {
  x.add(here, "t", 1, [this](errc) { x.add(here, "t", 1, note("later")); });
  x.make_all(errc::none);
  CHECK(made.empty());
  CHECK_EQ(x.size(), 1u);
  x.make_all(errc::none);
  CHECK_EQ(take_made(), strings{"later"});
}

CAF_TEST(what a node asked for is forgotten with it) {
  x.add(1, "t", 1, note("1"));
  x.add(2, "t", 1, note("2"));
  x.add(1, "u", 1, note("3"));
  x.drop(1, [](const std::string& topic) { return topic == "t"; });
  x.make_all(errc::none);
  CHECK_EQ(take_made(), (strings{"2", "3"}));
}

CAF_TEST(calls are cancelled by topic and tag) {
  x.add(here, "t", 50, note("1"), 7);
  x.add(here, "u", 1, note("2"), 7);
  x.add(here, "t", 1, note("3"));
  x.cancel("t", 7);
  CHECK(x.has_room(98));
  x.make_all(errc::none);
  CHECK_EQ(take_made(), (strings{"2", "3"}));
}

END_FIXTURE_SCOPE()
