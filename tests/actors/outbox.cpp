#include <callboard/actors/outbox.hpp>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

/// Calls back instead of writing to a socket.
struct scripted_transport : transport {
  void flush() override {
    ++flushes;
    if (on_flush)
      on_flush();
  }

  void close(uint16_t, std::string_view) override {
    // nop
  }

  size_t flushes = 0;
  std::function<void()> on_flush;
};

/// Writes a frame's subject.
struct subject_framing : framing {
  void append(wire_form form, const frame_view& x, byte_buffer& out) override {
    forms.push_back(form);
    out.append(x.subject);
  }

  std::vector<wire_form> forms;
};

struct fixture {
  outbox_ptr make(size_t bytes_max = 1'000'000,
                  wire_form form = wire_form::msgpack) {
    return outbox_ptr{new outbox{scheduler, form, bytes_max}};
  }

  chunk_ptr shared(std::string_view bytes) {
    auto x = scheduler.chunks().take();
    x->bytes.append(bytes);
    return x;
  }

  static std::vector<std::string> pieces(const outbox& x, size_t n = 64) {
    std::vector<std::string_view> views(n);
    views.resize(x.gather(views));
    return {views.begin(), views.end()};
  }

  static std::string all(const outbox& x) {
    std::string result;
    for (auto& piece : pieces(x))
      result += piece;
    return result;
  }

  /// Consumes everything that waits and returns it.
  static std::string drain(outbox& x) {
    auto result = all(x);
    x.consume(result.size());
    return result;
  }

  using texts = std::vector<std::string>;

  outbox_scheduler scheduler;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- order --------------------------------------------------------------------

CAF_TEST(shared and own pieces leave in the order they came) {
  auto box = make();
  subject_framing wire;
  frame_view frame;
  frame.subject = "reply";
  box->append("own ", "two");
  box->append(wire, frame);
  auto event = shared("EVENT");
  box->append(event);
  box->append(event);
  box->append("after");
  CHECK_EQ(pieces(*box), (texts{"own tworeply", "EVENT", "EVENT", "after"}));
  CHECK_EQ(box->queued_bytes(), 27u);
  CHECK_EQ(wire.forms.size(), 1u);
}

CAF_TEST(a frame is written in the form of its receiver) {
  subject_framing wire;
  frame_view frame;
  frame.subject = "x";
  make(100, wire_form::json)->append(wire, frame);
  make(100, wire_form::msgpack_deflate)->append(wire, frame);
  CHECK(wire.forms
        == (std::vector{wire_form::json, wire_form::msgpack_deflate}));
}

CAF_TEST(a shared piece is not copied) {
  auto box = make();
  auto other = make();
  auto event = shared("EVENT");
  box->append(event);
  other->append(event);
  std::array<std::string_view, 1> view;
  REQUIRE_EQ(box->gather(view), 1u);
  CHECK_EQ(static_cast<const void*>(view[0].data()),
           static_cast<const void*>(event->bytes.data()));
  REQUIRE_EQ(other->gather(view), 1u);
  CHECK_EQ(static_cast<const void*>(view[0].data()),
           static_cast<const void*>(event->bytes.data()));
  CHECK(!event.unique());
  box->consume(5);
  other->consume(5);
  CHECK(event.unique());
}

CAF_TEST(bytes are forgotten as they are sent and not before) {
  auto box = make();
  box->append("abc");
  box->append(shared("DEF"));
  box->append("ghi");
  box->consume(1);
  CHECK_EQ(pieces(*box), (texts{"bc", "DEF", "ghi"}));
  box->consume(2);
  CHECK_EQ(pieces(*box), (texts{"DEF", "ghi"}));
  box->consume(4);
  CHECK_EQ(pieces(*box), (texts{"hi"}));
  box->append("jkl");
  CHECK_EQ(all(*box), "hijkl");
  box->consume(5);
  CHECK_EQ(box->queued_bytes(), 0u);
  CHECK_EQ(pieces(*box), texts{});
}

CAF_TEST(what does not fit one gather comes with the next) {
  auto box = make();
  std::string expected;
  for (char c = 'a'; c <= 'z'; ++c) {
    box->append(shared(std::string(3, c)));
    expected += std::string(3, c);
  }
  CHECK_EQ(pieces(*box, 0), texts{});
  CHECK_EQ(pieces(*box, 2), (texts{"aaa", "bbb"}));
  std::string sent;
  while (box->queued_bytes() > 0) {
    auto some = pieces(*box, 5);
    // Four whole ones and one in part.
    size_t n = 0;
    for (auto& piece : some)
      n += piece.size();
    n = n > 3 ? n - 1 : n;
    std::string bytes;
    for (auto& piece : some)
      bytes += piece;
    sent += bytes.substr(0, n);
    box->consume(n);
  }
  CHECK_EQ(sent, expected);
}

CAF_TEST(own bytes go on in a new chunk where one is full) {
  auto box = make();
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    auto line = std::string(999, static_cast<char>('a' + i % 26)) + '\n';
    box->append(line);
    expected += line;
  }
  CHECK_GT(pieces(*box).size(), 2u);
  CHECK(all(*box) == expected);
}

// -- the bound ----------------------------------------------------------------

CAF_TEST(as many bytes wait as may and one more is too many) {
  for (auto own : {true, false}) {
    auto box = make(10);
    auto add = [&](std::string_view bytes) {
      if (own)
        box->append(bytes);
      else
        box->append(shared(bytes));
    };
    add("0123456");
    add("789");
    CHECK_EQ(box->queued_bytes(), 10u);
    CHECK(!box->overflowed());
    add("x");
    CHECK(box->overflowed());
    CHECK_EQ(all(*box), "0123456789");
    // Nor is anything else taken until the rest is dropped.
    box->consume(10);
    add("y");
    CHECK_EQ(box->queued_bytes(), 0u);
    box->drop_unsent();
    CHECK(!box->overflowed());
    add("y");
    CHECK_EQ(all(*box), "y");
  }
}

CAF_TEST(a message that would never fit is refused by an empty outbox) {
  auto box = make(10);
  box->append("0123456789x");
  CHECK(box->overflowed());
  CHECK_EQ(box->queued_bytes(), 0u);
  CHECK_EQ(pieces(*box), texts{});
}

CAF_TEST(a dropped queue keeps the piece that was sent in part) {
  auto box = make(10);
  box->append(shared("abcd"));
  box->append(shared("efgh"));
  box->append("ij");
  box->append("k");
  box->consume(2);
  CHECK(box->overflowed());
  box->drop_unsent();
  CHECK_EQ(pieces(*box), texts{"cd"});
  CHECK_EQ(box->queued_bytes(), 2u);
  CHECK_EQ(scheduler.queued_bytes(), 2u);
  box->append("bye");
  CHECK_EQ(all(*box), "cdbye");
}

CAF_TEST(a dropped queue keeps nothing where no piece was sent in part) {
  auto box = make(10);
  box->append(shared("abcd"));
  box->append("efgh");
  box->consume(4);
  box->drop_unsent();
  CHECK_EQ(box->queued_bytes(), 0u);
  CHECK_EQ(scheduler.queued_bytes(), 0u);
  CHECK_EQ(pieces(*box), texts{});
  box->append("bye");
  CHECK_EQ(all(*box), "bye");
}

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
