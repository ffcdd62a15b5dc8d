// When an outbox is sent, and what of it is left afterwards.

#include <callboard/actors/outbox.hpp>

#include <string>

#include "actors/outbox_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

BEGIN_FIXTURE_SCOPE(outbox_fixture)

// -- pressure -----------------------------------------------------------------

CAF_TEST(the socket gets a chance before the bound is held against it) {
  auto box = make(100);
  scripted_transport socket;
  std::string sent;
  socket.on_flush = [&] { sent += drain(*box); };
  box->set_transport(&socket);
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    auto line = std::string(30, static_cast<char>('A' + i));
    if (i % 2 == 0)
      box->append(shared(line));
    else
      box->append(line);
    expected += line;
  }
  CHECK(!box->overflowed());
  sent += drain(*box);
  CHECK_EQ(sent, expected);
}

CAF_TEST(a socket that takes no more is not asked again) {
  auto box = make(100);
  scripted_transport socket;
  socket.on_flush = [&] { box->set_blocked(true); };
  box->set_transport(&socket);
  for (int i = 0; i < 10; ++i)
    box->append(std::string(10, 'x'));
  CHECK_EQ(socket.flushes, 1u);
  CHECK(!box->overflowed());
  box->append("x");
  CHECK(box->overflowed());
  CHECK_EQ(socket.flushes, 1u);
}

CAF_TEST(what is closed by the flush under pressure takes nothing) {
  auto box = make(100);
  scripted_transport socket;
  socket.on_flush = [&] { box->close(); };
  box->set_transport(&socket);
  box->append(std::string(60, 'x'));
  box->append("y");
  CHECK_EQ(box->queued_bytes(), 60u);
}

CAF_TEST(a closed outbox sends what waits and accepts nothing) {
  auto box = make();
  box->append("before");
  box->close();
  CHECK(box->closed());
  box->append("after");
  box->append(shared("after"));
  CHECK_EQ(all(*box), "before");
  CHECK(!box->overflowed());
}

// -- at once ------------------------------------------------------------------

CAF_TEST(what is sent at once is not flushed again) {
  auto box = make();
  scripted_transport socket;
  box->set_transport(&socket);
  box->append_and_send(shared("now"));
  CHECK_EQ(socket.sent, "now");
  CHECK_EQ(socket.flushes, 0u);
  CHECK(scheduler.idle());
  CHECK_EQ(scheduler.queued_bytes(), 0u);
  CHECK_EQ(scheduler.take_sent_bytes(), 3u);
  CHECK_EQ(scheduler.take_sent_bytes(), 0u);
}

CAF_TEST(what the socket does not take at once is kept and flushed) {
  auto box = make();
  scripted_transport socket;
  box->set_transport(&socket);
  socket.accepts = 2;
  socket.on_flush = [&] { box->set_blocked(true); };
  auto event = shared("event");
  box->append_and_send(event);
  CHECK_EQ(socket.sent, "ev");
  CHECK_EQ(socket.flushes, 1u);
  CHECK_EQ(all(*box), "ent");
  CHECK_EQ(box->queued_bytes(), 3u);
  CHECK_EQ(scheduler.queued_bytes(), 3u);
  // What comes next stays behind it, also where the socket takes more again.
  box->append_and_send(shared(" two"));
  box->set_blocked(false);
  socket.on_flush = [&] { socket.sent += drain(*box); };
  socket.accepts = 100;
  scheduler.flush();
  CHECK_EQ(socket.sent, "event two");
  CHECK(event.unique());
}

CAF_TEST(what waits is sent before what is sent at once) {
  auto box = make();
  scripted_transport socket;
  box->append_and_send(shared("first "));
  scheduler.flush();
  CHECK_EQ(all(*box), "first ");
  box->set_transport(&socket);
  socket.on_flush = [&] { socket.sent += drain(*box); };
  box->append_and_send(shared("second"));
  CHECK_EQ(socket.sent, "first second");
}

CAF_TEST(as many bytes as may wait are sent at once and one more is too many) {
  auto box = make(4);
  scripted_transport socket;
  box->set_transport(&socket);
  box->append_and_send(shared("four"));
  CHECK_EQ(socket.sent, "four");
  CHECK(!box->overflowed());
  box->append_and_send(shared("five!"));
  CHECK_EQ(socket.sent, "four");
  CHECK(box->overflowed());
  // From then on nothing is taken.
  box->append_and_send(shared("x"));
  CHECK_EQ(socket.sent, "four");
}

CAF_TEST(nothing is sent at once that is closed) {
  auto box = make();
  scripted_transport socket;
  box->set_transport(&socket);
  box->close();
  box->append_and_send(shared("late"));
  CHECK_EQ(socket.sent, "");
  CHECK_EQ(socket.flushes, 0u);
}

CAF_TEST(what waits already takes the rest along at the end of the turn) {
  auto box = make();
  scripted_transport socket;
  std::string sent;
  socket.on_flush = [&] { sent += drain(*box); };
  box->set_transport(&socket);
  box->append("reply ");
  box->append_and_send(shared("event"));
  CHECK_EQ(sent, "");
  scheduler.flush();
  CHECK_EQ(sent, "reply event");
  CHECK_EQ(socket.flushes, 1u);
}

CAF_TEST(nothing is sent at once where the socket takes no more) {
  auto box = make(10);
  scripted_transport socket;
  box->set_transport(&socket);
  box->set_blocked(true);
  box->append_and_send(shared("later"));
  CHECK_EQ(socket.flushes, 0u);
  CHECK_EQ(all(*box), "later");
  // An overflow is seen at the end of the turn.
  box->append_and_send(shared("too much"));
  CHECK(box->overflowed());
  CHECK(!scheduler.idle());
  CHECK_EQ(all(*box), "later");
}

// -- scheduler ----------------------------------------------------------------

CAF_TEST(an outbox is flushed once a turn) {
  auto box = make();
  auto other = make();
  scripted_transport socket;
  scripted_transport idle;
  socket.on_flush = [&] { drain(*box); };
  box->set_transport(&socket);
  other->set_transport(&idle);
  CHECK(scheduler.idle());
  box->append("a");
  box->append(shared("b"));
  box->append("c");
  CHECK(!scheduler.idle());
  scheduler.flush();
  CHECK(scheduler.idle());
  CHECK_EQ(socket.flushes, 1u);
  CHECK_EQ(idle.flushes, 0u);
  scheduler.flush();
  CHECK_EQ(socket.flushes, 1u);
  box->append("d");
  scheduler.flush();
  CHECK_EQ(socket.flushes, 2u);
}

CAF_TEST(what is marked while flushing waits for the next flush) {
  auto box = make();
  auto other = make();
  scripted_transport first;
  scripted_transport second;
  first.on_flush = [&] {
    drain(*box);
    other->append("more");
  };
  box->set_transport(&first);
  other->set_transport(&second);
  box->append("a");
  scheduler.flush();
  CHECK_EQ(second.flushes, 0u);
  CHECK(!scheduler.idle());
  scheduler.flush();
  CHECK_EQ(second.flushes, 1u);
}

CAF_TEST(an outbox without a socket and one that is let go are flushed too) {
  auto box = make();
  box->append("a");
  box = nullptr;
  CHECK_EQ(scheduler.queued_bytes(), 1u);
  scheduler.flush();
  CHECK(scheduler.idle());
  CHECK_EQ(scheduler.queued_bytes(), 0u);
}

CAF_TEST(the bytes of all outboxes are counted back to zero) {
  auto one = make();
  auto two = make(10);
  auto three = make();
  one->append("123");
  one->append(shared("4567"));
  two->append(shared("12345"));
  two->append("123456");
  three->append("ab");
  CHECK_EQ(scheduler.queued_bytes(), 14u);
  one->consume(5);
  CHECK_EQ(scheduler.queued_bytes(), 9u);
  two->drop_unsent();
  CHECK_EQ(scheduler.queued_bytes(), 4u);
  three = nullptr;
  scheduler.flush();
  CHECK_EQ(scheduler.queued_bytes(), 2u);
  one->consume(2);
  CHECK_EQ(scheduler.queued_bytes(), 0u);
}

CAF_TEST(chunks come back empty and with their memory) {
  auto event = shared(std::string(5000, 'x'));
  auto memory = static_cast<const void*>(event->bytes.data());
  event = {};
  auto again = scheduler.chunks().take();
  CHECK_EQ(again->bytes.size(), 0u);
  CHECK_EQ(static_cast<const void*>(again->bytes.data()), memory);
  // One that grew too large is not kept.
  again->bytes.append(std::string(chunk_pool::kept_bytes_max + 1, 'x'));
  again = {};
  CHECK_EQ(scheduler.chunks().take()->bytes.capacity(), 0u);
}

CAF_TEST(an outbox at rest holds no chunk) {
  auto box = make();
  box->append("own");
  auto event = shared("shared");
  box->append(event);
  box->append("own");
  drain(*box);
  CHECK(event.unique());
  // Both chunks of its own are free: the next two have memory.
  auto first = scheduler.chunks().take();
  auto second = scheduler.chunks().take();
  auto third = scheduler.chunks().take();
  CHECK_GT(first->bytes.capacity(), 0u);
  CHECK_GT(second->bytes.capacity(), 0u);
  CHECK_EQ(third->bytes.capacity(), 0u);
}

END_FIXTURE_SCOPE()
