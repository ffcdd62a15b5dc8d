#include "support/test.hpp"

#include <cstdlib>
#include <new>
#include <string>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

#include <callboard/messages/frame_reader.hpp>
#include <callboard/messages/frame_writer.hpp>
#include <callboard/messages/shared_bytes.hpp>

// Counts the allocations of this program, which has one thread.

// GCC takes our operators apart and then finds that malloc and delete meet.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {

size_t allocations = 0;

} // namespace

void* operator new(size_t size) {
  ++allocations;
  if (auto memory = std::malloc(size > 0 ? size : 1))
    return memory;
  throw std::bad_alloc{};
}

// A sanitizer's would not come to the one above.
void* operator new[](size_t size) {
  return operator new(size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

using namespace callboard;

namespace {

template <class F>
size_t count(F f) {
  auto before = allocations;
  f();
  return allocations - before;
}

frame_view event() {
  frame_view x;
  x.type = frame_type::event;
  x.timestamp = 1'750'000'000'000;
  x.subject = "room/1";
  x.payload = {codec::msgpack, "\x81\xa4text\xa2hi"};
  x.meta.offset = 300;
  x.meta.mark(meta_key::offset);
  x.meta.sender = "alice";
  x.meta.mark(meta_key::sender);
  return x;
}

} // namespace

CAF_TEST(reading MessagePack allocates nothing) {
  byte_buffer message;
  for (auto i = 0; i < 100; ++i)
    write_frame(codec::msgpack, event(), message);
  frame_reader reader{codec::msgpack};
  frame_view frame;
  size_t frames = 0;
  auto n = count([&] {
    reader.reset(message.view());
    while (reader.next(frame) == read_status::frame)
      ++frames;
  });
  CHECK_EQ(frames, 100u);
  CHECK_EQ(n, 0u);
}

CAF_TEST(writing to a buffer with room allocates nothing) {
  byte_buffer out;
  for (auto encoding : {codec::msgpack, codec::json}) {
    write_frame(encoding, event(), out);
    out.clear();
    CHECK_EQ(count([&] { write_frame(encoding, event(), out); }), 0u);
    CHECK(!out.empty());
    out.clear();
  }
}

CAF_TEST(a frame takes one allocation in an empty buffer) {
  auto n = count([] {
    byte_buffer out;
    write_frame(codec::msgpack, event(), out);
  });
  CHECK_EQ(n, 1u);
}

CAF_TEST(shared bytes take one allocation for all copies) {
  size_t size = 0;
  auto n = count([&] {
    shared_bytes x{"0123456789012345678901234567890123456789"};
    auto y = x;
    auto z = y;
    size = z.size();
  });
  CHECK_EQ(size, 40u);
  CHECK_EQ(n, 1u);
}

CAF_TEST(shared bytes from another node take one allocation) {
  shared_bytes x{"0123456789012345678901234567890123456789"};
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  CHECK(sink.apply(x));
  shared_bytes y;
  auto n = count([&] {
    caf::binary_deserializer source{nullptr, bytes};
    static_cast<void>(source.apply(y));
  });
  CHECK(y == x);
  CHECK_EQ(n, 1u);
}
