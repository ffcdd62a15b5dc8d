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
struct history_query_content {
  std::string topic;
  std::optional<since_content> since;
  std::optional<uint64_t> before;
  std::optional<uint64_t> limit;
  std::optional<bool> reverse;

  MSGPACK_DEFINE_MAP(topic, since, before, limit, reverse)
};

using packer = msgpack::packer<byte_buffer>;

// Says what a live event does. What does not apply is left out there too.
void pack_event(packer& pack, byte_buffer& out, const publication& x) {
  auto texts = {std::pair{"trace", &x.trace}, std::pair{"key", &x.key},
                std::pair{"origin", &x.origin}};
  auto set = std::ranges::count_if(texts,
                                   [](auto& y) { return !y.second->empty(); });
  auto dead = x.attempts > 0;
  pack.pack_map(static_cast<uint32_t>(4 + set + (dead ? 1 : 0)));
  pack.pack("offset").pack(x.offset);
  pack.pack("timestamp").pack(x.timestamp);
  pack.pack("sender").pack(x.sender);
  for (auto& [name, value] : texts)
    if (!value->empty())
      pack.pack(name).pack(*value);
  if (dead)
    pack.pack("attempt").pack(x.attempts);
  pack.pack("payload");
  transcode(codec::msgpack, x.payload.view(), out);
}

} // namespace

std::optional<history_query> read_query(payload_view content,
                                        bool position_only) {
  auto read = payload{content}.get_as<history_query_content>();
  if (!read || read->topic.empty())
    return std::nullopt;
  history_query result;
  auto since = std::move(read->since).value_or(since_content{});
  result.topic = std::move(read->topic);
  result.position_only = position_only;
  result.since_epoch = std::move(since.epoch);
  result.since_offset = since.offset;
  result.before = read->before.value_or(0);
  // A larger one is as wrong as 0.
  auto limit = read->limit.value_or(result.limit);
  result.limit
    = limit > history_query::limit_max ? 0 : static_cast<uint32_t>(limit);
  result.reverse = read->reverse.value_or(false);
  if (!result.well_formed())
    return std::nullopt;
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

history_found select(const history_query& x, const history_slice& slice,
                     bool more) {
  history_found result{{slice.epoch, slice.head}, {}, more};
  auto n = slice.events.size();
  size_t bytes = 0;
  for (size_t i = 0; i < n; ++i) {
    auto& event = slice.events[x.reverse ? n - 1 - i : i];
    bytes += static_cast<size_t>(event->cost());
    if (bytes > x.bytes_max && i > 0) {
      result.more = true;
      break;
    }
    result.events.push_back(event);
  }
  return result;
}

request_outcome answer(const history_query& x, const history_found& found) {
  byte_buffer out;
  packer pack{out};
  pack.pack_map(x.position_only ? 2 : 4);
  pack.pack("epoch").pack(found.head.epoch);
  pack.pack("offset").pack(found.head.offset);
  if (!x.position_only) {
    pack.pack("more").pack(found.more);
    pack.pack("events").pack_array(static_cast<uint32_t>(found.events.size()));
    for (auto& event : found.events)
      pack_event(pack, out, *event);
  }
  return request_outcome::answer(
    payload{payload_view{codec::msgpack, out.view()}});
}

history_page to_page(const history_found& found) {
  history_page result{found.head, {}, found.more};
  result.events.reserve(found.events.size());
  for (auto& x : found.events)
    result.events.push_back(to_event(*x));
  return result;
}

} // namespace callboard
