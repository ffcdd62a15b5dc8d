// That a topic goes on as soon as it can, whatever was lost.

#include <callboard/actors/cluster/topic_replica.hpp>

#include <algorithm>
#include <vector>

#include <caf/make_counted.hpp>

#include "actors/cluster/replica_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using values = std::vector<int64_t>;

namespace {

// Lets a copy lack one event while so many follow it, which cost so much in
// all. Returns whether all of them are there when that one has come.
bool has_kept(size_t count, int64_t cost) {
  topic_replica copy{{1, 2, 2}, {}};
  replica_message x;
  x.keepers = 2;
  x.term = 4;
  x.head = 1;
  x.epoch = "e1";
  x.what = replica_call::begin;
  copy.take(0, x);
  copy.written();
  x.what = replica_call::append;
  auto events = std::vector<publication_ptr>(count + 1);
  for (auto& event : events) {
    event = caf::make_counted<publication>();
    event->offset = static_cast<uint64_t>(&event - events.data()) + 1;
  }
  auto bare = static_cast<int64_t>(count) * events[0]->cost();
  if (cost > bare)
    events[1]->sender.assign(static_cast<size_t>(cost - bare), 'x');
  for (size_t n = 1; n <= count; ++n) {
    x.head = n + 1;
    x.events = {events[n]};
    copy.take(0, x);
  }
  x.what = replica_call::events;
  x.first = 1;
  x.events = {events[0]};
  copy.take(0, x);
  return copy.head() == count + 1;
}

} // namespace

BEGIN_FIXTURE_SCOPE(replica_fixture)

CAF_TEST(a new topic goes on although its first owner is lost at once) {
  replica_world fresh{3, 3};
  fresh.all_present(7);
  fresh.lead(0);
  // Both are asked, and vote.
  fresh.deliver(0);
  fresh.deliver(0);
  for (uint32_t i = 0; i < 3; ++i)
    fresh.write(i);
  fresh.deliver(0);
  fresh.deliver(0);
  fresh.write(0);
  // One of them hears that the term has begun, and writes that once.
  REQUIRE_EQ(fresh.network.size(), 2u);
  REQUIRE(fresh.network[0].what.what == replica_call::begin);
  fresh.deliver(0);
  fresh.write(1, 1);
  fresh.crash(0);
  fresh.crash(1);
  fresh.network.clear();
  fresh.start(1);
  fresh.all_present(6);
  fresh.settle();
  fresh.lead(1);
  fresh.settle();
  CHECK(fresh.at(1).leads());
  CHECK_EQ(fresh.oracle.trouble, "");
}

CAF_TEST(who was catching up goes on with who was level before) {
  three.append(0);
  three.settle();
  // One misses a term of the two others.
  three.crash(2);
  three.network.clear();
  three.all_present(3);
  three.settle();
  three.rest(0);
  three.lead(0);
  three.settle();
  three.append(0);
  three.append(0);
  three.settle();
  three.rest(0);
  three.start(2);
  three.all_present(7);
  three.lead(0);
  // It is cut for the next one, of which the other one does not hear.
  auto to_other = [](auto& x) {
    return x.to == 1 && x.what.what == replica_call::begin;
  };
  for (auto i = 0; i < 100 && three.sites[2].record.whole(); ++i) {
    std::erase_if(three.network, to_other);
    if (!three.network.empty())
      three.deliver(0);
    for (uint32_t j = 0; j < 3; ++j)
      three.write(j, 1);
  }
  CHECK(!three.sites[2].record.whole());
  take_over(three);
  CHECK(three.at(1).leads());
  CHECK_EQ(three.values(1), values({1, 2, 3}));
  CHECK_EQ(three.values(2), values({1, 2, 3}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(what comes too early is bounded by number and bytes) {
  CHECK(has_kept(topic_replica::early_max, 0));
  CHECK(!has_kept(topic_replica::early_max + 1, 0));
  CHECK(has_kept(3, topic_replica::early_bytes_max));
  CHECK(!has_kept(3, topic_replica::early_bytes_max + 1));
}

CAF_TEST(an answer that is lost is asked for) {
  auto term = three.at(0).term();
  three.append(0);
  while (!three.network.empty())
    three.deliver(0);
  for (uint32_t i = 0; i < 3; ++i)
    three.write(i);
  three.network.clear();
  CHECK_EQ(three.at(0).agreed(), 0u);
  three.tick(0);
  three.settle();
  CHECK_EQ(three.at(0).agreed(), 1u);
  CHECK_EQ(three.at(0).term(), term);
}

CAF_TEST(an owner that is alone and has much to do goes on) {
  take_over(two);
  REQUIRE(two.at(1).alone());
  auto term = two.at(1).term();
  for (uint32_t i = 0; i < 2 * topic_replica::stalled_max; ++i) {
    two.append(1);
    two.tick(1);
    two.write(1);
  }
  CHECK_EQ(two.at(1).agreed(), 2 * topic_replica::stalled_max);
  CHECK_EQ(two.at(1).term(), term);
  CHECK(!two.sites[1].lost);
}

CAF_TEST(who promises and comes to nothing is gone on without) {
  // One votes, and that is all.
  auto settle = [this] {
    auto unheard = [](auto& x) {
      return x.to == 1 && x.what.what != replica_call::ask;
    };
    for (auto busy = true; busy;) {
      std::erase_if(two.network, unheard);
      busy = !two.network.empty();
      if (busy)
        two.deliver(0);
      for (uint32_t i = 0; i < 3; ++i) {
        busy |= !two.sites[i].writes.empty();
        two.write(i);
      }
    }
  };
  two.append(0);
  settle();
  for (uint32_t i = 0; i < 2 * topic_replica::stalled_max; ++i) {
    two.tick(0);
    settle();
  }
  CHECK(two.at(0).alone());
  CHECK_EQ(two.at(0).agreed(), 1u);
  // Later it is tried again, and gets on.
  for (uint32_t i = 0; i <= topic_replica::shunned_max; ++i) {
    two.tick(0);
    two.settle();
  }
  CHECK(two.at(0).leads());
  CHECK(!two.at(0).alone());
  CHECK_EQ(two.values(1), values({1}));
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(who is outbid twice has another one to give way to) {
  three.rest(0);
  three.lead(0);
  replica_message x;
  x.what = replica_call::refuse;
  x.keepers = 3;
  for (auto still : {true, false}) {
    x.promised = three.at(0).term() + 8;
    three.network = {{1, 0, x}};
    three.deliver(0);
    CHECK_EQ(three.at(0).seeks(), still);
    CHECK_EQ(three.at(0).term() > x.promised, still);
  }
}

CAF_TEST(who takes terms and no events is gone on without) {
  two.append(0);
  for (uint32_t i = 0; i < 3 * topic_replica::stalled_max; ++i) {
    // Of what comes with events nothing gets on its disk.
    std::erase_if(two.network,
                  [](auto& x) { return x.to == 1 && !x.what.events.empty(); });
    std::erase_if(two.network, [](auto& x) {
      return x.to == 1 && x.what.what == replica_call::append;
    });
    two.settle();
    two.tick(0);
  }
  two.settle();
  CHECK(two.at(0).alone());
  CHECK_EQ(two.at(0).agreed(), 1u);
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(who votes and never is level is not waited for for ever) {
  replica_world pair{2, 2};
  pair.all_present(3);
  pair.settle();
  pair.lead(0);
  auto& letters = pair.network;
  while (letters.empty() || letters[0].what.what != replica_call::begin)
    if (!letters.empty())
      pair.deliver(0);
    else
      for (uint32_t i = 0; i < 2; ++i)
        pair.write(i);
  for (uint32_t i = 0; i < topic_replica::stalled_max; ++i, letters.clear())
    pair.tick(0);
  CHECK(!pair.at(0).seeks());
}

CAF_TEST(a log that cannot be read is looked for somewhere else) {
  take_over(three);
  three.append(1);
  three.settle();
  three.rest(1);
  three.start(0);
  three.all_present(7);
  three.settle();
  three.lead(0);
  auto unread = [this] {
    std::erase_if(three.network, [](auto& x) {
      return x.from == 1 && x.what.what == replica_call::events;
    });
  };
  for (uint32_t i = 0; i <= topic_replica::stalled_max; ++i) {
    while (!three.network.empty()) {
      three.deliver(0);
      unread();
      for (uint32_t j = 0; j < 3; ++j)
        three.write(j);
      unread();
    }
    if (three.at(0).seeks())
      three.tick(0);
  }
  CHECK(!three.at(0).leads());
  three.lead(0);
  for (auto i = 0; i < 100 && !three.at(0).leads(); ++i) {
    if (!three.network.empty())
      three.deliver(0);
    unread();
    for (uint32_t j = 0; j < 3; ++j)
      three.write(j);
    unread();
  }
  CHECK(three.at(0).leads());
  CHECK_EQ(three.values(0), values({1}));
  CHECK_EQ(three.oracle.trouble, "");
}

END_FIXTURE_SCOPE()
