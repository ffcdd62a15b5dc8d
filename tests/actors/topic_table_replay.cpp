// How those who come back get what they missed.

#include "actors/replay_fixture.hpp"

using namespace callboard;

using answer = topic_table::subscribe_result;
using list = std::vector<uint64_t>;

BEGIN_FIXTURE_SCOPE(replay_fixture)

CAF_TEST(who comes back gets the answer and what it missed and what comes) {
  publish(5);
  auto& x = join();
  CHECK(come_back(x, 2) == answer::waiting);
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(asked(), (list{3}));
  // Asked once, the answer is on its way.
  CHECK_EQ(asked(), (list{}));
  publish();
  table.fetched(slice(3));
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@6 whole; " + events(3, 6));
  publish();
  settle();
  CHECK_EQ(x.heard(), events(7, 7));
}

CAF_TEST(who missed nothing asks for nothing) {
  publish(5);
  auto& x = join();
  CHECK(come_back(x, 5) == answer::subscribed);
  CHECK_EQ(asked(), (list{}));
  CHECK_EQ(x.heard(), "subscribed 1 a e@5 whole");
}

CAF_TEST(what cannot be whole is lost and nothing of it comes) {
  size_max = 3;
  publish(5);
  for (auto [epoch, offset] : {std::pair{"f", 4u}, {"e", 6u}, {"e", 1u}}) {
    auto& x = join();
    come_back(x, offset, epoch);
    settle();
    CHECK_EQ(x.heard(), "subscribed 1 a e@5 lost");
    table.unsubscribe(*x.box, "a");
  }
  // The oldest that is there is enough.
  auto& x = join();
  come_back(x, 2);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@5 whole; " + events(3, 5));
}

CAF_TEST(a topic without history has lost what was missed) {
  size_max = 0;
  publish(1);
  auto& x = join();
  come_back(x, 0);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@1 lost");
  publish(1);
  settle();
  CHECK_EQ(x.heard(), events(2, 2));
}

CAF_TEST(events that are encoded and not shared out come once) {
  auto& x = join();
  publish(2);
  come_back(x, 0);
  publish(1);
  auto first = asked();
  publish(1);
  table.fetched(slice(first[0]));
  publish(1);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@4 whole; " + events(1, 5));
}

CAF_TEST(what several missed is asked for once and encoded once) {
  publish(200);
  std::vector<scribe*> all;
  for (uint64_t i = 0; i < 50; ++i) {
    all.push_back(&join());
    come_back(*all.back(), 100 + i % 2);
  }
  auto before = encoded;
  CHECK_EQ(asked(), (list{101}));
  table.fetched(slice(101));
  settle();
  for (uint64_t i = 0; i < 50; ++i)
    CHECK_EQ(all[i]->heard(),
             "subscribed 1 a e@200 whole; " + events(101 + i % 2, 200));
  // 101 … 127 and 102 … 127, and the rest for all.
  CHECK_EQ(encoded - before, 27u + 26u + 73u);
}

CAF_TEST(a turn gives a bounded number of bytes and everybody a share) {
  publish(200, std::string(1000, 'x'));
  std::vector<scribe*> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(&join());
    come_back(*all.back(), 0);
  }
  table.fetched(slice(asked()[0]));
  table.advance();
  size_t given = 0;
  for (auto* x : all)
    given += x->box->queued_bytes();
  CHECK(given > 512 * 1024);
  CHECK(given < 2 * 1024 * 1024);
  CHECK(table.advancing());
  settle();
  for (auto* x : all)
    CHECK_EQ(x->heard(), "subscribed 1 a e@200 whole; " + events(1, 200));
}

CAF_TEST(a slice that is too short is followed by another) {
  slice_max = 10;
  publish(200);
  auto& x = join();
  auto& y = join();
  come_back(x, 0);
  come_back(y, 150);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@200 whole; " + events(1, 200));
  CHECK_EQ(y.heard(), "subscribed 1 a e@200 whole; " + events(151, 200));
}

CAF_TEST(whoever waits for its reader keeps nothing alive) {
  publish(1000, std::string(1000, 'x'));
  auto x = std::make_unique<scribe>(scheduler, wire_form::msgpack, 99);
  x->box = outbox_ptr{new outbox{scheduler, wire_form::msgpack, 100'000}};
  x->box->owner = x.get();
  come_back(*x, 0);
  auto given = slice(asked()[0]);
  table.fetched(given);
  for (int i = 0; i < 10; ++i)
    table.advance();
  CHECK(!table.advancing());
  CHECK(x->box->queued_bytes() > 20'000);
  CHECK(x->box->queued_bytes() <= 50'000);
  CHECK_EQ(given->get_reference_count(), 1u);
  table.unsubscribe(*x->box, "a");
}

CAF_TEST(a slow reader gets more when it has read) {
  publish(3000, std::string(1000, 'x'));
  auto x = std::make_unique<scribe>(scheduler, wire_form::msgpack, 99);
  x->box = outbox_ptr{new outbox{scheduler, wire_form::msgpack, 400'000}};
  x->box->owner = x.get();
  size_max = 5000;
  kept.clear();
  head = 0;
  table.unsubscribe(*scribes[0]->box, "a");
  attach(*scribes[0], "a");
  publish(3000, std::string(1000, 'x'));
  come_back(*x, 0);
  size_t rounds = 0;
  std::string heard;
  for (; rounds < 1000; ++rounds) {
    settle();
    CHECK(!x->box->overflowed());
    auto got = x->heard();
    if (got.empty())
      break;
    heard += (heard.empty() ? "" : "; ") + got;
  }
  CHECK_EQ(heard, "subscribed 1 a e@3000 whole; " + events(1, 3000));
  CHECK(rounds >= 3000u * 1000 / 400'000);
  table.unsubscribe(*x->box, "a");
}

CAF_TEST(who falls behind the history is told of the gap) {
  size_max = 100;
  publish(100, std::string(1000, 'x'));
  auto& x = join();
  x.box->tell_when_drained();
  come_back(x, 0);
  table.fetched(slice(asked()[0]));
  // One chunk is there; the topic goes on for longer than it remembers.
  publish(500);
  settle();
  auto words = x.words();
  REQUIRE(words.size() > 2);
  CHECK_EQ(words[0], "subscribed 1 a e@100 whole");
  CHECK_EQ(words[100], "a@100");
  CHECK_EQ(words[101], "position a e@600 history exceeded");
  CHECK_EQ(words.size(), 102u);
  publish();
  settle();
  CHECK_EQ(x.heard(), events(601, 601));
}

CAF_TEST(who waits for its topic is answered when it is there) {
  auto& x = join();
  topic_position since{"e", 2};
  CHECK(table.subscribe(*x.box, "b", 1, true, &since) == answer::attach);
  CHECK_EQ(asked(), (list{}));
  table.attached("b", table.new_generation("b"), {"e", 2});
  CHECK_EQ(x.heard(), "subscribed 1 b e@2 whole");
}

CAF_TEST(a topic that starts over in between has lost what was missed) {
  publish(5);
  auto& x = join();
  auto& y = join();
  come_back(x, 2);
  auto old = slice(asked()[0]);
  come_back(y, 3);
  table.attached("a", table.new_generation("a"), {"f", 0});
  CHECK_EQ(x.heard(), "subscribed 1 a f@0 lost");
  CHECK_EQ(y.heard(), "subscribed 1 a f@0 lost");
  // The answer of the one before means nothing.
  table.fetched(old);
  settle();
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(a question whose answer died is asked again) {
  publish(5);
  auto& x = join();
  come_back(x, 2);
  CHECK_EQ(asked(), (list{3}));
  table.attached("a", table.new_generation("a"), {"e", 5});
  CHECK_EQ(asked(), (list{3}));
  table.fetched(slice(3));
  CHECK_EQ(x.heard(), "subscribed 1 a e@5 whole; " + events(3, 5));
}

CAF_TEST(a topic that starts over tells those who are on their way) {
  publish(200, std::string(1000, 'x'));
  auto& x = join();
  come_back(x, 0);
  table.fetched(slice(asked()[0]));
  table.attached("a", table.new_generation("a"), {"f", 0});
  table.advance();
  settle();
  auto words = x.words();
  CHECK_EQ(words.front(), "subscribed 1 a e@200 whole");
  CHECK_EQ(words.back(), "position a f@0 epoch changed");
  table.deliver(make_event("a", 1, "f"));
  table.flush();
  CHECK_EQ(x.heard(), "a@1");
}

CAF_TEST(whoever leaves while it is behind leaves nothing) {
  publish(200, std::string(1000, 'x'));
  auto& x = join();
  come_back(x, 0);
  CHECK(table.unsubscribe(*x.box, "a").found);
  auto& y = join();
  come_back(y, 0);
  table.fetched(slice(asked()[0]));
  CHECK(table.advancing());
  std::vector<std::string> detached;
  table.remove(*y.box, detached);
  CHECK(!table.advancing());
  auto& z = join();
  come_back(z, 0);
  CHECK(come_back(z, 0) == answer::duplicate);
  settle();
  CHECK_EQ(z.heard(), "subscribed 1 a e@200 whole; " + events(1, 200));
}

CAF_TEST(whoever is gone when the answer comes is left alone) {
  size_max = 3;
  publish(5);
  auto& x = join();
  auto& y = join();
  come_back(x, 1);
  come_back(y, 3);
  auto first = asked()[0];
  x.box->owner = nullptr;
  y.box->owner = nullptr;
  table.fetched(slice(first));
  settle();
  std::vector<std::string> detached;
  table.remove(*x.box, detached);
  table.remove(*y.box, detached);
  CHECK_EQ(table.subscriptions(), 1u);
}

CAF_TEST(whoever is ahead of the loop waits for it) {
  publish(5);
  auto& x = join();
  // The owner has sent event 6, which has not been delivered here.
  kept.push_back(make_event("a", 6));
  come_back(x, 6);
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(asked(), (list{7}));
  table.deliver(kept.back());
  head = 6;
  table.fetched(slice(7));
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@6 whole");
  auto& y = join();
  come_back(y, 7);
  auto& z = join();
  come_back(z, std::numeric_limits<uint64_t>::max());
  settle();
  CHECK_EQ(y.heard(), "subscribed 1 a e@6 lost");
  CHECK_EQ(z.heard(), "subscribed 1 a e@6 lost");
}

CAF_TEST(whoever leaves before it is answered is named) {
  publish(5);
  auto& x = join();
  come_back(x, 2);
  CHECK_EQ(table.unsubscribe(*x.box, "a").waiting_seq_id, 1u);
  come_back(x, 2);
  asked();
  CHECK_EQ(table.unsubscribe(*x.box, "a").waiting_seq_id, 1u);
  come_back(x, 2);
  CHECK_EQ(asked(), (list{}));
  table.fetched(slice(3));
  settle();
  CHECK_EQ(table.unsubscribe(*x.box, "a").waiting_seq_id, 0u);
}

CAF_TEST(what was not to come back to its publisher does not ) {
  publish(2);
  auto& x = join();
  auto& y = join();
  for (int i = 0; i < 3; ++i) {
    publish();
    kept.back()->no_echo = true;
    kept.back()->publisher = x.box->connection;
  }
  publish();
  come_back(x, 0);
  come_back(y, 0);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@6 whole; a@1; a@2; a@6");
  CHECK_EQ(y.heard(), "subscribed 1 a e@6 whole; " + events(1, 6));
  table.unsubscribe(*x.box, "a");
  come_back(x, 2);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@6 whole; a@6");
}

CAF_TEST(a large event behind small ones does not overflow an outbox) {
  for (int i = 0; i < 10; ++i) {
    publish(10, std::string(1000, 'x'));
    publish(1, std::string(40'000, 'y'));
  }
  auto x = std::make_unique<scribe>(scheduler, wire_form::msgpack, 99);
  x->box = outbox_ptr{new outbox{scheduler, wire_form::msgpack, 45'000}};
  x->box->owner = x.get();
  come_back(*x, 0);
  std::string heard;
  for (int i = 0; i < 100; ++i) {
    settle();
    REQUIRE(!x->box->overflowed());
    if (auto got = x->heard(); !got.empty())
      heard += (heard.empty() ? "" : "; ") + got;
  }
  CHECK_EQ(heard, "subscribed 1 a e@110 whole; " + events(1, 110));
  table.unsubscribe(*x->box, "a");
}

CAF_TEST(an owner that knows the topic no more has lost what was missed) {
  publish(5);
  auto& x = join();
  come_back(x, 2);
  asked();
  auto nothing = caf::make_counted<history_slice>();
  nothing->topic = "a";
  table.fetched(nothing);
  CHECK_EQ(x.heard(), "subscribed 1 a e@5 lost");
  CHECK(!table.advancing());
}

CAF_TEST(actors get what they missed as values) {
  publish(3);
  auto& x = join();
  come_back(x, 1, "e", false);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 a e@3 whole; value a@2; value a@3");
}

CAF_TEST(a pattern has no place to go on from) {
  auto& x = join();
  topic_position since{"e", 2};
  table.subscribe(*x.box, "b/+", 1, true, &since);
  table.pattern_attached("b/+", table.new_generation("b/+"), 0, 1);
  CHECK_EQ(x.heard(), "subscribed 1 b/+ lost");
  auto& y = join();
  table.subscribe(*y.box, "b/+", 2, true, &since);
  CHECK_EQ(y.heard(), "subscribed 2 b/+ lost");
}

END_FIXTURE_SCOPE()
