#include <callboard/actors/history_query.hpp>

#include <algorithm>

#include <msgpack.hpp>

#include <callboard/messages/frame_writer.hpp>

namespace callboard {

namespace {

struct since_content {
  std::string epoch;
  uint64_t offset = 0;

  MSGPACK_DEFINE_MAP(epoch, offset)
};

// What is nil counts as left out.
struct query_content {
  std::string topic;
  std::optional<since_content> since;
  std::optional<uint64_t> before;
  std::optional<uint64_t> limit;
  std::optional<bool> reverse;

  MSGPACK_DEFINE_MAP(topic, since, before, limit, reverse)
};

// Ours are much shorter.
constexpr size_t epoch_bytes_max = 255;

using packer = msgpack::packer<byte_buffer>;

void pack_event(packer& pack, byte_buffer& out, const publication& x) {
  pack.pack_map(4);
  pack.pack("offset").pack(x.offset);
  pack.pack("timestamp").pack(x.timestamp);
  pack.pack("sender").pack(x.sender);
  pack.pack("payload");
  transcode(codec::msgpack, x.payload.view(), out);
}

} // namespace

std::optional<history_query> read_query(payload_view content,
                                        bool position_only) {
  auto read = payload{content}.get_as<query_content>();
  if (!read || read->topic.empty())
    return std::nullopt;
  history_query result;
  auto since = std::move(read->since).value_or(since_content{});
  auto limit = read->limit.value_or(result.limit);
  if (since.epoch.size() > epoch_bytes_max || limit < 1
      || limit > history_query::limit_max)
    return std::nullopt;
  result.topic = std::move(read->topic);
  result.position_only = position_only;
  result.since_epoch = std::move(since.epoch);
  result.since_offset = since.offset;
  result.before = read->before.value_or(0);
  result.limit = static_cast<uint32_t>(limit);
  result.reverse = read->reverse.value_or(false);
  return result;
}

history_range range_of(const history_query& x, const position& head,
                       uint64_t oldest) noexcept {
  if (oldest == 0)
    return {};
  auto first = oldest;
  if (x.since_epoch == head.epoch) {
    if (x.since_offset >= head.offset)
      return {};
    first = std::max(first, x.since_offset + 1);
  }
  auto end = x.before == 0 ? head.offset + 1
                           : std::min(x.before, head.offset + 1);
  if (first >= end)
    return {};
  auto all = static_cast<size_t>(end - first);
  auto count = std::min<size_t>(all, x.limit);
  return {x.reverse ? end - count : first, count, count < all};
}

request_outcome answer(const history_query& x, const history_slice& slice,
                       bool more, size_t bytes_max) {
  auto n = slice.events.size();
  auto event_at = [&](size_t i) -> const publication& {
    return *slice.events[x.reverse ? n - 1 - i : i];
  };
  size_t count = 0;
  for (size_t bytes = 0; count < n; ++count) {
    bytes += static_cast<size_t>(event_at(count).cost());
    if (bytes > bytes_max && count > 0)
      break;
  }
  byte_buffer out;
  packer pack{out};
  pack.pack_map(4);
  pack.pack("epoch").pack(slice.epoch);
  pack.pack("offset").pack(slice.head);
  pack.pack("more").pack(more || count < n);
  pack.pack("events").pack_array(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; ++i)
    pack_event(pack, out, event_at(i));
  return request_outcome::answer(
    payload{payload_view{codec::msgpack, out.view()}});
}

request_outcome answer(const position& x) {
  byte_buffer out;
  packer pack{out};
  pack.pack_map(2);
  pack.pack("epoch").pack(x.epoch);
  pack.pack("offset").pack(x.offset);
  return request_outcome::answer(
    payload{payload_view{codec::msgpack, out.view()}});
}

} // namespace callboard
