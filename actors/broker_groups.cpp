#include <callboard/actors/broker_groups.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/make_counted.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

namespace {

int64_t to_ms(caf::timespan x) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(x).count();
}

int64_t bytes_of(const node_context& node) {
  return static_cast<int64_t>(node.options.group_bytes_max / node.loops);
}

group_limits group_limits_of(const node_context& node) {
  auto& x = node.options;
  return {
    x.group_inflight_max,
    // The rest of an outbox is for what else its client gets.
    static_cast<int64_t>(x.outbox_bytes_max / 4),
    static_cast<uint32_t>(x.group_attempts_max),
    to_ms(x.group_ack_timeout),
    x.group_pending_max,
    bytes_of(node),
    x.groups_max,
    x.topic_groups_max,
    to_ms(x.group_linger),
  };
}

} // namespace

broker_groups::broker_groups(broker& self, loop_context& ctx,
                             owned_topics& topics)
  : self_{self},
    ctx_{ctx},
    topics_{topics},
    speaker_{self, ctx},
    table_{group_limits_of(ctx.node), *this},
    dead_{self, ctx, bytes_of(ctx.node)},
    began_ms_{now_ms()},
    refreshed_ms_{began_ms_} {
}

// -- from members -------------------------------------------------------------

void broker::join_group(const group_wish& x) {
  auto who = caf::actor_cast<caf::weak_actor_ptr>(current_sender());
  join_group(
    group_seat{x.topic, x.group, x.since, who, false, x.call_id, x.again});
}

caf::result<position, bool>
broker::join_group(const caf::actor& who, const std::string& topic,
                   const group_options& x, bool again) {
  if (auto wrong = groups_.check(topic, x))
    return wrong;
  auto promise = make_response_promise<position, bool>();
  join_group(group_seat{topic, x.group, x.since,
                        caf::actor_cast<caf::weak_actor_ptr>(who), true, 0,
                        again, promise});
  return promise;
}

void broker::join_group(const group_seat& x) {
  if (peers_.waits(x.topic))
    return peers_.groups().join_later(x);
  if (!peers_.owns(x.topic))
    return peers_.groups().join(x);
  groups_.prepare(x.topic, x.group, x.since, [this, x](errc failed) {
    if (failed == errc::none)
      groups_.join(x);
    else
      groups_.refuse(x, failed);
  });
}

void broker::leave_group(const caf::strong_actor_ptr& who,
                         const std::string& topic, const std::string& group) {
  if (who && peers_.groups().leave(who->id(), topic, group))
    return;
  // Not before it has joined.
  with_topic(topic, [this, who, topic, group](errc) {
    groups_.when_prepared(topic, group, [this, who, topic, group](errc) {
      groups_.unsubscribe(who, topic, group);
    });
  });
}

void broker::answer_group(const group_answer& x) {
  if (!peers_.groups().answer(x))
    groups_.answer(x);
}

void broker::drop_member(caf::actor_id who) {
  groups_.drop(who);
  peers_.groups().drop(who);
}

caf::error broker_groups::check(const std::string& topic,
                                const group_options& x) const {
  auto isolated = ctx_.node.options.tenant_isolation;
  if (auto wrong = check_full_name(isolated, topic, check_readable);
      wrong != subject_error::none)
    return caf::make_error(errc::bad_subject, std::string{to_sentence(wrong)});
  if (x.group.empty() || x.group.size() > group_name_bytes_max)
    return caf::make_error(errc::bad_payload,
                           std::string{"A group's name has 1 to 64 bytes."});
  return {};
}

void broker_groups::join(const group_seat& x) {
  if (auto* made = let_in(x))
    go_on(*made);
}

group_member* broker_groups::let_in(const group_seat& x) {
  auto failed = [&](errc why) -> group_member* {
    refuse(x, why);
    return nullptr;
  };
  auto who = caf::actor_cast<caf::strong_actor_ptr>(x.who);
  if (!who)
    return failed(errc::cancelled);
  if (find(who->id(), x.topic, x.group) != nullptr)
    return failed(errc::already_subscribed);
  auto made = add(x);
  if (made.member == nullptr)
    return failed(made.code);
  made.member->call_id = x.call_id;
  auto [i, is_new] = actors_.try_emplace(who->id());
  if (is_new)
    self_.monitor(who);
  i->second.push_back(made.member->id);
  auto goes_on = x.goes_on(made.where);
  // It comes before the events.
  speaker_.tell(x, {errc::none, made.member->id, std::move(made.where),
                    made.recovered});
  if (goes_on)
    claim(*made.member, x.has);
  return made.member;
}

void broker_groups::go_on(group_member& who) {
  who.group->go_on(now_ms());
  finish_turn();
}

void broker_groups::go_on(const std::string& topic, const std::string& group) {
  if (auto* found = table_.find(topic, group))
    found->go_on(now_ms());
  finish_turn();
}

broker_groups::outcome broker_groups::add(const group_seat& x) {
  auto& topic = x.topic;
  outcome result;
  result.code = errc::overloaded;
  auto head = topics_.position_of(topic, now_ms(),
                                  [this] { return self_.new_epoch(); });
  if (!head)
    return result;
  auto since = x.since;
  // Where the topic has started over, all that it has is new to the group.
  if (x.again && !since.epoch.empty() && since.epoch != head->epoch)
    since = {head->epoch, 0};
  auto state = state_of(topic, *head, since);
  auto* at = keeper(topic);
  state.durable = at != nullptr;
  std::map<std::string, absent_group>::node_type absent;
  if (at != nullptr)
    absent = at->absent.extract(x.group);
  if (absent)
    state.known = &absent.mapped().where;
  auto id = x.goes_on(*head) ? x.member : ctx_.node.next_member.fetch_add(1);
  auto made = table_.join(topic, x.group, state, id, x.who, x.embedded,
                          now_ms());
  if (made.member == nullptr) {
    if (absent)
      at->absent.insert(std::move(absent));
    return result;
  }
  if (absent && absent.mapped().is_new)
    made.recovered = absent.mapped().whole;
  topics_.hold(topic, true);
  result.code = errc::none;
  result.member = made.member;
  result.where = {std::move(head->epoch), made.place};
  result.recovered = made.recovered;
  return result;
}

group_table::topic_state broker_groups::state_of(const std::string& topic,
                                                 const position& head,
                                                 const position& since) {
  group_table::topic_state result{head.offset, head.offset, false};
  if (since.epoch != head.epoch || since.offset > head.offset)
    return result;
  auto first = oldest(topic);
  result.whole = since.offset == head.offset
                 || (first != 0 && first <= since.offset + 1);
  if (result.whole)
    result.begin = since.offset;
  return result;
}

void broker_groups::unsubscribe(const caf::strong_actor_ptr& who,
                                const std::string& topic,
                                const std::string& group) {
  auto* member = who ? find(who->id(), topic, group) : nullptr;
  if (member == nullptr)
    return;
  std::erase(actors_[who->id()], member->id);
  leave({member->id}, true);
}

void broker_groups::leave(const std::vector<member_id>& who, bool by_choice) {
  heed_draining();
  for (auto id : who)
    table_.find(id)->paused = true;
  for (auto id : who)
    table_.leave(*table_.find(id), by_choice, now_ms());
  finish_turn();
}

void broker_groups::answer(const group_answer& x) {
  heed_draining();
  auto* member = table_.find(x.ticket.member);
  if (member == nullptr)
    return;
  auto& group = *member->group;
  switch (x.verdict) {
    case group_verdict::confirmed:
      group.confirm(*member, x.ticket.number, now_ms());
      break;
    case group_verdict::rejected:
      group.reject(*member, x.ticket.number, now_ms());
      break;
    case group_verdict::no_room:
      group.give_back(*member, x.ticket.number, now_ms());
      break;
    case group_verdict::ready:
      group.resume(*member, now_ms());
      break;
  }
  finish_turn();
}

void broker_groups::drop(caf::actor_id who) {
  if (auto gone = actors_.extract(who))
    leave(gone.mapped(), false);
}

group_member* broker_groups::find(caf::actor_id who, const std::string& topic,
                                  const std::string& group) {
  auto i = actors_.find(who);
  if (i == actors_.end())
    return nullptr;
  for (auto id : i->second) {
    auto* member = table_.find(id);
    if (member->group->topic() == topic && member->group->name() == group)
      return member;
  }
  return nullptr;
}

// -- from the broker ----------------------------------------------------------

void broker_groups::publish(const publication_ptr& x) {
  if (table_.size() == 0)
    return;
  heed_draining();
  table_.publish(x, now_ms(), [&] { return topics_.keeps_history(x->topic); });
  finish_turn();
}

void broker_groups::time_out() {
  heed_draining();
  auto now = past_ms(self_.clock().now());
  alarms_.fired(now);
  table_.time_out(now);
  finish_turn();
}

void broker_groups::finish_turn() {
  arm(&self_, table_.deadlines(), alarms_, due_atom_v);
  if (table_.changed() && handed_over_)
    save_changed();
  else if (table_.changed())
    arm_upkeep();
  ctx_.metrics.groups.add(table_.take_counts());
  ctx_.metrics.groups.groups->value(static_cast<int64_t>(table_.size()));
  ctx_.metrics.groups.members->value(static_cast<int64_t>(table_.members()));
  ctx_.metrics.groups.events->value(static_cast<int64_t>(table_.events()));
  ctx_.metrics.groups.bytes->value(table_.bytes());
}

int64_t broker_groups::now_ms() const {
  return coming_ms(self_.clock().now());
}

// -- group_sink ---------------------------------------------------------------

void broker_groups::give(const group_member& to, const group_delivery& what) {
  if (to.home_id != 0)
    return self_.peers_.groups().give(to, what);
  speaker_.give(to.who, to.embedded, to.group->name(),
                {{to.id, what.number}, what.event, what.attempt});
}

void broker_groups::withdraw(const group_member& from, uint64_t number) {
  if (from.home_id != 0)
    return self_.peers_.groups().withdraw(from, number);
  speaker_.withdraw(from.who, {from.id, number});
}

void broker_groups::bury(const shared_group& group,
                         const publication_ptr& event, uint32_t attempts) {
  // It is among the dead letters already.
  if (is_dead_letter_topic(group.topic())) {
    ctx_.metrics.groups.lost->inc();
    return;
  }
  auto x = caf::make_counted<publication>();
  x->topic = dead_letter_topic(event->topic);
  x->payload = event->payload;
  x->sender = event->sender;
  x->trace = event->trace;
  x->key = event->key;
  x->origin = group.name();
  x->attempts = attempts;
  dead_.add(std::move(x));
}

void broker_groups::tell_gap(const shared_group& group) {
  auto where = position_of(group);
  for (auto& x : group.members())
    if (x->home_id != 0)
      self_.peers_.groups().tell_gap(*x, where);
    else
      speaker_.tell_gap(x->who, x->embedded, group.topic(), group.name(), x->id,
                        where);
}

position broker_groups::position_of(const shared_group& group) {
  auto head = topics_.position_of(group.topic(), now_ms(),
                                  [this] { return self_.new_epoch(); });
  return {head ? std::move(head->epoch) : std::string{}, group.place()};
}

void broker_groups::released(const std::string& topic) {
  topics_.hold(topic, false);
}

} // namespace callboard
