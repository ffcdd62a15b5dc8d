#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <array>

#include <msgpack.hpp>

#include <callboard/actors/connection_name.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/actors/topic_table_parts.hpp>
#include <callboard/messages/byte_buffer.hpp>

// Who is in the topics: what the owners are told of it, and what the watchers.

namespace callboard {

namespace {

using packer = msgpack::packer<byte_buffer>;

// One frame holds at most so many steps, and about so many bytes.
constexpr size_t steps_max = 256;
constexpr size_t frame_bytes = 32 * 1024;

size_t cost_of(const presence_step& x) noexcept {
  return 64 + x.user.size();
}

void pack_step(packer& pack, const presence_step& x, std::string_view node) {
  pack.pack_map(x.user.empty() ? 2 : 3);
  pack.pack("event").pack(x.joined ? "join" : "leave");
  if (!x.user.empty())
    pack.pack("user").pack(x.user);
  pack.pack("connection")
    .pack(connection_name(x.node.empty() ? node : x.node, x.connection));
}

} // namespace

// -- to the owners ------------------------------------------------------------

void topic_table::tell_owner(presence_change::kind what,
                             const local_topic& topic, connection_id connection,
                             std::string_view user) {
  presence_changes_.push_back(
    {what, topic.name, connection, std::string{user}});
}

void topic_table::enter_presence(subscription& x, bool watches) {
  auto& topic = *x.topic;
  if (watches) {
    x.watcher_index = static_cast<uint32_t>(topic.watchers.size());
    topic.watchers.push_back(&x);
    if (topic.watchers.size() == 1)
      tell_owner(presence_change::kind::watch, topic);
  }
  // Embedded actors are nobody's.
  if (x.box->connection != 0)
    tell_owner(presence_change::kind::join, topic, x.box->connection,
               x.box->owner->user());
}

void topic_table::leave_presence(subscription& x) {
  auto& topic = *x.topic;
  if (x.watcher_index != subscription::not_watching) {
    auto& list = topic.watchers;
    list[x.watcher_index] = list.back();
    list[x.watcher_index]->watcher_index = x.watcher_index;
    list.pop_back();
    if (list.empty())
      tell_owner(presence_change::kind::unwatch, topic);
  }
  if (x.box->connection != 0)
    tell_owner(presence_change::kind::leave, topic, x.box->connection);
}

void topic_table::tell_presence_again(std::string_view name, bool moved) {
  auto* topic = find(name);
  if (topic == nullptr || !topic->presence)
    return;
  using kind = presence_change::kind;
  if (!topic->watchers.empty())
    tell_owner(moved ? kind::watch_anew : kind::watch, *topic);
  auto tell = [this, topic](std::vector<local_topic::receiver>& list) {
    for (auto& [box, held] : list)
      if (box->owner != nullptr && box->connection != 0)
        tell_owner(kind::join, *topic, box->connection, box->owner->user());
  };
  for (auto& form : topic->forms)
    tell(form.list);
  tell(topic->behind);
}

// -- to the watchers ----------------------------------------------------------

size_t topic_table::deliver_presence(const presence_news& news,
                                     std::string_view node) {
  auto* topic = find(news.topic);
  if (topic == nullptr || !topic->ready)
    return 0;
  for (auto* x : topic->watchers)
    if (!x->takes_bytes && x->box->owner != nullptr)
      x->box->owner->on_presence(news.topic, &news);
  size_t frames = 0;
  auto& steps = news.steps;
  for (size_t first = 0; first < steps.size();) {
    auto last = first;
    for (size_t cost = 0; last < steps.size() && last - first < steps_max
                          && (last == first || cost < frame_bytes);
         ++last)
      cost += cost_of(steps[last]);
    byte_buffer content;
    packer pack{content};
    pack.pack_array(static_cast<uint32_t>(last - first));
    for (; first < last; ++first)
      pack_step(pack, steps[first], node);
    frames += write_to_watchers(*topic, content, news.timestamp);
  }
  return frames;
}

size_t topic_table::reset_presence(std::string_view name, int64_t unix_ms) {
  auto* topic = find(name);
  if (topic == nullptr || !topic->ready || topic->watchers.empty())
    return 0;
  for (auto* x : topic->watchers)
    if (!x->takes_bytes && x->box->owner != nullptr)
      x->box->owner->on_presence(topic->name, nullptr);
  byte_buffer content;
  packer pack{content};
  pack.pack_array(1).pack_map(1);
  pack.pack("event").pack("reset");
  return write_to_watchers(*topic, content, unix_ms);
}

size_t topic_table::write_to_watchers(local_topic& topic,
                                      const byte_buffer& content,
                                      int64_t unix_ms) {
  std::array<chunk_ptr, wire_form_count> made;
  frame_view frame;
  frame.type = frame_type::presence;
  frame.timestamp = unix_ms;
  frame.subject = visible_name(topic.name);
  frame.payload = {codec::msgpack, content.view()};
  size_t n = 0;
  for (auto* x : topic.watchers) {
    // Who has no answer yet will ask for the list when it comes.
    if (!x->takes_bytes || (x->behind != nullptr && !x->behind->answered))
      continue;
    auto& bytes = made[static_cast<size_t>(x->box->form())];
    if (!bytes) {
      bytes = scheduler_.chunks().take();
      wire_.append(x->box->form(), frame, bytes->bytes);
    }
    x->box->append(bytes);
    ++n;
  }
  return n;
}

} // namespace callboard
