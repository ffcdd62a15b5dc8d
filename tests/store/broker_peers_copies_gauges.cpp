// What metrics tell of topics with copies at other nodes.

#include <callboard/actors/broker.hpp>

#include <string>

#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : durable_sites {
  // Returns what a node tells when it has looked at them again: those that it
  // serves, and those that are on its disk only.
  std::string told(size_t site) {
    for (auto& x : sites)
      x.node.pass(1s);
    settle();
    return shown(site);
  }

  // Returns what it tells now.
  std::string shown(size_t site) {
    int64_t served = 0;
    int64_t alone = 0;
    for (auto& ctx : sites[site].node.loops) {
      served += ctx->metrics.copied_topics->value();
      alone += ctx->metrics.copied_topics_alone->value();
    }
    return std::to_string(served) + " served, " + std::to_string(alone)
           + " alone";
  }

  // Lets somebody at `c` use a topic.
  // @returns which of the others has the copy, if `c` owns it and it has one.
  size_t begin(const std::string& topic) {
    auto& x = connect(2);
    subscribe(x, topic);
    publish(x, topic, "1");
    return stores[0]->events_of(topic).empty() ? 1 : 0;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a node tells of the topics that it serves) {
  CHECK_EQ(told(2), "0 served, 0 alone");
  begin(topic_of(2, 0, "copies2/"));
  begin(topic_of(2, 0, "copies3/"));
  begin(topic_of(1, 0, "copies3/"));
  begin(topic_of(1, 1, "copies2/"));
  begin(topic_of(2, 0, "disk/"));
  CHECK_EQ(told(2), "2 served, 0 alone");
  CHECK_EQ(told(1), "2 served, 0 alone");
  // It has copies, which the others serve.
  CHECK_EQ(told(0), "0 served, 0 alone");
}

CAF_TEST(a topic is alone while its only copy is away) {
  auto topic = topic_of(2, 0, "copies2/");
  auto copy = begin(topic);
  crash(copy);
  view({1 - copy, 2});
  CHECK_EQ(told(2), "1 served, 1 alone");
  view({1 - copy, 2, next_run(copy)});
  CHECK_EQ(told(2), "1 served, 0 alone");
}

CAF_TEST(a topic that has another copy is not alone) {
  begin(topic_of(2, 0, "copies3/"));
  crash(0);
  view({1, 2});
  CHECK_EQ(told(2), "1 served, 0 alone");
  crash(1);
  view({2});
  // Nor does anybody serve it.
  CHECK_EQ(told(2), "0 served, 0 alone");
}

CAF_TEST(a topic is told of by whoever serves it) {
  auto topic = topic_of(2, 0, "copies2/");
  auto copy = begin(topic);
  lose_c();
  subscribe(connect(copy), topic);
  CHECK_EQ(told(copy), "1 served, 1 alone");
  auto back = bring_c_back();
  CHECK_EQ(told(back), "1 served, 0 alone");
  CHECK_EQ(told(copy), "0 served, 0 alone");
}

CAF_TEST(a new shard serves none that nobody has used) {
  begin(topic_of(2, 0, "copies2/"));
  CHECK_EQ(told(2), "1 served, 0 alone");
  replace_broker(2, 0);
  CHECK_EQ(shown(2), "0 served, 0 alone");
}

END_FIXTURE_SCOPE()
