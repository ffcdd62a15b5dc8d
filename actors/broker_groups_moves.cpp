#include <callboard/actors/broker_groups.hpp>

#include <algorithm>
#include <utility>

#include <callboard/actors/broker.hpp>

// Groups whose topics change their owner.

namespace callboard {

std::vector<moved_group> broker_groups::give_away(
  const std::string& topic, std::vector<group_seat>& here,
  const std::function<void(group_member&, const position&)>& gone) {
  table_.for_each_of(topic, [&](shared_group& group) {
    auto where = position_of(group);
    for (auto& x : group.members()) {
      if (x->home_id != 0) {
        gone(*x, where);
        continue;
      }
      std::erase(actors_[x->who->id()], x->id);
      auto& seat = here.emplace_back(group_seat{
        topic, group.name(), where, x->who, x->embedded, x->call_id, true});
      seat.member = x->id;
      for (auto& [number, slot] : x->given)
        seat.has.emplace(number, slot.offset);
    }
  });
  auto result = table_.give_away(topic);
  finish_turn();
  return result;
}

void broker_groups::adopt(const std::string& topic, uint64_t head,
                          const std::vector<moved_group>& groups) {
  table_.adopt(topic, groups, head, now_ms());
  // There may be no room for any of them.
  if (table_.for_each_of(topic, [](const shared_group&) {}))
    topics_.hold(topic, true);
  finish_turn();
}

void broker_groups::detach(member_id who) {
  table_.detach(*table_.find(who), now_ms());
  finish_turn();
}

void broker_groups::lose(const std::vector<moved_group>& groups) {
  table_.lose(groups);
  finish_turn();
}

void broker_groups::claim(group_member& who,
                          const std::map<uint64_t, uint64_t>& has) {
  for (auto [number, offset] : has)
    if (!who.group->claim(who, number, offset, now_ms()))
      withdraw(who, number);
  finish_turn();
}

void broker_groups::confirm(const std::string& topic, const std::string& group,
                            uint64_t number, const position& where) {
  auto* found = table_.find(topic, group);
  if (found != nullptr && position_of(*found).epoch == where.epoch)
    found->confirm_unclaimed(number, where.offset);
}

void broker_groups::open(const std::string& topic) {
  auto now = now_ms();
  table_.for_each_of(topic, [now](shared_group& x) {
    x.let_go();
    x.go_on(now);
  });
  finish_turn();
}

} // namespace callboard
