#include <callboard/actors/group_table.hpp>

#include <algorithm>
#include <utility>

namespace callboard {

group_table::group_table(const group_limits& limits, group_sink& sink)
  : shared_{limits, sink, {}, 0, 0, 0, {}, {}, false} {
}

group_table::~group_table() = default;

group_table::joined
group_table::join(const std::string& topic, const std::string& name,
                  const topic_state& state, member_id id,
                  caf::weak_actor_ptr who, bool embedded, int64_t now_ms) {
  auto* group = find(topic, name);
  auto recovered = state.whole;
  if (group == nullptr) {
    group = make(topic, name, state, now_ms);
    if (group == nullptr)
      return {};
    if (state.known != nullptr)
      recovered = group->catch_up();
  } else {
    // What the topic forgot while nobody was there shows now.
    recovered = group->catch_up();
  }
  if (group->members().empty())
    resting_.erase(*group);
  joined result{nullptr, group->place(), recovered};
  result.member = &group->join(id, std::move(who), embedded);
  members_[id] = result.member;
  return result;
}

void group_table::leave(group_member& who, int64_t now_ms) {
  auto& group = *who.group;
  members_.erase(who.id);
  group.leave(who, now_ms);
  if (group.members().empty())
    rest(group, now_ms);
}

group_member* group_table::find(member_id id) const {
  auto i = members_.find(id);
  return i == members_.end() ? nullptr : i->second;
}

shared_group* group_table::find(std::string_view topic,
                                std::string_view name) const {
  auto i = topics_.find(topic);
  if (i == topics_.end())
    return nullptr;
  auto j = std::ranges::find(i->second, name, &shared_group::name);
  return j == i->second.end() ? nullptr : j->get();
}

void group_table::time_out(int64_t now_ms) {
  while (auto x = shared_.deadlines.pop_due(now_ms))
    x->group->time_out(x->offset, now_ms);
}

void group_table::expire(int64_t now_ms) {
  while (auto* x = resting_.last()) {
    if (now_ms - x->used_ms < shared_.limits.linger_ms)
      return;
    forget(*x);
  }
}

std::vector<shared_group*> group_table::take_changed() {
  for (auto* x : shared_.changed)
    x->note_saved();
  return std::exchange(shared_.changed, {});
}

void group_table::change_all() {
  for (auto& [topic, groups] : topics_)
    for (auto& x : groups)
      x->note_change();
}

shared_group* group_table::make(const std::string& topic,
                                const std::string& name,
                                const topic_state& state, int64_t now_ms) {
  if (size_ >= shared_.limits.groups_max) {
    if (resting_.empty())
      return nullptr;
    forget(*resting_.last());
  }
  auto& groups = topics_[topic];
  group_place fresh{name, state.begin, state.begin, {}};
  auto& from = state.known != nullptr ? *state.known : fresh;
  auto& made = *groups.emplace_back(std::make_unique<shared_group>(
    shared_, topic, from, state.head, state.durable));
  made.note_change();
  ++size_;
  rest(made, now_ms);
  return &made;
}

void group_table::rest(shared_group& x, int64_t now_ms) {
  x.used_ms = now_ms;
  resting_.push_front(x);
}

void group_table::forget(shared_group& x) {
  resting_.erase(x);
  if (x.durable())
    shared_.sink.forgotten(x);
  auto i = topics_.find(x.topic());
  auto is_x = [&x](const auto& y) { return y.get() == &x; };
  std::erase_if(i->second, is_x);
  --size_;
  if (!i->second.empty())
    return;
  auto topic = i->first;
  topics_.erase(i);
  shared_.sink.released(topic);
}

} // namespace callboard
