#include <callboard/actors/group_speaker.hpp>

#include <utility>

#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

namespace callboard {

group_speaker::group_speaker(broker& self, loop_context& ctx)
  : self_{self}, ctx_{ctx} {
}

void group_speaker::tell(const group_seat& x, const group_outcome& y) {
  auto failed = y.code != errc::none;
  if (!failed && x.goes_on(y.where)) {
    if (!y.recovered)
      tell_gap(x.who, x.embedded, x.topic, x.group, y.member, y.where);
    return;
  }
  if (auto answer = x.answer; answer.pending())
    return failed ? answer.deliver(caf::make_error(y.code))
                  : answer.deliver(y.where, y.recovered);
  auto who = caf::actor_cast<caf::strong_actor_ptr>(x.who);
  if (!who)
    return;
  if (!x.embedded) {
    caf::anon_send(caf::actor_cast<connection_actor>(who),
                   group_notice{x.topic, x.group, x.call_id, y.code, y.member,
                                y.where, y.recovered});
    return;
  }
  auto actor = caf::actor_cast<caf::actor>(who);
  if (failed)
    caf::anon_send(actor, unsubscribe_atom_v, x.topic, position{});
  else if (y.where.epoch != x.since.epoch || !y.recovered)
    caf::anon_send(actor, x.topic, y.where);
}

void group_speaker::give(const caf::weak_actor_ptr& to, bool embedded,
                         const std::string& group, group_event x) {
  auto who = caf::actor_cast<caf::strong_actor_ptr>(to);
  // The shard will hear of it soon.
  if (!who)
    return;
  if (!embedded) {
    caf::anon_send(caf::actor_cast<connection_actor>(who), deliver_atom_v,
                   std::move(x));
    return;
  }
  auto msg = to_event(*x.event);
  msg.group = group;
  msg.attempt = x.attempt;
  ++ctx_.counts.deliveries;
  auto ticket = x.ticket;
  self_.request(caf::actor_cast<caf::actor>(who), caf::infinite, std::move(msg))
    .then(
      [=, this] {
        self_.answer_group({ticket, group_verdict::confirmed});
      },
      [=, this, id = who->id()](const caf::error& why) {
        // It is gone: this is no attempt of a member that is there.
        if (why == caf::sec::request_receiver_down)
          self_.drop_member(id);
        else
          self_.answer_group({ticket, group_verdict::rejected});
      });
}

void group_speaker::withdraw(const caf::weak_actor_ptr& from, group_ticket x) {
  if (auto who = caf::actor_cast<caf::strong_actor_ptr>(from))
    caf::anon_send(caf::actor_cast<connection_actor>(who), cancel_atom_v, x);
}

void group_speaker::tell_gap(const caf::weak_actor_ptr& to, bool embedded,
                             const std::string& topic, const std::string& group,
                             member_id member, const position& where) {
  auto who = caf::actor_cast<caf::strong_actor_ptr>(to);
  if (!who)
    return;
  if (embedded)
    caf::anon_send(caf::actor_cast<caf::actor>(who), topic, where);
  else
    caf::anon_send(caf::actor_cast<connection_actor>(who),
                   group_notice{topic, group, 0, errc::none, member, where,
                                false});
}

} // namespace callboard
