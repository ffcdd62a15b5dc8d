#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <callboard/messages/topic.hpp>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using answer = topic_table::subscribe_result;

BEGIN_FIXTURE_SCOPE(topic_table_fixture)

// -- subscribing --------------------------------------------------------------

CAF_TEST(the first asks the owner and those after it wait or have it) {
  auto& alice = join();
  auto& bob = join();
  auto& carol = join();
  CHECK(subscribe(alice, "a", 1) == answer::attach);
  CHECK(subscribe(bob, "a", 2) == answer::waiting);
  CHECK(subscribe(alice, "a", 3) == answer::duplicate);
  CHECK_EQ(alice.heard(), "");
  table.attached("a", table.new_generation("a"), {"e", 7});
  CHECK_EQ(alice.heard(), "subscribed 1 a e@7");
  CHECK_EQ(bob.heard(), "subscribed 2 a e@7");
  CHECK(subscribe(carol, "a", 4) == answer::subscribed);
  CHECK_EQ(carol.heard(), "subscribed 4 a e@7");
  CHECK(subscribe(carol, "a", 5) == answer::duplicate);
  CHECK_EQ(table.topics(), 1u);
  CHECK_EQ(table.subscriptions(), 3u);
}

CAF_TEST(a later subscriber is told where the topic stands by then) {
  auto& alice = ready("a");
  auto& bob = join();
  deliver("a", 1);
  subscribe(bob, "a", 2);
  CHECK_EQ(bob.heard(), "subscribed 2 a e@1");
  CHECK_EQ(alice.heard(), "a@1");
}

CAF_TEST(receivers are told of events that the loop has lost) {
  auto& alice = ready("a");
  deliver("a", 1);
  deliver("a", 5);
  table.flush();
  CHECK_EQ(alice.heard(), "a@1; position a e@4 events lost; a@5");
  // The owner can be the first to say where it stands.
  auto generation = table.new_generation("a");
  table.attached("a", generation, {"e", 7});
  CHECK_EQ(alice.heard(), "position a e@7 events lost");
  table.attached("a", table.new_generation("a"), {"e", 7});
  deliver("a", 8);
  table.flush();
  CHECK_EQ(alice.heard(), "a@8");
}

CAF_TEST(an answer to an older question is ignored) {
  auto& alice = join();
  subscribe(alice, "a", 1);
  auto old = table.new_generation("a");
  auto current = table.new_generation("a");
  CHECK_NE(old, current);
  table.attached("a", old, {"e", 1});
  CHECK_EQ(alice.heard(), "");
  table.refused("a", old, errc::overloaded);
  CHECK_EQ(alice.heard(), "");
  table.attached("a", current, {"e", 2});
  CHECK_EQ(alice.heard(), "subscribed 1 a e@2");
}

CAF_TEST(generations are not those of a subscription before) {
  auto& alice = join();
  subscribe(alice, "a", 1);
  auto old = table.new_generation("a");
  CHECK(table.unsubscribe(*alice.box, "a").detach);
  subscribe(alice, "a", 2);
  auto current = table.new_generation("a");
  table.attached("a", old, {"e", 1});
  CHECK_EQ(alice.heard(), "");
  table.attached("a", current, {"e", 2});
  CHECK_EQ(alice.heard(), "subscribed 2 a e@2");
  CHECK_EQ(table.new_generation("b"), 0u);
  // What nobody subscribes to needs no answer.
  table.attached("b", 0, {"e", 2});
  table.refused("b", 0, errc::overloaded);
  table.pattern_attached("b/+", 0, 0, 1);
}

CAF_TEST(what comes before the answer reaches nobody) {
  auto& alice = join();
  subscribe(alice, "a", 1);
  auto generation = table.new_generation("a");
  CHECK_EQ(deliver("a", 3), 0u);
  table.attached("a", generation, {"e", 3});
  deliver("a", 4);
  table.flush();
  CHECK_EQ(alice.heard(), "subscribed 1 a e@3; a@4");
}

CAF_TEST(where the owner has no room everyone who waits is refused) {
  auto& alice = join();
  auto& bob = join();
  subscribe(alice, "a", 1);
  subscribe(bob, "a", 2);
  table.refused("a", table.new_generation("a"), errc::overloaded);
  CHECK_EQ(alice.heard(), "refused 1 a overloaded");
  CHECK_EQ(bob.heard(), "refused 2 a overloaded");
  CHECK_EQ(table.topics(), 0u);
  CHECK_EQ(table.subscriptions(), 0u);
  CHECK(subscribe(alice, "a", 3) == answer::attach);
}

CAF_TEST(a refusal forgets those who are gone as well) {
  auto& alice = join();
  auto& bob = join();
  subscribe(alice, "a", 1);
  subscribe(bob, "a", 2);
  bob.box->owner = nullptr;
  table.refused("a", table.new_generation("a"), errc::overloaded);
  CHECK_EQ(alice.heard(), "refused 1 a overloaded");
  CHECK_EQ(table.topics(), 0u);
  CHECK(subscribe(alice, "a", 3) == answer::attach);
}

CAF_TEST(those who have a topic keep it when it is asked for again) {
  auto& alice = ready("a");
  auto generation = table.new_generation("a");
  table.refused("a", generation, errc::overloaded);
  CHECK_EQ(alice.heard(), "");
  table.attached("a", generation, {"e", 0});
  CHECK_EQ(alice.heard(), "");
  deliver("a", 1);
  table.flush();
  CHECK_EQ(alice.heard(), "a@1");
}

CAF_TEST(a topic that starts over is announced after what was before) {
  auto& alice = ready("a");
  deliver("a", 1);
  table.attached("a", table.new_generation("a"), {"f", 0});
  deliver("a", 1, "f");
  table.flush();
  CHECK_EQ(alice.heard(), "a@1; position a f@0 epoch changed; a@1");
}

CAF_TEST(a new epoch is announced before events that overtake the answer) {
  auto& alice = ready("a");
  deliver("a", 1);
  deliver("a", 3, "f");
  deliver("a", 4, "f");
  table.flush();
  CHECK_EQ(alice.heard(), "a@1; position a f@2 epoch changed; a@3; a@4");
  table.attached("a", table.new_generation("a"), {"f", 4});
  CHECK_EQ(alice.heard(), "");
}

// -- patterns -----------------------------------------------------------------

CAF_TEST(a pattern holds when every shard knows it) {
  auto& alice = join();
  auto& bob = join();
  CHECK(subscribe(alice, "a/+", 1) == answer::attach);
  auto generation = table.new_generation("a/+");
  table.pattern_attached("a/+", generation, 2, 3);
  table.pattern_attached("a/+", generation, 0, 3);
  table.pattern_attached("a/+", generation, 0, 3);
  CHECK(subscribe(bob, "a/+", 2) == answer::waiting);
  CHECK_EQ(alice.heard(), "");
  table.pattern_attached("a/+", generation, 1, 3);
  CHECK_EQ(alice.heard(), "subscribed 1 a/+");
  CHECK_EQ(bob.heard(), "subscribed 2 a/+");
  table.pattern_attached("a/+", generation, 1, 3);
  CHECK_EQ(bob.heard(), "");
  CHECK(subscribe(join(), "a/+", 3) == answer::subscribed);
}

CAF_TEST(confirmations of different questions do not add up) {
  auto& alice = join();
  subscribe(alice, "a/+", 1);
  auto old = table.new_generation("a/+");
  table.pattern_attached("a/+", old, 0, 2);
  auto current = table.new_generation("a/+");
  table.pattern_attached("a/+", current, 1, 2);
  CHECK_EQ(alice.heard(), "");
  table.pattern_attached("a/+", old, 0, 2);
  CHECK_EQ(alice.heard(), "");
  table.pattern_attached("a/+", current, 0, 2);
  CHECK_EQ(alice.heard(), "subscribed 1 a/+");
}

CAF_TEST(a topic and patterns that match all deliver) {
  auto& alice = join();
  attach(alice, "a/b");
  attach(alice, "a/+");
  attach(alice, "#");
  attach(alice, "b/+");
  alice.heard();
  CHECK_EQ(deliver("a/b", 1), 3u);
  CHECK_EQ(deliver("a/c", 1), 2u);
  table.flush();
  auto words = alice.words();
  std::ranges::sort(words);
  CHECK_EQ(words,
           (std::vector<std::string>{"a/b@1", "a/b@1 by #", "a/b@1 by a/+",
                                     "a/c@1 by #", "a/c@1 by a/+"}));
}

// -- turns --------------------------------------------------------------------

CAF_TEST(within a turn a newcomer gets what comes after and a leaver what was) {
  auto& alice = ready("a");
  auto& bob = join();
  deliver("a", 1);
  subscribe(bob, "a", 2);
  deliver("a", 2);
  table.unsubscribe(*alice.box, "a");
  deliver("a", 3);
  subscribe(alice, "a", 3);
  deliver("a", 4);
  table.flush();
  CHECK_EQ(alice.heard(), "a@1; a@2; subscribed 3 a e@3; a@4");
  CHECK_EQ(bob.heard(), "subscribed 2 a e@1; a@2; a@3; a@4");
}

CAF_TEST(the events of a turn are one run of bytes that all share) {
  auto& alice = ready("a");
  auto& bob = join();
  auto& json = join(wire_form::json);
  attach(bob, "a");
  attach(json, "a");
  deliver("a", 1);
  deliver("a", 2);
  CHECK_EQ(alice.box->queued_bytes(), 0u);
  table.flush();
  CHECK_EQ(alice.pieces(), 1u);
  CHECK_EQ(alice.memory(), bob.memory());
  CHECK_NE(alice.memory(), json.memory());
  CHECK_EQ(encoded, 4u);
  alice.words();
  CHECK_EQ(alice.heard(), "");
  table.flush();
  CHECK_EQ(bob.pieces(), 1u);
}

CAF_TEST(a long run is shared out before the turn ends) {
  auto& alice = ready("a");
  auto big = std::string(40'000, 'x');
  deliver("a", 1, "e", big);
  CHECK_EQ(alice.box->queued_bytes(), 0u);
  deliver("a", 2, "e", big);
  CHECK_GT(alice.box->queued_bytes(), 80'000u);
  deliver("a", 3);
  table.flush();
  CHECK_EQ(alice.heard(), "a@1; a@2; a@3");
}

CAF_TEST(no echo keeps an event from its publisher and from nobody else) {
  auto& alice = ready("a");
  auto& bob = join();
  attach(bob, "a");
  attach(alice, "+");
  alice.heard();
  bob.heard();
  deliver("a", 1);
  publisher = alice.box->connection;
  deliver("a", 2);
  publisher = 0;
  deliver("a", 3);
  table.flush();
  auto words = alice.words();
  std::ranges::sort(words);
  CHECK_EQ(words,
           (std::vector<std::string>{"a@1", "a@1 by +", "a@3", "a@3 by +"}));
  CHECK_EQ(bob.heard(), "a@1; a@2; a@3");
}

CAF_TEST(a taker of values gets each event as it comes) {
  auto& alice = ready("a");
  auto& actor = join();
  subscribe(actor, "a", 9, false);
  CHECK_EQ(actor.heard(), "subscribed 9 a e@0");
  deliver("a", 1);
  CHECK_EQ(actor.heard(), "value a@1");
  attach(actor, "+", false);
  actor.heard();
  deliver("a", 2);
  CHECK_EQ(actor.heard(), "value a@2; value a@2 by +");
  table.flush();
  CHECK_EQ(actor.box->queued_bytes(), 0u);
  CHECK_EQ(alice.heard(), "a@1; a@2");
}

// -- taking back --------------------------------------------------------------

CAF_TEST(unsubscribing tells who waited and whether the owner must know) {
  auto& alice = join();
  auto& bob = ready("b");
  CHECK(!table.unsubscribe(*alice.box, "b").found);
  CHECK(!table.unsubscribe(*alice.box, "never").found);
  subscribe(alice, "a", 5);
  auto waiting = table.unsubscribe(*alice.box, "a");
  CHECK(waiting.found);
  CHECK(waiting.detach);
  CHECK_EQ(waiting.waiting_seq_id, 5u);
  subscribe(alice, "b", 6);
  auto first = table.unsubscribe(*alice.box, "b");
  CHECK(first.found);
  CHECK(!first.detach);
  CHECK_EQ(first.waiting_seq_id, 0u);
  CHECK(table.unsubscribe(*bob.box, "b").detach);
  CHECK_EQ(table.topics(), 0u);
  CHECK_EQ(table.subscriptions(), 0u);
}

CAF_TEST(whoever goes takes everything along) {
  auto& alice = join();
  auto& bob = join();
  for (auto x : {"a", "b", "c/+"})
    attach(alice, x);
  attach(bob, "b");
  alice.heard();
  deliver("b", 1);
  std::vector<std::string> detached;
  table.remove(*alice.box, detached);
  std::ranges::sort(detached);
  CHECK_EQ(detached, (std::vector<std::string>{"a", "c/+"}));
  CHECK_EQ(table.topics(), 1u);
  CHECK_EQ(table.subscriptions(), 1u);
  CHECK_EQ(alice.heard(), "b@1");
  CHECK_EQ(deliver("c/d", 1), 0u);
  CHECK_EQ(deliver("b", 2), 1u);
  std::set<std::string> subjects;
  table.for_each_subject([&](const std::string& x, bool pattern) {
    CHECK(!pattern);
    subjects.insert(x);
  });
  CHECK_EQ(subjects, std::set<std::string>{"b"});
}

END_FIXTURE_SCOPE()
