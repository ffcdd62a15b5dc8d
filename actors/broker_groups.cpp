#include <callboard/actors/broker_groups.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

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

group_ticket ticket_of(const group_member& who, uint64_t number) {
  return {who.id, number};
}

} // namespace

broker_groups::broker_groups(broker& self, loop_context& ctx,
                             owned_topics& topics)
  : self_{self},
    ctx_{ctx},
    topics_{topics},
    table_{group_limits_of(ctx.node), *this},
    dead_{self, ctx, bytes_of(ctx.node)},
    began_ms_{now_ms()},
    refreshed_ms_{began_ms_} {
}

// -- from members -------------------------------------------------------------

void broker::join_group(const group_wish& x) {
  // Its members would have to be of this node.
  if (peers_.clustered())
    return groups_.refuse(current_sender(), x, errc::forbidden);
  groups_.prepare(x.topic, x.group, x.since,
                  [this, x, who = current_sender()](errc failed) {
                    if (failed == errc::none)
                      groups_.subscribe(who, x);
                    else
                      groups_.refuse(who, x, failed);
                  });
}

caf::result<position, bool> broker::join_group(const caf::actor& who,
                                               const std::string& topic,
                                               const group_options& x) {
  if (peers_.clustered())
    return caf::make_error(errc::forbidden,
                           std::string{"A cluster has no groups yet."});
  if (auto wrong = groups_.check(topic, x))
    return wrong;
  auto promise = make_response_promise<position, bool>();
  groups_.prepare(topic, x.group, x.since,
                  [this, who, topic, x, promise](errc failed) mutable {
                    if (failed != errc::none)
                      promise.deliver(caf::make_error(failed));
                    else
                      groups_.subscribe(who, topic, x, std::move(promise));
                  });
  return promise;
}

void broker::leave_group(const caf::strong_actor_ptr& who,
                         const std::string& topic, const std::string& group) {
  // Not before it has joined.
  with_topic(topic, [this, who, topic, group](errc) {
    groups_.when_prepared(topic, group, [this, who, topic, group](errc) {
      groups_.unsubscribe(who, topic, group);
    });
  });
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

void broker_groups::refuse(const caf::strong_actor_ptr& who,
                           const group_wish& x, errc why) {
  if (who)
    caf::anon_send(
      caf::actor_cast<connection_actor>(who),
      group_notice{x.topic, x.group, x.call_id, why, 0, {}, false});
}

void broker_groups::subscribe(const caf::strong_actor_ptr& who,
                              const group_wish& x) {
  if (!who)
    return;
  auto made = join(who, false, x.topic, x.group, x.since);
  group_notice notice{x.topic, x.group, x.call_id, made.code, 0, {}, false};
  if (made.member != nullptr) {
    notice.member = made.member->id;
    notice.position = std::move(made.where);
    notice.recovered = made.recovered;
  }
  // It comes before the events.
  caf::anon_send(caf::actor_cast<connection_actor>(who), std::move(notice));
  if (made.member != nullptr)
    made.member->group->go_on(now_ms());
  finish_turn();
}

void broker_groups::subscribe(
  const caf::actor& who, const std::string& topic, const group_options& x,
  caf::typed_response_promise<position, bool> answer) {
  auto made = join(caf::actor_cast<caf::strong_actor_ptr>(who), true, topic,
                   x.group, x.since);
  if (made.member == nullptr)
    return answer.deliver(caf::make_error(made.code));
  answer.deliver(std::move(made.where), made.recovered);
  made.member->group->go_on(now_ms());
  finish_turn();
}

broker_groups::outcome
broker_groups::join(const caf::strong_actor_ptr& who, bool embedded,
                    const std::string& topic, const std::string& group,
                    const position& since) {
  outcome result;
  if (find(who->id(), topic, group) != nullptr) {
    result.code = errc::already_subscribed;
    return result;
  }
  auto head = topics_.position_of(topic, now_ms(),
                                  [this] { return self_.new_epoch(); });
  result.code = errc::overloaded;
  if (!head)
    return result;
  auto state = state_of(topic, *head, since);
  auto* at = keeper(topic);
  state.durable = at != nullptr;
  std::map<std::string, absent_group>::node_type absent;
  if (at != nullptr)
    absent = at->absent.extract(group);
  if (absent)
    state.known = &absent.mapped().where;
  auto made = table_.join(topic, group, state,
                          ctx_.node.next_member.fetch_add(1),
                          caf::actor_cast<caf::weak_actor_ptr>(who), embedded,
                          now_ms());
  if (made.member == nullptr) {
    if (absent)
      at->absent.insert(std::move(absent));
    return result;
  }
  if (absent && absent.mapped().is_new)
    made.recovered = absent.mapped().whole;
  topics_.hold(topic, true);
  auto [i, is_new] = actors_.try_emplace(who->id());
  if (is_new)
    self_.monitor(who);
  i->second.push_back(made.member->id);
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
  heed_draining();
  auto* member = who ? find(who->id(), topic, group) : nullptr;
  if (member == nullptr)
    return;
  std::erase(actors_[who->id()], member->id);
  table_.leave(*member, true, now_ms());
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
  heed_draining();
  auto gone = actors_.extract(who);
  if (!gone)
    return;
  for (auto id : gone.mapped())
    table_.leave(*table_.find(id), false, now_ms());
  finish_turn();
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
  if (table_.changed())
    handed_over_ ? save_changed() : arm_upkeep();
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
  auto who = caf::actor_cast<caf::strong_actor_ptr>(to.who);
  // One that is gone will be told of soon.
  if (!who)
    return;
  auto ticket = ticket_of(to, what.number);
  if (!to.embedded) {
    caf::anon_send(caf::actor_cast<connection_actor>(who), deliver_atom_v,
                   group_event{ticket, what.event, what.attempt});
    return;
  }
  auto msg = to_event(*what.event);
  msg.group = to.group->name();
  msg.attempt = what.attempt;
  ++ctx_.counts.deliveries;
  self_.request(caf::actor_cast<caf::actor>(who), caf::infinite, std::move(msg))
    .then(
      [=, this] {
        answer({ticket, group_verdict::confirmed});
      },
      [=, this, id = who->id()](const caf::error& why) {
        // It is gone: this is no attempt of a member that is there.
        if (why == caf::sec::request_receiver_down)
          drop(id);
        else
          answer({ticket, group_verdict::rejected});
      });
}

void broker_groups::withdraw(const group_member& from, uint64_t number) {
  if (auto who = caf::actor_cast<caf::strong_actor_ptr>(from.who))
    caf::anon_send(caf::actor_cast<connection_actor>(who), cancel_atom_v,
                   ticket_of(from, number));
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
  auto head = topics_.position_of(group.topic(), now_ms(),
                                  [this] { return self_.new_epoch(); });
  position where{head ? head->epoch : std::string{}, group.place()};
  for (auto& x : group.members()) {
    auto who = caf::actor_cast<caf::strong_actor_ptr>(x->who);
    if (!who)
      continue;
    if (x->embedded)
      caf::anon_send(caf::actor_cast<caf::actor>(who), group.topic(), where);
    else
      caf::anon_send(caf::actor_cast<connection_actor>(who),
                     group_notice{group.topic(), group.name(), 0, errc::none,
                                  x->id, where, false});
  }
}

void broker_groups::released(const std::string& topic) {
  topics_.hold(topic, false);
}

} // namespace callboard
