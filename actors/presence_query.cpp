#include <callboard/actors/presence_query.hpp>

#include <algorithm>

#include <msgpack.hpp>

#include <callboard/actors/connection_name.hpp>
#include <callboard/actors/presence_registry.hpp>
#include <callboard/messages/byte_buffer.hpp>

namespace callboard {

namespace {

// What is nil counts as left out.
struct presence_query_content {
  std::string topic;
  std::optional<uint64_t> limit;
  std::optional<std::string> after;

  MSGPACK_DEFINE_MAP(topic, limit, after)
};

using packer = msgpack::packer<byte_buffer>;

void pack_member(packer& pack, const presence_member& x,
                 std::string_view node) {
  pack.pack_map(x.user.empty() ? 1 : 2);
  if (!x.user.empty())
    pack.pack("user").pack(x.user);
  auto n = static_cast<uint32_t>(x.connections.size());
  pack.pack("connections").pack_array(n);
  for (uint32_t i = 0; i < n; ++i) {
    auto foreign = !x.nodes.empty() && !x.nodes[i].empty();
    pack.pack(connection_name(foreign ? x.nodes[i] : node, x.connections[i]));
  }
}

request_outcome to_answer(const byte_buffer& x) {
  return request_outcome::answer(
    payload{payload_view{codec::msgpack, x.view()}});
}

} // namespace

std::optional<presence_query> read_presence_query(payload_view content,
                                                  bool count_only) {
  auto read = payload{content}.get_as<presence_query_content>();
  presence_query result;
  auto limit = read && read->limit ? *read->limit : result.limit;
  if (!read || read->topic.empty() || limit < 1
      || limit > presence_query::limit_max)
    return std::nullopt;
  result.topic = std::move(read->topic);
  result.count_only = count_only;
  result.limit = static_cast<uint32_t>(limit);
  result.after = std::move(read->after).value_or(std::string{});
  return result;
}

request_outcome answer(const presence_page& x, std::string_view node,
                       size_t bytes_max) {
  byte_buffer members;
  packer pack_members{members};
  uint32_t count = 0;
  for (auto& member : x.members) {
    if (members.size() >= bytes_max)
      break;
    pack_member(pack_members, member, node);
    ++count;
  }
  auto next = count == x.members.size()
                ? x.next
                : presence_registry::cursor_of(x.members[count - 1], node);
  byte_buffer out;
  packer pack{out};
  pack.pack_map(next.empty() ? 1 : 2);
  pack.pack("members").pack_array(count);
  out.append(members.view());
  if (!next.empty())
    pack.pack("next").pack(next);
  return to_answer(out);
}

request_outcome answer(const presence_count& x) {
  byte_buffer out;
  packer pack{out};
  pack.pack_map(2);
  pack.pack("members").pack(x.members);
  pack.pack("connections").pack(x.connections);
  return to_answer(out);
}

} // namespace callboard
