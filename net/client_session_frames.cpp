#include <callboard/net/client_session.hpp>

#include <algorithm>
#include <optional>
#include <vector>

#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

// How long an answer is kept possible where the request does not say.
constexpr uint64_t incoming_timeout_ms_max = 300'000;

// The payload of a reply to `subscribe` and `publish`, and of `position`.
struct position_payload {
  std::string epoch;
  uint64_t offset = 0;
  bool recovered = false;
  std::string reason;
  std::optional<bool> retained;
  MSGPACK_DEFINE_MAP(epoch, offset, recovered, reason, retained)
};

// An element of the payload of `presence`.
struct presence_payload {
  std::string event;
  std::optional<std::string> user;
  std::optional<std::string> connection;
  MSGPACK_DEFINE_MAP(event, user, connection)
};

presence_note to_note(presence_payload&& x) {
  using kind = presence_note::kind;
  return {x.event == "join"    ? kind::join
          : x.event == "leave" ? kind::leave
                               : kind::reset,
          std::move(x.user).value_or(""), std::move(x.connection).value_or("")};
}

position_payload read_position(const frame_view& x) {
  return payload{x.payload}.get_as<position_payload>().value_or(
    position_payload{});
}

} // namespace

subscribed to_subscribed(const frame_view& reply) {
  auto said = read_position(reply);
  return {{std::move(said.epoch), said.offset}, said.recovered, said.retained};
}

position position_of(const frame_view& reply) {
  auto said = read_position(reply);
  return {std::move(said.epoch), said.offset};
}

event_view to_event(const frame_view& x) {
  auto& m = x.meta;
  return {x.subject, x.payload, m.offset, m.sender,    m.pattern, m.epoch,
          m.key,     m.attempt, m.origin, x.timestamp, m.trace,   m.retained};
}

void client_session::handle(const frame_view& x) {
  switch (x.type) {
    case frame_type::event:
      on_event(x);
      break;
    case frame_type::presence:
      on_presence(x);
      break;
    case frame_type::response:
    case frame_type::error:
    case frame_type::welcome:
      on_reply(x);
      break;
    case frame_type::position:
      on_position(x);
      break;
    case frame_type::request:
    case frame_type::notify:
      on_request(x);
      break;
    case frame_type::cancel:
      if (auto i = incoming_.find(x.seq_id); i != incoming_.end()) {
        incoming_deadlines_.erase({i->second, i->first});
        incoming_.erase(i);
      }
      given_.erase(x.seq_id);
      break;
    case frame_type::ping:
      if (send_) {
        frame_view pong;
        pong.type = frame_type::pong;
        pong.seq_id = x.seq_id;
        pong.payload = x.payload;
        send_(pong);
      }
      break;
    default:
      // What later versions add means nothing here.
      break;
  }
}

void client_session::on_reply(const frame_view& x) {
  auto i = operations_.find(x.seq_id);
  if (x.seq_id == 0 || i == operations_.end() || !i->second.sent) {
    // A late answer is dropped; an error without an owner is worth telling.
    if (x.type == frame_type::error && x.seq_id == 0)
      tell(to_error(x));
    return;
  }
  // It crossed a goaway, and was not done.
  if (x.type == frame_type::error
      && x.meta.code == wire_number(errc::shutting_down) && postpone(x.seq_id))
    return;
  auto done = take(x.seq_id);
  if (x.type == frame_type::error)
    done.done(to_error(x), nullptr);
  else
    done.done({}, &x);
  pump();
}

// -- subscriptions ------------------------------------------------------------

void client_session::subscribe(std::string subject, subscribe_options options,
                               event_handler on_event,
                               presence_handler on_presence,
                               result_handler<subscribed> done) {
  auto [i, is_new] = subscriptions_.try_emplace(subject);
  if (!is_new) {
    if (done)
      done(caf::make_error(errc::already_subscribed));
    return;
  }
  auto generation = ++last_generation_;
  i->second = {generation, std::move(on_event), std::move(on_presence),
               options.presence};
  auto answered = [this, subject, generation, since = options.since,
                   done = std::move(done)](const caf::error& why,
                                           const frame_view* reply) {
    if (auto* x = find(subscriptions_, subject, generation); x && why)
      subscriptions_.erase(subject);
    else if (x)
      on_subscribed(subject, *x, since, *reply);
    if (done && why)
      done(why);
    else if (done)
      done(to_subscribed(*reply));
  };
  submit({.type = frame_type::subscribe,
          .subject = subject,
          .since = std::move(options.since),
          .presence = options.presence,
          .generation = generation,
          .done = std::move(answered)});
}

void client_session::resubscribe(const std::string& subject,
                                 uint64_t generation) {
  auto* x = find(subscriptions_, subject, generation);
  if (x == nullptr)
    return;
  auto since = x->at;
  auto again = [this, subject, generation] {
    resubscribe(subject, generation);
  };
  auto done = [this, subject, generation, since,
               again](const caf::error& why, const frame_view* reply) {
    auto* x = find(subscriptions_, subject, generation);
    if (x == nullptr)
      return;
    if (!why) {
      on_subscribed(subject, *x, since, *reply);
    } else if (!try_again(why, again)) {
      subscriptions_.erase(subject);
      if (handlers_.on_lost)
        handlers_.on_lost(subject, why);
      tell(why);
    }
  };
  submit({.type = frame_type::subscribe,
          .subject = subject,
          .since = since,
          .presence = x->presence,
          .generation = generation,
          .done = done,
          .again = true},
         true);
}

void client_session::on_subscribed(const std::string& subject, subscription& x,
                                   const position& since,
                                   const frame_view& reply) {
  auto again = std::exchange(x.established, true);
  auto said = read_position(reply);
  position now{said.epoch, said.offset};
  x.before = since;
  // What was missed comes next and moves the position event by event; nothing
  // was where the topic stands as it stood.
  auto whole = !since.epoch.empty()
               && (now == since
                   || (said.recovered && now.epoch == since.epoch));
  x.at = whole ? since : std::move(now);
  if (again && whole && handlers_.on_recovered)
    handlers_.on_recovered(subject, since);
  if (again && !whole && handlers_.on_gap)
    handlers_.on_gap({subject, "not_recovered", x.at});
}

void client_session::on_event(const frame_view& x) {
  auto& m = x.meta;
  if (m.has(meta_key::group))
    return on_member_event(x);
  auto i = subscriptions_.find(m.pattern.empty() ? x.subject : m.pattern);
  if (i == subscriptions_.end())
    return;
  auto& at = i->second.at;
  auto& before = i->second.before;
  // A last value is from before the position at which the subscription began,
  // and may have been had on an earlier connection.
  if (m.retained && m.pattern.empty() && !before.epoch.empty()
      && before.epoch == at.epoch && m.offset <= before.offset)
    return;
  if (m.pattern.empty() && !m.retained) {
    auto same_epoch = !at.epoch.empty()
                      && (!m.has(meta_key::epoch) || m.epoch == at.epoch);
    if (same_epoch && m.offset <= at.offset)
      return;
    if (m.has(meta_key::epoch))
      at.epoch = m.epoch;
    at.offset = m.offset;
  }
  // A copy, because the handler may unsubscribe.
  auto on_event = i->second.on_event;
  if (on_event)
    on_event(to_event(x));
}

void client_session::on_presence(const frame_view& x) {
  auto i = subscriptions_.find(x.subject);
  auto steps = payload{x.payload}.get_as<std::vector<presence_payload>>();
  if (i == subscriptions_.end() || !steps)
    return;
  presence_view result{x.subject, {}};
  for (auto& step : *steps)
    result.notes.push_back(to_note(std::move(step)));
  // A copy, because the handler may unsubscribe.
  auto on_presence = i->second.on_presence;
  if (on_presence)
    on_presence(result);
}

void client_session::on_position(const frame_view& x) {
  auto said = read_position(x);
  if (said.epoch.empty() && said.reason.empty())
    return tell(caf::make_error(errc::malformed_frame,
                                std::string{"the server told no position"}));
  // A pattern has no position.
  auto i = subscriptions_.find(x.subject);
  if (i != subscriptions_.end() && !said.epoch.empty()
      && !x.meta.has(meta_key::group))
    i->second.at = {said.epoch, said.offset};
  if (handlers_.on_gap)
    handlers_.on_gap(
      {x.subject, said.reason, {said.epoch, said.offset}, x.meta.group});
}

// -- publications -------------------------------------------------------------

operation_id client_session::publish(std::string topic, payload x,
                                     publish_options options,
                                     result_handler<position> done) {
  auto answered = [done = std::move(done)](const caf::error& why,
                                           const frame_view* reply) {
    if (!done)
      return;
    if (why)
      return done(why);
    done(reply != nullptr ? position_of(*reply) : position{});
  };
  return submit({.type = frame_type::publish,
                 .subject = std::move(topic),
                 .body = std::move(x),
                 .options = std::move(options),
                 .done = std::move(answered)});
}

// -- actions ------------------------------------------------------------------

void client_session::respond(std::string action, request_handler on_request,
                             result_handler<void> done) {
  auto [i, is_new] = responders_.try_emplace(action);
  i->second.on_request = std::move(on_request);
  // Another handler for an action that is ours already.
  if (!is_new) {
    if (done)
      done({});
    return;
  }
  auto generation = ++last_generation_;
  i->second.generation = generation;
  submit({.type = frame_type::register_action,
          .subject = action,
          .generation = generation,
          .done = [this, action, generation, done = std::move(done)](
                    const caf::error& why, const frame_view*) {
            if (auto* x = find(responders_, action, generation); x && why)
              responders_.erase(action);
            else if (x)
              x->established = true;
            if (done && why)
              done(why);
            else if (done)
              done({});
          }});
}

void client_session::reregister(const std::string& action,
                                uint64_t generation) {
  if (!find(responders_, action, generation))
    return;
  auto again = [this, action, generation] { reregister(action, generation); };
  auto done = [this, action, generation, again](const caf::error& why,
                                                const frame_view*) {
    if (why && find(responders_, action, generation)
        && !try_again(why, again)) {
      responders_.erase(action);
      tell(why);
    }
  };
  submit({.type = frame_type::register_action,
          .subject = action,
          .generation = generation,
          .done = done,
          .again = true},
         true);
}

void client_session::on_request(const frame_view& x) {
  auto wants_answer = x.type == frame_type::request && x.seq_id != 0;
  auto timeout_ms = x.meta.has(meta_key::timeout_ms)
                      ? std::min(x.meta.timeout_ms, incoming_timeout_ms_max)
                      : incoming_timeout_ms_max;
  auto timeout = std::chrono::milliseconds{timeout_ms};
  auto full = incoming_.size() >= options_.incoming_max;
  if (wants_answer) {
    auto [i, is_new] = incoming_.emplace(x.seq_id, now_() + timeout);
    if (!is_new)
      return;
    incoming_deadlines_.emplace(i->second, x.seq_id);
  }
  auto send = [self = weak_from_this(), connection = connection_,
               seq_id = x.seq_id, wants_answer](frame_view reply) {
    auto session = self.lock();
    return session && wants_answer
           && session->answer(connection, seq_id, reply);
  };
  incoming_request request{std::string{x.subject}, payload{x.payload},
                           std::string{x.meta.sender}, timeout, send};
  auto i = responders_.find(x.subject);
  if (i == responders_.end())
    request.fail(errc::no_responder, info(errc::no_responder).sentence);
  else if (full)
    request.fail(errc::overloaded, "the responder has too many requests");
  else {
    // A copy, because the handler may stop responding.
    auto on_request = i->second.on_request;
    on_request(std::move(request));
  }
}

bool client_session::answer(uint64_t connection, uint32_t seq_id,
                            frame_view x) {
  auto i = incoming_.find(seq_id);
  if (connection != connection_ || i == incoming_.end() || !send_)
    return false;
  incoming_deadlines_.erase({i->second, seq_id});
  incoming_.erase(i);
  x.seq_id = seq_id;
  if (send_(x))
    return true;
  frame_view error;
  auto& known = info(errc::frame_too_large);
  auto text = payload::pack(std::string{known.sentence});
  error.type = frame_type::error;
  error.seq_id = seq_id;
  error.subject = known.name;
  error.payload = text.view();
  error.meta.code = known.number;
  error.meta.mark(meta_key::code);
  send_(error);
  return false;
}

} // namespace callboard::net
