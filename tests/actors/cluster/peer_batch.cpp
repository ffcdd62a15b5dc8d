// Batches, as CAF sends them to other nodes.

#include <callboard/actors/cluster/messages.hpp>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

caf::byte_buffer bytes(size_t n) {
  return caf::byte_buffer(n, caf::byte{7});
}

caf::byte_buffer sent(peer_batch x) {
  caf::byte_buffer result;
  caf::binary_serializer sink{nullptr, result};
  REQUIRE(sink.apply(x));
  return result;
}

bool arrives(const caf::byte_buffer& from, peer_batch& x) {
  caf::binary_deserializer source{nullptr, from};
  return source.apply(x);
}

} // namespace

CAF_TEST(a batch arrives as it was sent) {
  // Where the number of bytes needs one byte, two and three.
  for (size_t n : {0, 1, 127, 128, 16'384, 300'000}) {
    peer_batch x;
    REQUIRE(arrives(sent({1, 2, 1, 3, 4, bytes(n)}), x));
    CHECK_EQ(x.link, 1u);
    CHECK_EQ(x.view, 2u);
    CHECK_EQ(x.kind, 1u);
    CHECK_EQ(x.shard, 3u);
    CHECK_EQ(x.acknowledged, 4u);
    CHECK(x.frames == bytes(n));
  }
}

CAF_TEST(a batch of which a byte is missing is none) {
  auto whole = sent({1, 2, 1, 3, 4, bytes(200)});
  whole.pop_back();
  peer_batch x;
  CHECK(!arrives(whole, x));
}

CAF_TEST(nothing is allocated for what is only announced) {
  auto header = sent({1, 2, 1, 3, 4, {}});
  // 2^28 - 1 bytes, of which three are there.
  header.pop_back();
  for (uint8_t x : {0xFF, 0xFF, 0xFF, 0x7F, 1, 2, 3})
    header.push_back(caf::byte{x});
  peer_batch x;
  CHECK(!arrives(header, x));
  CHECK_EQ(x.frames.capacity(), 0u);
}
