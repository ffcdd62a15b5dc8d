#include "support/test.hpp"

#include <string>
#include <tuple>
#include <utility>

#include <callboard/messages/byte_buffer.hpp>

using namespace callboard;

CAF_TEST(an empty buffer owns nothing) {
  byte_buffer x;
  CHECK(x.empty());
  CHECK_EQ(x.capacity(), 0u);
  CHECK(x.data() == nullptr);
  x.append("");
  CHECK_EQ(x.capacity(), 0u);
}

CAF_TEST(what is appended stays when the buffer grows) {
  byte_buffer x;
  std::string copy;
  for (auto i = 0; i < 1000; ++i) {
    x.append("abc");
    x.push_back(static_cast<char>(i));
    x.write("de", 2);
    copy += "abc";
    copy += static_cast<char>(i);
    copy += "de";
  }
  CHECK_EQ(x.view(), copy);
  CHECK_EQ(x.size(), copy.size());
  CHECK_LE(x.size(), x.capacity());
}

CAF_TEST(room is part of the buffer once it is committed) {
  byte_buffer x;
  x.append("ab");
  auto room = x.reserve_back(1'000);
  CHECK_EQ(x.size(), 2u);
  CHECK_LE(size_t{1'002}, x.capacity());
  room[0] = 'c';
  x.commit(1);
  CHECK_EQ(x.view(), "abc");
  auto where = x.data();
  std::ignore = x.reserve_back(x.capacity() - x.size());
  CHECK(x.data() == where);
}

CAF_TEST(a cut buffer keeps its memory) {
  byte_buffer x;
  x.append("abcdef");
  x.truncate(2);
  CHECK_EQ(x.view(), "ab");
  auto capacity = x.capacity();
  x.clear();
  CHECK(x.empty());
  CHECK_EQ(x.capacity(), capacity);
  x.release();
  CHECK_EQ(x.capacity(), 0u);
}

CAF_TEST(moving leaves an empty buffer) {
  byte_buffer x;
  x.append("abc");
  auto y = std::move(x);
  CHECK_EQ(y.view(), "abc");
  CHECK(x.empty()); // NOLINT: the moved-from value is the zero value
  x.append("def");
  CHECK_EQ(x.view(), "def");
  x = std::move(y);
  CHECK_EQ(x.view(), "abc");
}
