// Groups of durable topics whose members are at other nodes.

#include <callboard/actors/broker.hpp>

#include <string>

#include "actors/member_fixture.hpp"
#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : durable_sites {
  std::string join(client& x, const std::string& topic) {
    member_fixture::ask_for(x, type::subscribe, topic, "g");
    settle();
    return x.heard();
  }

  std::string leave(client& x, const std::string& topic) {
    member_fixture::ask_for(x, type::unsubscribe, topic, "g", false);
    settle();
    return x.heard();
  }

  void wait(caf::timespan x) {
    for (auto& site : sites)
      site.node.pass(x);
    settle();
  }

  static std::string of_g(uint32_t seq_id, const std::string& topic, int offset,
                          const std::string& what, int times = 1) {
    return "event " + std::to_string(seq_id) + ' ' + topic + " @"
           + std::to_string(offset) + " of g"
           + (times > 1 ? " attempt " + std::to_string(times) : std::string{})
           + " \"" + what + '"';
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a member at another node has what the disk has) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  CHECK_EQ(join(x, topic), subscribed(1, "c.1", 0));
  publish(connect(1), topic, "1");
  CHECK_EQ(x.heard(), of_g(1, topic, 1, "1"));
  CHECK_EQ(say(x, type::ack, 1), "");
  CHECK_EQ(leave(x, topic), "response 1");
  publish(connect(1), topic, "2");
  // The group has its place while nobody is there, at whatever node.
  auto& y = connect(1, 1);
  CHECK_EQ(join(y, topic),
           subscribed(1, "c.1", 1, true) + "; " + of_g(1, topic, 2, "2"));
}

CAF_TEST(members wait for the owner and are given again what is open) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  join(x, topic);
  publish(connect(1), topic, "1");
  publish(connect(1), topic, "2");
  CHECK_EQ(x.heard(), of_g(1, topic, 1, "1") + "; " + of_g(2, topic, 2, "2"));
  CHECK_EQ(say(x, type::ack, 1), "");
  // Until the place is on the disk.
  wait(1s);
  lose_c();
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(join(connect(1), topic), "error 1 owner_down");
  bring_c_back();
  // What it was given as the new run had yet to say that it is one, it has not
  // seen.
  CHECK_EQ(x.heard(), "cancel 2; " + of_g(3, topic, 2, "2", 3));
  CHECK_EQ(say(x, type::ack, 3), "");
  publish(connect(1), topic, "3");
  CHECK_EQ(x.heard(), of_g(4, topic, 3, "3"));
}

CAF_TEST(who leaves while the owner is away is no member when it is back) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  join(x, topic);
  lose_c();
  CHECK_EQ(leave(x, topic), "response 1");
  auto again = bring_c_back();
  publish(connect(1), topic, "1");
  CHECK_EQ(x.heard(), "");
  auto& members = *sites[again].node.loops[0]->metrics.groups.members;
  CHECK_EQ(members.value(), 0);
}

CAF_TEST(who wants to be a member waits for the disk and may leave meanwhile) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  auto& y = connect(1);
  stores[2]->at_once = false;
  CHECK_EQ(join(x, topic), "");
  CHECK_EQ(join(y, topic), "");
  CHECK_EQ(leave(y, topic), "error 1 cancelled; response 1");
  while (stores[2]->waiting() > 0) {
    stores[2]->commit();
    settle();
  }
  CHECK_EQ(x.heard(), subscribed(1, "c.1", 0));
  CHECK_EQ(y.heard(), "");
  stores[2]->at_once = true;
  publish(connect(1), topic, "1");
  CHECK_EQ(x.heard(), of_g(1, topic, 1, "1"));
  CHECK_EQ(y.heard(), "");
}

CAF_TEST(who waits for the disk of a node that goes is told so) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  stores[2]->at_once = false;
  CHECK_EQ(join(x, topic), "");
  lose_c();
  CHECK_EQ(x.heard(), "error 1 owner_down");
  stores[2]->at_once = true;
  bring_c_back();
  CHECK_EQ(x.heard(), "");
}

END_FIXTURE_SCOPE()
