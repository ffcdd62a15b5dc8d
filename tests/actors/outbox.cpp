#include <callboard/actors/outbox.hpp>

#include <array>
#include <string>
#include <vector>

#include "actors/outbox_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Writes a frame's subject.
struct subject_framing : framing {
  void append(wire_form form, const frame_view& x, byte_buffer& out) override {
    forms.push_back(form);
    out.append(x.subject);
  }

  std::vector<wire_form> forms;
};

} // namespace

BEGIN_FIXTURE_SCOPE(outbox_fixture)

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

END_FIXTURE_SCOPE()
