#include <callboard/actors/connection.hpp>

#include <algorithm>
#include <vector>

#include <caf/send.hpp>

#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/event_frame.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/actors/user_topic.hpp>

// A client as a member of groups. The shard of its node that the topic hashes
// to gives events straight to the connection, and is told what becomes of each,
// whether the node owns the topic or another one does. That one is called the
// owner here.

namespace callboard {

size_t connection::subscriptions() const {
  // The own topic is everybody's.
  auto own = user_topic(who_.user);
  auto has_own = !own.empty() && topic_table::has(*box_, full_name(own));
  return box_->subscriptions.size() - (has_own ? 1 : 0)
         + (memberships_ == nullptr ? 0 : memberships_->list.size());
}

// -- frames of the client -----------------------------------------------------

void connection::join_group(const frame_view& x) {
  if (is_pattern(x.subject))
    return refuse(x.seq_id, errc::bad_subject,
                  "A group has a topic, not a pattern.");
  if (!admit(x, operation::subscribe, check_readable(x.subject)))
    return;
  if (memberships_ == nullptr)
    memberships_ = std::make_unique<memberships>();
  std::string topic{full_name(x.subject)};
  if (memberships_->find(topic, x.meta.group) != nullptr)
    return refuse(x.seq_id, errc::already_subscribed);
  if (subscriptions() >= ctx_.limits().subscriptions_max)
    return refuse(x.seq_id, errc::too_many_subscriptions);
  auto shard = shard_of(topic, ctx_.node.loops);
  if (!begin(x.seq_id, inflight_kind::subscribe, shard))
    return;
  auto& made = memberships_->list.emplace_back();
  made.topic = std::move(topic);
  made.group = x.meta.group;
  made.ack = x.meta.has(meta_key::ack) && x.meta.ack;
  made.shard = shard;
  made.seq_id = x.seq_id;
  position since;
  if (x.meta.has(meta_key::since))
    since = {std::string{x.meta.since.epoch}, x.meta.since.offset};
  ask_owner(made, since);
}

void connection::leave_group(const frame_view& x) {
  std::string topic{full_name(x.subject)};
  auto known = memberships_ != nullptr
               && memberships_->find(topic, x.meta.group) != nullptr;
  if (!known)
    return refuse(x.seq_id, errc::not_subscribed);
  auto established = leave(topic, x.meta.group, errc::cancelled);
  write_response(x.seq_id, {});
  if (established)
    tell_life(lifecycle_kind::unsubscribed, topic);
}

bool connection::leave(std::string_view topic, std::string_view group,
                       errc why) {
  auto* found = memberships_->find(topic, group);
  send(ctx_.brokers[found->shard].actor, unsubscribe_atom_v,
       group_wish{found->topic, found->group, {}, 0});
  if (served_ != nullptr)
    served_->forget_events(found->unconfirmed);
  auto established = found->established;
  refuse_membership(found->seq_id, why);
  memberships_->erase(*found);
  return established;
}

bool connection::answer_event(uint32_t seq_id, group_verdict verdict) {
  if (served_ == nullptr)
    return false;
  auto found = served_->unconfirmed.extract(seq_id);
  if (!found)
    return false;
  auto& ticket = found.mapped();
  if (auto* x = memberships_->find(ticket.member)) {
    x->unconfirmed.erase(ticket.number);
    tell_owner(*x, ticket.number, verdict);
  }
  return true;
}

// -- messages -----------------------------------------------------------------

void connection::handle(const group_notice& x) {
  auto* found = memberships_ == nullptr ? nullptr
                                        : memberships_->find(x.topic, x.group);
  // What was asked for before the last time is not wanted any more.
  if (found == nullptr || (x.call_id != 0 && x.call_id != found->call_id)
      || (x.call_id == 0 && x.member != found->member))
    return;
  // A member that has joined anew has nothing of what it had before.
  if (x.call_id != 0)
    forget_events(*found);
  topic_position where{x.position.epoch, x.position.offset};
  auto seq_id = std::exchange(found->seq_id, 0);
  if (x.code != errc::none) {
    auto established = found->established;
    memberships_->erase(*found);
    if (!established)
      return refuse_membership(seq_id, x.code);
    // The shard that took over has no room.
    write_error(0, x.code,
                "No member of '" + x.group + "' of '"
                  + std::string{visible_name(x.topic)} + "' any more.");
    tell_life(lifecycle_kind::unsubscribed, x.topic);
    return close_if_drained();
  }
  memberships_->set_member(*found, x.member);
  if (x.call_id == 0)
    return write_group_position(x, "history exceeded");
  auto goes_on = std::exchange(found->epoch, x.position.epoch)
                 == x.position.epoch;
  if (std::exchange(found->established, true)) {
    if (!goes_on || !x.recovered)
      write_group_position(x, goes_on ? "history exceeded" : "epoch changed");
    return close_if_drained();
  }
  inflight_.take_seq_id(seq_id, inflight_kind::subscribe);
  write_position(seq_id, where, &x.recovered);
  tell_life(lifecycle_kind::subscribed, x.topic);
}

void connection::write_group_position(const group_notice& x,
                                      std::string_view reason) {
  byte_buffer content;
  msgpack::packer<byte_buffer> pack{content};
  pack.pack_map(3);
  pack.pack("epoch").pack(x.position.epoch);
  pack.pack("offset").pack(x.position.offset);
  pack.pack("reason").pack(std::string{reason});
  frame_view frame;
  frame.type = frame_type::position;
  frame.subject = visible_name(x.topic);
  frame.payload = {codec::msgpack, content.view()};
  frame.meta.mark(meta_key::group);
  frame.meta.group = x.group;
  write(frame);
}

void connection::take_event(const group_event& x) {
  auto* found = memberships_ == nullptr ? nullptr
                                        : memberships_->find(x.ticket.member);
  // The owner has been told, or is dead.
  if (found == nullptr)
    return;
  if (draining_)
    return tell_owner(*found, x.ticket.number, group_verdict::no_room);
  auto& event = *x.event;
  auto bytes = static_cast<size_t>(event.cost());
  if (box_->queued_bytes() > 0
      && box_->queued_bytes() + bytes > box_->bytes_max() / 2) {
    found->paused = true;
    box_->tell_when_drained();
    return tell_owner(*found, x.ticket.number, group_verdict::no_room);
  }
  auto frame = event_frame(event);
  if (found->ack) {
    frame.seq_id = serving().next_seq_id();
    served_->unconfirmed[frame.seq_id] = x.ticket;
    found->unconfirmed[x.ticket.number] = frame.seq_id;
  }
  frame.meta.mark(meta_key::group);
  frame.meta.group = found->group;
  // Not that of a dead letter, which counts anew here.
  frame.meta.unmark(meta_key::attempt);
  if (x.attempt > 1) {
    frame.meta.mark(meta_key::attempt);
    frame.meta.attempt = x.attempt;
  }
  write(frame);
  ++ctx_.counts.deliveries;
  if (!found->ack)
    tell_owner(*found, x.ticket.number, group_verdict::confirmed);
}

void connection::withdraw_event(const group_ticket& x) {
  auto* member = memberships_ == nullptr ? nullptr
                                         : memberships_->find(x.member);
  if (member == nullptr)
    return;
  auto found = member->unconfirmed.extract(x.number);
  if (!found)
    return;
  frame_view frame;
  frame.type = frame_type::cancel;
  frame.seq_id = found.mapped();
  served_->unconfirmed.erase(frame.seq_id);
  write(frame);
  close_if_drained();
}

void connection::on_drained() {
  if (memberships_ == nullptr || draining_)
    return;
  for (auto& x : memberships_->list)
    if (std::exchange(x.paused, false))
      tell_owner(x, 0, group_verdict::ready);
}

void connection::pause_groups() {
  if (memberships_ == nullptr)
    return;
  for (auto& x : memberships_->list)
    if (x.member != 0)
      tell_owner(x, 0, group_verdict::no_room);
}

void connection::groups_replaced(uint32_t shard) {
  if (memberships_ == nullptr)
    return;
  auto of_shard = [shard](const membership& x) { return x.shard == shard; };
  std::vector<uint32_t> lost;
  std::erase_if(memberships_->list, [&](const membership& x) {
    if (of_shard(x) && !x.established)
      lost.push_back(x.seq_id);
    return of_shard(x) && !x.established;
  });
  for (auto seq_id : lost)
    refuse_membership(seq_id, errc::internal);
  for (auto& x : memberships_->list) {
    if (!of_shard(x))
      continue;
    forget_events(x);
    memberships_->set_member(x, 0);
    ask_owner(x, {});
  }
}

void connection::forget_events(membership& x) {
  if (served_ != nullptr)
    served_->forget_events(x.unconfirmed);
  x.paused = false;
}

void connection::refuse_membership(uint32_t seq_id, errc code) {
  inflight_.take_seq_id(seq_id, inflight_kind::subscribe);
  refuse(seq_id, code);
}

// -- the owner ----------------------------------------------------------------

void connection::ask_owner(membership& x, const position& since) {
  if (++memberships_->last_call_id == 0)
    ++memberships_->last_call_id;
  x.call_id = memberships_->last_call_id;
  send(ctx_.brokers[x.shard].actor, subscribe_atom_v,
       group_wish{x.topic, x.group, since, x.call_id, x.established});
}

void connection::tell_owner(const membership& x, uint64_t number,
                            group_verdict verdict) {
  caf::anon_send(ctx_.brokers[x.shard].actor,
                 group_answer{{x.member, number}, verdict});
}

} // namespace callboard
