#include <callboard/actors/presence_registry.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <caf/make_counted.hpp>

namespace callboard {

namespace {

constexpr char user_mark = 'u';
constexpr char connection_mark = 'c';

// The keys of connections sort like their numbers.
std::string key_of(connection_id connection, std::string_view user) {
  if (!user.empty())
    return user_mark + std::string{user};
  char digits[16];
  auto end
    = std::to_chars(std::begin(digits), std::end(digits), connection, 16).ptr;
  std::string result(1, connection_mark);
  result.append(sizeof(digits) - static_cast<size_t>(end - digits), '0');
  return result.append(digits, end);
}

std::string user_of(std::string_view key) {
  return key.front() == user_mark ? std::string{key.substr(1)} : std::string{};
}

} // namespace

// -- from the loops -----------------------------------------------------------

void presence_registry::apply(const presence_report& report, int64_t now_ms) {
  using kind = presence_change::kind;
  for (auto& x : report.changes) {
    switch (x.what) {
      case kind::join:
        join(x, now_ms);
        break;
      case kind::leave:
        leave(x, now_ms);
        break;
      case kind::watch:
      case kind::unwatch:
        watch(x, report.loop);
        break;
    }
  }
}

presence_registry::room& presence_registry::room_of(const std::string& topic) {
  auto [i, added] = rooms_.try_emplace(topic);
  if (added)
    i->second.batch = batches_.end();
  return i->second;
}

void presence_registry::join(const presence_change& x, int64_t now_ms) {
  auto& at = room_of(x.topic);
  auto [who, added] = at.members.try_emplace(key_of(x.connection, x.user));
  auto& connections = who->second.connections;
  place there{who, static_cast<uint32_t>(connections.size())};
  if (!at.connections.emplace(x.connection, there).second)
    return;
  connections.push_back(x.connection);
  stop_lingering(who->second);
  if (!added)
    return;
  ++members_;
  changed(x.topic, at, who->first, false, x.connection, now_ms);
}

void presence_registry::leave(const presence_change& x, int64_t now_ms) {
  auto found = rooms_.find(x.topic);
  if (found == rooms_.end())
    return;
  auto& at = found->second;
  auto place = at.connections.find(x.connection);
  if (place == at.connections.end())
    return;
  auto [i, index] = place->second;
  auto& [key, who] = *i;
  at.connections.erase(place);
  // The last one takes its place.
  auto last = who.connections.back();
  who.connections.pop_back();
  if (last != x.connection) {
    who.connections[index] = last;
    at.connections.find(last)->second.index = index;
  }
  if (!who.connections.empty())
    return;
  // A connection's number never comes back.
  if (key.front() == connection_mark || limits_.linger_ms == 0) {
    changed(x.topic, at, key, true, x.connection, now_ms);
    at.members.erase(at.members.find(key));
    --members_;
    forget_if_unused(x.topic);
    return;
  }
  who.last = x.connection;
  who.lingers = true;
  who.linger = lingering_.insert(lingering_.end(),
                                 {now_ms + limits_.linger_ms, x.topic, key});
  if (lingering_.size() > limits_.lingering_max)
    end_linger(now_ms);
}

void presence_registry::watch(const presence_change& x, uint32_t loop) {
  auto on = x.what == presence_change::kind::watch;
  room_of(x.topic).watchers.set(loop, on);
  if (!on)
    forget_if_unused(x.topic);
}

// -- to the loops -------------------------------------------------------------

int64_t presence_registry::due_ms() const noexcept {
  auto linger = lingering_.empty() ? never : lingering_.front().until_ms;
  auto batch = batches_.empty() ? never : batches_.begin()->first;
  return std::min(linger, batch);
}

void presence_registry::end_linger(int64_t now_ms) {
  auto oldest = std::move(lingering_.front());
  auto& at = rooms_.find(oldest.topic)->second;
  auto who = at.members.find(oldest.key);
  stop_lingering(who->second);
  changed(oldest.topic, at, oldest.key, true, who->second.last, now_ms);
  at.members.erase(who);
  --members_;
  forget_if_unused(oldest.topic);
}

void presence_registry::stop_lingering(member& who) {
  if (std::exchange(who.lingers, false))
    lingering_.erase(who.linger);
}

void presence_registry::changed(const std::string& topic, room& at,
                                const std::string& key, bool was_here,
                                connection_id last, int64_t now_ms) {
  if (at.watchers.empty())
    return;
  auto [x, added] = at.changed.try_emplace(key, heard{was_here, last});
  x->second.last = last;
  if (at.batch != batches_.end())
    return;
  auto soon = at.told_ms > now_ms - limits_.interval_ms;
  schedule(topic, at, soon ? at.told_ms + limits_.interval_ms : now_ms);
}

void presence_registry::schedule(const std::string& topic, room& at,
                                 int64_t at_ms) {
  at.batch = batches_.emplace(at_ms, topic);
}

presence_news_ptr presence_registry::take_news(const std::string& topic,
                                               int64_t now_ms) {
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return nullptr;
  auto& at = found->second;
  unschedule(at);
  auto result = caf::make_counted<presence_news>();
  result->topic = topic;
  auto& steps = result->steps;
  for (auto i = at.changed.begin();
       i != at.changed.end() && steps.size() < steps_max;
       i = at.changed.erase(i)) {
    auto& [key, x] = *i;
    auto is_here = at.members.contains(key);
    if (is_here != x.was_here || at.listed)
      steps.push_back({is_here, user_of(key), x.last});
  }
  if (at.changed.empty()) {
    at.changed = {};
    at.listed = false;
  } else {
    schedule(topic, at, now_ms + std::max<int64_t>(limits_.interval_ms, 1));
  }
  if (steps.empty())
    return nullptr;
  at.told_ms = now_ms;
  return result;
}

void presence_registry::unschedule(room& at) {
  if (at.batch != batches_.end())
    batches_.erase(std::exchange(at.batch, batches_.end()));
}

const loop_set& presence_registry::watchers_of(std::string_view topic) const {
  static const loop_set none;
  auto i = rooms_.find(topic);
  return i == rooms_.end() ? none : i->second.watchers;
}

void presence_registry::forget_if_unused(const std::string& topic) {
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return;
  auto& at = i->second;
  if (!at.members.empty() || !at.watchers.empty())
    return;
  unschedule(at);
  rooms_.erase(i);
}

// -- questions ----------------------------------------------------------------

std::string presence_registry::cursor_of(const presence_member& x) {
  return key_of(x.connections.empty() ? 0 : x.connections.front(), x.user);
}

presence_count presence_registry::count(std::string_view topic) const {
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return {};
  return {i->second.members.size(), i->second.connections.size()};
}

presence_page presence_registry::list(std::string_view topic,
                                      std::string_view after, size_t limit) {
  presence_page result;
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return result;
  found->second.listed = !found->second.changed.empty();
  auto& all = found->second.members;
  auto i = all.upper_bound(after);
  for (; i != all.end() && result.members.size() < limit; ++i) {
    auto& [key, who] = *i;
    auto n = std::min(who.connections.size(), connections_max);
    auto first = who.connections.begin();
    result.members.push_back(
      {user_of(key), {first, first + static_cast<ptrdiff_t>(n)}});
  }
  if (i != all.end() && !result.members.empty())
    result.next = std::prev(i)->first;
  return result;
}

} // namespace callboard
