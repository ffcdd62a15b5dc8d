// Topics with replicas of several nodes, each with a store of its own.

#include <callboard/actors/cluster/topic_replicas.hpp>

#include <string>
#include <utility>

#include "store/replica_nodes.hpp"

#include "support/test.hpp"

using namespace callboard;

BEGIN_FIXTURE_SCOPE(replica_nodes)

CAF_TEST(a topic goes on at the next keeper) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  CHECK_EQ(at(0).heard(), "begun " + topic);
  append(0, topic);
  append(0, topic);
  CHECK_EQ(at(0).heard(), "1; 2");
  CHECK_EQ(kept(2, topic), offsets({1, 2}));
  lose(0);
  lead(1, topic);
  CHECK_EQ(at(1).heard(), "begun " + topic);
  append(1, topic);
  CHECK_EQ(at(1).heard(), "3");
  CHECK_EQ(kept(2, topic), offsets({1, 2, 3}));
  CHECK_EQ(kept(0, topic), offsets({1, 2}));
  bring_back(0);
  CHECK_EQ(kept(0, topic), offsets({1, 2, 3}));
  // The first one owns it again.
  at(1).topics->release(topic);
  lead(0, topic);
  CHECK_EQ(at(0).heard(), "begun " + topic);
  append(0, topic);
  CHECK_EQ(at(0).heard(), "4");
  CHECK_EQ(kept(1, topic), offsets({1, 2, 3, 4}));
}

CAF_TEST(groups stand at the next keeper where they stood) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  append(0, topic);
  at(0).heard();
  place(0, topic, 1);
  CHECK_EQ(at(0).heard(), "placed 1");
  CHECK_EQ(placed(1, topic), 1u);
  CHECK(at(1).store.groups_of(topic) == at(0).store.groups_of(topic));
  lose(0);
  lead(1, topic);
  at(1).heard();
  append(1, topic);
  place(1, topic, 2);
  CHECK_EQ(at(1).heard(), "2; placed 2");
  bring_back(0);
  CHECK_EQ(placed(0, topic), 2u);
}

CAF_TEST(what is not on two disks is not acknowledged) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(1).store.at_once = false;
  append(0, topic);
  CHECK_EQ(at(0).heard(), "");
  at(1).store.commit();
  settle();
  CHECK_EQ(at(0).heard(), "1");
  CHECK_EQ(kept(2, topic), offsets({}));
}

CAF_TEST(two copies go on with a witness) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  append(0, topic);
  lose(0);
  lead(1, topic);
  CHECK_EQ(at(1).heard(), "begun " + topic);
  CHECK(at(1).topics->served() == std::pair(size_t{1}, size_t{1}));
  append(1, topic);
  CHECK_EQ(at(1).heard(), "2");
  // It begins a term with who is back.
  bring_back(0);
  CHECK_EQ(at(1).heard(), "lost " + topic + "; begun " + topic);
  CHECK(at(1).topics->served() == std::pair(size_t{1}, size_t{0}));
  CHECK_EQ(kept(0, topic), offsets({1, 2}));
}

CAF_TEST(a node that is cut off serves nothing) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(0).topics->install(1, 6);
  settle();
  CHECK_EQ(at(0).heard(), "lost " + topic + "; lost " + topic);
  CHECK(!at(0).topics->leads(topic));
}

CAF_TEST(a failing disk takes a node out) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(0).store.broken = true;
  append(0, topic);
  CHECK_EQ(at(0).heard(), "lost " + topic);
  CHECK_EQ(at(0).topics->size(), 0u);
  at(0).store.broken = false;
  lead(0, topic);
  CHECK_EQ(at(0).heard(), "begun " + topic);
  // The other one had it already.
  CHECK_EQ(kept(0, topic), offsets({1}));
}

CAF_TEST(a keeper that cannot write is gone on without) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(1).store.broken = true;
  append(0, topic);
  CHECK_EQ(at(0).heard(), "");
  for (uint32_t i = 0;
       i < topic_replica::stalled_max + topic_replica::patience_max; ++i) {
    at(0).topics->tick();
    settle();
  }
  CHECK_EQ(at(0).heard(), "lost " + topic + "; begun " + topic);
  CHECK(at(0).topics->served().second == 1);
}

CAF_TEST(long histories come by pages) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  lose(1);
  auto n = topic_replicas::page_events_max * 2 + 5;
  for (size_t i = 0; i < n; ++i)
    append(0, topic);
  bring_back(1);
  CHECK_EQ(kept(1, topic).size(), n);
}

CAF_TEST(who waits for a copy with much to fetch is told so) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  lose(0);
  lead(1, topic);
  auto n = topic_replicas::page_events_max * 2 * topic_replicas::late_max;
  for (size_t i = 0; i < n; ++i)
    append(1, topic);
  at(1).topics->release(topic);
  bring_back(0);
  at(0).heard();
  at(0).topics->lead(topic);
  for (uint32_t i = 1; i <= topic_replicas::late_max; ++i) {
    CHECK_EQ(at(0).heard(), "");
    at(0).topics->tick();
    step();
  }
  CHECK_EQ(at(0).heard(), "lost " + topic);
  // It goes on nevertheless.
  CHECK(kept(0, topic).size() < n);
  settle();
  CHECK_EQ(at(0).heard(), "begun " + topic);
  CHECK_EQ(kept(0, topic).size(), n);
}

CAF_TEST(what nobody uses is forgotten) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  append(0, topic);
  CHECK_EQ(at(1).topics->size(), 1u);
  for (auto i = 0; i < 2; ++i) {
    for (uint32_t j = 0; j < 3; ++j)
      at(j).topics->tick();
    settle();
  }
  CHECK_EQ(at(0).topics->size(), 1u);
  CHECK_EQ(at(1).topics->size(), 0u);
  // It is made of what is on the disk.
  at(0).heard();
  append(0, topic);
  CHECK_EQ(at(0).heard(), "2");
  CHECK_EQ(kept(1, topic), offsets({1, 2}));
  at(0).topics->release(topic);
  for (auto i = 0; i < 2; ++i)
    at(0).topics->tick();
  CHECK_EQ(at(0).topics->size(), 0u);
}

CAF_TEST(there are no more than may be) {
  for (auto i = 0; i < 5; ++i)
    at(0).topics->lead("three/" + std::to_string(i));
  CHECK_EQ(at(0).topics->size(), 4u);
  CHECK_EQ(at(0).heard(), "lost three/4");
}

CAF_TEST(who has no vote takes no part) {
  auto topic = topic_of("two/", 0, 1);
  lead(2, topic);
  CHECK_EQ(at(2).heard(), "lost " + topic);
  at(0).topics->take(1, "one/a", {});
  CHECK_EQ(at(0).topics->size(), 0u);
}

CAF_TEST(a call that does not exist is no frame) {
  caf::byte_buffer buffer;
  replica_message x;
  x.what = static_cast<replica_call>(200);
  append_frame(buffer, boxed("t", x));
  frame_source source{buffer};
  peer_frame number;
  peer_replica frame;
  REQUIRE(source.next(number));
  CHECK(!source.read(frame));
}

END_FIXTURE_SCOPE()
