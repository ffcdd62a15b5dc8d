#include <callboard/actors/connection.hpp>

#include <caf/send.hpp>

#include <callboard/actors/connection_parts.hpp>

// The actions that a client answers.

namespace callboard {

void connection::handle_register(const frame_view& x) {
  auto wrong = check_action(x.subject);
  if (wrong == subject_error::reserved)
    return refuse(x.seq_id, errc::forbidden);
  if (!admit(x, operation::register_action, wrong))
    return;
  auto& actions = serving().actions;
  auto known = std::ranges::find(actions, x.subject) != actions.end();
  if (!known && actions.size() >= ctx_.limits().registrations_max)
    return refuse(x.seq_id, errc::too_many_subscriptions);
  auto shard = shard_of(x.subject, ctx_.node.loops);
  auto call = begin(x.seq_id, inflight_kind::register_action, shard);
  if (!call)
    return;
  if (!known) {
    actions.emplace_back(x.subject);
    if (*call != 0)
      served_->registering[*call] = x.subject;
  }
  send(ctx_.routers[shard].actor, register_atom_v, full_action(x.subject),
       *call);
}

void connection::handle_unregister(const frame_view& x) {
  auto found = served_ != nullptr
               && std::erase(served_->actions, std::string{x.subject}) > 0;
  if (!found)
    return refuse(x.seq_id, errc::not_subscribed);
  auto shard = shard_of(x.subject, ctx_.node.loops);
  if (auto call = begin(x.seq_id, inflight_kind::register_action, shard))
    send(ctx_.routers[shard].actor, unregister_atom_v, full_action(x.subject),
         *call);
}

} // namespace callboard
