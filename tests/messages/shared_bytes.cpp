#include "support/test.hpp"

#include <string>
#include <utility>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

#include <callboard/messages/shared_bytes.hpp>

using namespace callboard;

using namespace std::literals;

CAF_TEST(the zero value is empty) {
  shared_bytes x;
  CHECK(x.empty());
  CHECK_EQ(x.size(), 0u);
  CHECK_EQ(x.view(), "");
  CHECK(shared_bytes{""sv}.empty());
  CHECK(x == shared_bytes{""sv});
}

CAF_TEST(bytes are copied in and shared) {
  auto source = "a\0b"s;
  shared_bytes x{source};
  source = "xxx";
  CHECK_EQ(x.view(), "a\0b"sv);
  CHECK_EQ(x.size(), 3u);
  auto y = x;
  CHECK(y.view().data() == x.view().data());
  CHECK(y == x);
  CHECK(!(y == shared_bytes{"a\0c"sv}));
}

CAF_TEST(copies live on by themselves) {
  shared_bytes y;
  {
    shared_bytes x{"abc"sv};
    y = x;
    shared_bytes z{x};
    z = shared_bytes{"def"sv};
    CHECK_EQ(z.view(), "def");
  }
  CHECK_EQ(y.view(), "abc");
  auto& same = y;
  y = same;
  CHECK_EQ(y.view(), "abc");
}

CAF_TEST(moving leaves nothing) {
  shared_bytes x{"abc"sv};
  auto where = x.view().data();
  shared_bytes y{std::move(x)};
  CHECK(y.view().data() == where);
  CHECK(x.empty()); // NOLINT: the moved-from value is the zero value
  x = std::move(y);
  CHECK(x.view().data() == where);
}

CAF_TEST(bytes go to other nodes) {
  for (auto& text : {""s, "a"s, "\0\xff"s, std::string(70'000, 'x')}) {
    shared_bytes x{text};
    caf::byte_buffer bytes;
    caf::binary_serializer sink{nullptr, bytes};
    CHECK(sink.apply(x));
    caf::binary_deserializer source{nullptr, bytes};
    shared_bytes y;
    CHECK(source.apply(y));
    CHECK(x == y);
  }
}

CAF_TEST(bytes of which one is missing are none) {
  shared_bytes x{std::string(200, 'x')};
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  CHECK(sink.apply(x));
  while (!bytes.empty()) {
    bytes.pop_back();
    caf::binary_deserializer source{nullptr, bytes};
    shared_bytes y{"as it was"sv};
    CHECK(!source.apply(y));
    CHECK_EQ(y.view(), "as it was");
  }
}

CAF_TEST(what follows the bytes is read behind them) {
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  for (auto text : {""sv, "abc"sv, "d"sv}) {
    shared_bytes x{text};
    CHECK(sink.apply(x));
  }
  caf::binary_deserializer source{nullptr, bytes};
  for (auto text : {""sv, "abc"sv, "d"sv}) {
    shared_bytes x{"as it was"sv};
    CHECK(source.apply(x));
    CHECK_EQ(x.view(), text);
  }
  CHECK_EQ(source.remaining(), 0u);
}
