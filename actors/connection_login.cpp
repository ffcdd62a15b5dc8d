#include <callboard/actors/connection.hpp>

#include <algorithm>
#include <vector>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/tenant_space.hpp>

// Who the client is, for how long, and what it loses with a new log-in.

namespace callboard {

namespace {

/// The payload of a `connect` frame.
struct connect_content {
  std::string token;
  std::string client;

  MSGPACK_DEFINE_MAP(token, client)
};

} // namespace

void connection::handle_connect(const frame_view& x) {
  auto& rights = ctx_.node.rights;
  if (!rights.authenticate)
    return write_error(x.seq_id, errc::unexpected_frame);
  if (ctx_.node.draining && state_ == connection_state::connecting) {
    write_error(x.seq_id, errc::shutting_down);
    return drain();
  }
  if (ctx_.load.sheds(load_stage::logins)
      && state_ == connection_state::connecting)
    return shed_login(x.seq_id);
  auto shown = payload{x.payload}.get_as<connect_content>();
  caf::expected<identity> who = caf::make_error(errc::unauthenticated);
  try {
    if (shown)
      who = rights.authenticate({.token = shown->token, .address = address_});
  } catch (const std::exception&) {
    // Counts as a refusal.
  }
  if (who && state_ == connection_state::connected)
    return refresh(x.seq_id, std::move(*who));
  if (who) {
    log_in(std::move(*who));
    return connected(x.seq_id);
  }
  write_error(x.seq_id, who.error() == errc::token_expired
                          ? errc::token_expired
                          : errc::unauthenticated);
  // Who was let in already stays as long as the log-in before lasts.
  if (state_ == connection_state::connecting)
    close(close_code::unauthenticated);
}

void connection::refresh(uint32_t seq_id, identity who) {
  if (who.user != who_.user || who.tenant != who_.tenant)
    return write_error(seq_id, errc::forbidden,
                       "The token is not of the same user.");
  log_in(std::move(who));
  write_welcome(seq_id);
  give_up_forbidden();
}

void connection::log_in(identity who) {
  who_ = std::move(who);
  auto expires_ms = loop_time(who_.expires_ms);
  if (std::exchange(expires_ms_, expires_ms) == expires_ms)
    return;
  if (auto* socket = box_->get_transport())
    socket->expiry_changed();
}

int64_t connection::loop_time(int64_t unix_ms) const noexcept {
  if (unix_ms == 0)
    return 0;
  // What is over already is over at once; 0 would mean never.
  return std::max<int64_t>(1, ctx_.steady_ms + unix_ms - ctx_.unix_ms);
}

// -- what a new log-in takes away ---------------------------------------------

void connection::give_up_forbidden() {
  if (!ctx_.node.rights.authorize)
    return;
  give_up_subscriptions();
  give_up_groups();
  give_up_actions();
}

void connection::give_up_subscriptions() {
  for (auto& subject : topic_table::subjects_of(*box_)) {
    auto visible = visible_name(subject);
    if (is_own_topic(visible) || authorized(operation::subscribe, visible))
      continue;
    auto result = ctx_.topics.unsubscribe(*box_, subject);
    if (result.detach)
      request_detach(ctx_, subject);
    if (result.waiting_seq_id != 0) {
      on_refused(result.waiting_seq_id, subject, errc::forbidden);
      continue;
    }
    write_error(0, errc::forbidden,
                "No subscriber of '" + std::string{visible} + "' any more.");
    tell_life(lifecycle_kind::unsubscribed, subject);
  }
}

void connection::give_up_groups() {
  if (memberships_ == nullptr)
    return;
  std::vector<std::pair<std::string, std::string>> lost;
  for (auto& x : memberships_->list)
    if (!authorized(operation::subscribe, visible_name(x.topic)))
      lost.emplace_back(x.topic, x.group);
  for (auto& [topic, group] : lost)
    if (leave(topic, group, errc::forbidden)) {
      write_error(0, errc::forbidden,
                  "No member of '" + group + "' of '"
                    + std::string{visible_name(topic)} + "' any more.");
      tell_life(lifecycle_kind::unsubscribed, topic);
    }
}

void connection::give_up_actions() {
  if (served_ == nullptr)
    return;
  std::vector<std::string> lost;
  for (auto& x : served_->actions)
    if (!authorized(operation::register_action, x))
      lost.push_back(x);
  for (auto& action : lost) {
    std::erase(served_->actions, action);
    send(ctx_.router_of(action).actor, unregister_atom_v, full_action(action),
         uint32_t{0});
    write_error(0, errc::forbidden,
                "No responder of '" + action + "' any more.");
  }
}

} // namespace callboard
