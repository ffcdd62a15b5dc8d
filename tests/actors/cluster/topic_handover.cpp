#include <callboard/actors/cluster/topic_handover.hpp>

#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/peer_frames.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

publication_ptr an_event(uint64_t offset, size_t bytes = 1) {
  auto x = caf::make_counted<publication>();
  x->topic = "t";
  x->epoch = "e";
  x->offset = offset;
  x->publisher = 7;
  x->payload = payload::pack(std::string(bytes, 'x'));
  return x;
}

moved_topic a_topic() {
  moved_topic x;
  x.name = "t";
  x.epoch = "e";
  return x;
}

/// Takes a topic apart at a node whose clock shows 1000, and puts it together
/// at one whose clock shows 5000, as bytes.
struct fixture {
  std::vector<peer_handover> take_apart(moved_topic x) {
    std::vector<peer_handover> result;
    topic_sender sender{std::move(x)};
    while (!sender.done())
      result.push_back(sender.next(3, 1000));
    return result;
  }

  std::optional<moved_topic> take(const peer_handover& x) {
    caf::byte_buffer bytes;
    append_frame(bytes, x);
    frame_source source{bytes};
    peer_frame number{};
    CHECK(source.next(number));
    CHECK(number == peer_frame::handover);
    peer_handover read;
    CHECK(source.read(read));
    return receiver.take(read, 5000);
  }

  topic_receiver receiver;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a topic with nothing but its place is one part) {
  auto x = a_topic();
  x.head = 5;
  auto parts = take_apart(std::move(x));
  CAF_REQUIRE_EQUAL(parts.size(), 1u);
  CHECK_EQ(parts[0].shard, 3u);
  auto got = take(parts[0]);
  CAF_REQUIRE(got.has_value());
  CHECK_EQ(got->name, "t");
  CHECK_EQ(got->epoch, "e");
  CHECK_EQ(got->head, 5u);
  CHECK(got->ids == nullptr);
  CHECK(got->kept.empty());
  CHECK(got->retained == nullptr);
}

CAF_TEST(ids and events keep their order and their times) {
  auto x = a_topic();
  x.head = 3;
  x.ids = std::make_unique<topic_ids>();
  x.ids->add("one", 2, 1500);
  x.ids->add("two", 3, 1700);
  x.kept.add(an_event(2), 10, 900);
  x.kept.add(an_event(3), 10, 950);
  x.retained = x.kept.at(1).event;
  auto parts = take_apart(std::move(x));
  CAF_REQUIRE_EQUAL(parts.size(), 1u);
  auto got = take(parts[0]);
  CAF_REQUIRE(got.has_value());
  CAF_REQUIRE(got->ids != nullptr);
  CAF_REQUIRE_EQUAL(got->ids->order.size(), 2u);
  CHECK_EQ(*got->ids->order[0].key, "one");
  CHECK_EQ(got->ids->order[0].expires_ms, 5500);
  CHECK_EQ(got->ids->order[1].expires_ms, 5700);
  CHECK_EQ(got->ids->offsets["two"], 3u);
  CAF_CHECK_GREATER(got->ids->bytes, 0);
  CAF_REQUIRE_EQUAL(got->kept.size(), 2u);
  CHECK_EQ(got->kept.at(0).event->offset, 2u);
  CHECK_EQ(got->kept.at(0).added_ms, 4900);
  CHECK_EQ(got->kept.at(1).added_ms, 4950);
  CHECK_EQ(got->kept.at(0).event->publisher, 0u);
  // One copy for both.
  CHECK(got->retained == got->kept.at(1).event);
}

CAF_TEST(what is large goes in parts that are bounded) {
  auto x = a_topic();
  x.head = 100;
  x.ids = std::make_unique<topic_ids>();
  for (int i = 0; i < 2000; ++i)
    x.ids->add(std::string(100, 'k') + std::to_string(i), 1, 2000);
  for (uint64_t i = 1; i <= 100; ++i)
    x.kept.add(an_event(i, 10'000), 100, 0);
  auto parts = take_apart(std::move(x));
  CAF_CHECK_GREATER(parts.size(), 15u);
  std::optional<moved_topic> got;
  for (size_t i = 0; i < parts.size(); ++i) {
    caf::byte_buffer bytes;
    append_frame(bytes, parts[i]);
    CAF_CHECK_LESS(bytes.size(), 85'000u);
    CHECK_EQ(parts[i].first, i == 0);
    CHECK(!got.has_value());
    got = take(parts[i]);
  }
  CAF_REQUIRE(got.has_value());
  CHECK_EQ(got->ids->order.size(), 2000u);
  CAF_REQUIRE_EQUAL(got->kept.size(), 100u);
  for (uint64_t i = 0; i < 100; ++i)
    CHECK_EQ(got->kept.at(i).event->offset, i + 1);
}

CAF_TEST(who is there goes along in parts) {
  auto x = a_topic();
  x.room.nodes = {{"a", "1", true, false}, {"b", "2", false, true}};
  for (uint64_t i = 0; i < 2000; ++i)
    x.room.members.push_back(
      {"user" + std::to_string(i), {{0, i}, {1, i}}, i == 7});
  auto parts = take_apart(std::move(x));
  CAF_CHECK_GREATER(parts.size(), 2u);
  std::optional<moved_topic> got;
  for (auto& part : parts) {
    CHECK(!got.has_value());
    CAF_CHECK_LESS(part.members.size(), 1000u);
    got = take(part);
  }
  CAF_REQUIRE(got.has_value());
  auto& [nodes, members] = got->room;
  CAF_REQUIRE_EQUAL(nodes.size(), 2u);
  CHECK_EQ(nodes[1].name + nodes[1].incarnation, "b2");
  CHECK(nodes[0].watches && !nodes[0].missed);
  CHECK(!nodes[1].watches && nodes[1].missed);
  CAF_REQUIRE_EQUAL(members.size(), 2000u);
  for (uint64_t i = 0; i < 2000; ++i) {
    CHECK_EQ(members[i].user, "user" + std::to_string(i));
    CHECK(members[i].connections
          == (std::vector<moved_room::connection>{{0, i}, {1, i}}));
    CHECK_EQ(members[i].lingers, i == 7);
  }
}

CAF_TEST(nothing comes of a topic whose first part was missed) {
  auto large = [] {
    auto x = a_topic();
    for (uint64_t i = 1; i <= 20; ++i)
      x.kept.add(an_event(i, 10'000), 100, 0);
    return x;
  };
  auto parts = take_apart(large());
  CAF_REQUIRE(parts.size() > 2);
  for (size_t i = 1; i < parts.size(); ++i)
    CHECK(!take(parts[i]));
  // One that begins again counts from there.
  CHECK(!take(parts[0]));
  CHECK(!take(parts[1]));
  topic_sender sender{large()};
  sender.next(0, 1000);
  sender.restart();
  std::optional<moved_topic> got;
  while (!sender.done())
    got = take(sender.next(0, 1000));
  CAF_REQUIRE(got.has_value());
  CHECK_EQ(got->kept.size(), 20u);
}

CAF_TEST(parts of another topic do not count) {
  auto x = a_topic();
  for (uint64_t i = 1; i <= 20; ++i)
    x.kept.add(an_event(i, 10'000), 100, 0);
  auto parts = take_apart(std::move(x));
  CHECK(!take(parts[0]));
  for (auto& y : parts)
    y.topic = "u";
  for (size_t i = 1; i < parts.size(); ++i)
    CHECK(!take(parts[i]));
}

CAF_TEST(groups bring along what is in no history) {
  auto x = a_topic();
  x.head = 9;
  x.kept.add(an_event(8), 10, 0);
  x.kept.add(an_event(9), 10, 0);
  auto loose = an_event(3);
  x.groups.push_back(
    {"g", 9, true, false, {{loose, 2, 77}, {an_event(9), 0, 0}}});
  x.groups.push_back({"h", 5, true, true, {{loose, 1, 0}}});
  x.groups.push_back({"none", 0, false, false, {}});
  auto parts = take_apart(std::move(x));
  CAF_REQUIRE_EQUAL(parts.size(), 1u);
  // One copy for both groups, and none of what the topic has kept.
  CHECK_EQ(parts[0].groups[0].events[0].what.size(), 1u);
  CHECK(parts[0].groups[0].events[1].what.empty());
  CHECK(parts[0].groups[1].events[0].what.empty());
  auto got = take(parts[0]);
  CAF_REQUIRE(got.has_value());
  CAF_REQUIRE_EQUAL(got->groups.size(), 3u);
  auto& g = got->groups[0];
  CHECK_EQ(g.name, "g");
  CHECK_EQ(g.taken, 9u);
  CHECK(g.touched && !g.proven);
  CAF_REQUIRE_EQUAL(g.events.size(), 2u);
  CHECK_EQ(g.events[0].what->offset, 3u);
  CHECK_EQ(g.events[0].attempts, 2u);
  CHECK_EQ(g.events[0].delivery, 77u);
  CHECK(g.events[1].what == got->kept.at(1).event);
  auto& h = got->groups[1];
  CHECK(h.touched && h.proven);
  CAF_REQUIRE_EQUAL(h.events.size(), 1u);
  CHECK(h.events[0].what == g.events[0].what);
  CHECK(got->groups[2].name == "none" && got->groups[2].events.empty());
}

CAF_TEST(groups that are large go in parts that are bounded) {
  constexpr uint64_t events = 50;
  auto x = a_topic();
  x.head = events;
  for (auto* name : {"g", "h"}) {
    auto& group = x.groups.emplace_back();
    group.name = name;
    group.taken = events;
    for (uint64_t i = 1; i <= events; ++i)
      group.events.push_back({an_event(i, 10'000), 0, i});
  }
  topic_sender sender{std::move(x)};
  sender.next(0, 1000);
  sender.next(0, 1000);
  // It begins again with all that it has.
  sender.restart();
  std::optional<moved_topic> got;
  size_t parts = 0;
  for (; !sender.done(); ++parts) {
    CHECK(!got.has_value());
    auto part = sender.next(0, 1000);
    caf::byte_buffer bytes;
    append_frame(bytes, part);
    CAF_CHECK_LESS(bytes.size(), 85'000u);
    got = take(part);
  }
  CAF_CHECK_GREATER(parts, 5u);
  CAF_REQUIRE(got.has_value());
  CAF_REQUIRE_EQUAL(got->groups.size(), 2u);
  for (auto& group : got->groups) {
    CAF_REQUIRE_EQUAL(group.events.size(), events);
    for (uint64_t i = 0; i < events; ++i) {
      CHECK_EQ(group.events[i].what->offset, i + 1);
      CHECK_EQ(group.events[i].delivery, i + 1);
    }
  }
}

END_FIXTURE_SCOPE()
