#include <callboard/actors/group_table.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace callboard {

bool group_table::most_groups::operator()(
  const topic_groups* x, const topic_groups* y) const noexcept {
  auto key = [](const topic_groups& z) {
    return std::tuple{-static_cast<int64_t>(z.groups.size()),
                      z.resting.last()->rested};
  };
  return key(*x) < key(*y);
}

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
    wake(*group);
  joined result{nullptr, group->place(), recovered};
  result.member = &group->join(id, std::move(who), embedded);
  members_[id] = result.member;
  return result;
}

void group_table::leave(group_member& who, bool by_choice, int64_t now_ms) {
  auto& group = *who.group;
  members_.erase(who.id);
  group.leave(who, now_ms);
  if (!group.members().empty())
    return;
  rest(group, now_ms);
  if (by_choice && group.untouched())
    forget(group);
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
  auto& groups = i->second.groups;
  auto j = std::ranges::find(groups, name, &shared_group::name);
  return j == groups.end() ? nullptr : j->get();
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
  for (auto& [topic, of_topic] : topics_)
    for (auto& x : of_topic.groups)
      x->note_change();
}

std::vector<moved_group> group_table::give_away(const std::string& topic) {
  std::vector<moved_group> result;
  auto i = topics_.find(topic);
  if (i == topics_.end())
    return result;
  auto& of_topic = i->second;
  if (!of_topic.resting.empty())
    crowded_.erase(&of_topic);
  for (auto& x : of_topic.groups) {
    if (x->members().empty())
      resting_.erase(*x);
    for (auto& y : x->members())
      members_.erase(y->id);
    result.push_back(x->give_away());
  }
  size_ -= of_topic.groups.size();
  topics_.erase(i);
  shared_.sink.released(topic);
  return result;
}

void group_table::adopt(const std::string& topic,
                        const std::vector<moved_group>& groups, uint64_t head,
                        int64_t now_ms) {
  for (auto& x : groups) {
    auto* made = find(topic, x.name) == nullptr
                   ? make(topic, x.name, {head, x.taken, false}, now_ms)
                   : nullptr;
    if (made != nullptr)
      made->adopt(x);
    else
      shared_.counts.lost += x.events.size();
  }
}

void group_table::detach(group_member& who, int64_t now_ms) {
  auto& group = *who.group;
  members_.erase(who.id);
  group.detach(who);
  if (group.members().empty())
    rest(group, now_ms);
}

void group_table::lose(const std::vector<moved_group>& groups) noexcept {
  for (auto& x : groups)
    shared_.counts.lost += x.events.size();
}

shared_group* group_table::make(const std::string& topic,
                                const std::string& name,
                                const topic_state& state, int64_t now_ms) {
  auto& limits = shared_.limits;
  auto i = topics_.find(topic);
  if (i != topics_.end()
      && i->second.groups.size() >= limits.topic_groups_max) {
    if (i->second.resting.empty())
      return nullptr;
    forget(first_to_go(i->second));
  } else if (size_ >= limits.groups_max) {
    if (crowded_.empty())
      return nullptr;
    forget(first_to_go(**crowded_.begin()));
  }
  auto& of_topic = topics_[topic];
  group_place fresh{name, state.begin, state.begin, {}};
  auto& from = state.known != nullptr ? *state.known : fresh;
  auto made = std::make_unique<shared_group>(shared_, topic, from, state.head,
                                             state.durable);
  auto& result = *made;
  change(of_topic, [&] { of_topic.groups.push_back(std::move(made)); });
  result.note_change();
  if (state.known != nullptr)
    result.note_known();
  ++size_;
  rest(result, now_ms);
  return &result;
}

void group_table::rest(shared_group& x, int64_t now_ms) {
  x.used_ms = now_ms;
  x.rested = ++last_rested_;
  resting_.push_front(x);
  auto& of_topic = topics_.find(x.topic())->second;
  change(of_topic, [&] { of_topic.resting.push_front(x); });
}

void group_table::wake(shared_group& x) {
  resting_.erase(x);
  auto& of_topic = topics_.find(x.topic())->second;
  change(of_topic, [&] { of_topic.resting.erase(x); });
}

void group_table::forget(shared_group& x) {
  resting_.erase(x);
  if (x.durable())
    shared_.sink.forgotten(x);
  auto i = topics_.find(x.topic());
  auto& of_topic = i->second;
  change(of_topic, [&] {
    of_topic.resting.erase(x);
    std::erase_if(of_topic.groups, [&x](auto& y) { return y.get() == &x; });
  });
  --size_;
  if (!of_topic.groups.empty())
    return;
  auto topic = i->first;
  topics_.erase(i);
  shared_.sink.released(topic);
}

shared_group& group_table::first_to_go(const topic_groups& x) noexcept {
  // Who only makes groups shall not drive out those that do something.
  for (auto* y = x.resting.last(); y != nullptr; y = y->in_topic.previous)
    if (!y->proven())
      return *y;
  return *x.resting.last();
}

} // namespace callboard
