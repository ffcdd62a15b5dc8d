#include <callboard/net/client_session.hpp>

#include <utility>

#include <callboard/net/client_error.hpp>

// A client as a member of groups.

namespace callboard::net {

void client_session::join(std::string topic, member_options options,
                          member_handler on_event,
                          result_handler<position> done) {
  member_handlers handlers;
  handlers.on_event = [on_event = std::move(on_event)](
                        const event_view& x, const member_answer& answer) {
    answer(!on_event || on_event(x));
  };
  join(std::move(topic), std::move(options), std::move(handlers),
       [done = std::move(done)](caf::expected<subscribed> x) {
         if (done && x)
           done(std::move(x->at));
         else if (done)
           done(std::move(x.error()));
       });
}

void client_session::join(std::string topic, member_options options,
                          member_handlers handlers,
                          result_handler<subscribed> done) {
  group_name name{topic, options.group};
  auto [i, is_new] = memberships_.try_emplace(name);
  if (!is_new) {
    if (done)
      done(caf::make_error(errc::already_subscribed));
    return;
  }
  auto generation = ++last_generation_;
  i->second = {generation, std::move(handlers), options.ack};
  auto since = options.since;
  submit({.type = frame_type::subscribe,
          .subject = std::move(topic),
          .since = std::move(since),
          .member = std::move(options),
          .generation = generation,
          .done = [this, name, generation, done = std::move(done)](
                    const caf::error& why, const frame_view* reply) {
            if (auto* x = find(memberships_, name, generation); x && why)
              memberships_.erase(name);
            else if (x)
              x->established = true;
            if (done && why)
              done(why);
            else if (done)
              done(to_subscribed(*reply));
          }});
}

void client_session::rejoin(const group_name& name, uint64_t generation) {
  auto* x = find(memberships_, name, generation);
  if (x == nullptr)
    return;
  auto again = [this, name, generation] { rejoin(name, generation); };
  auto done = [this, name, generation, again](const caf::error& why,
                                              const frame_view*) {
    // The group has kept its place; what it lost it tells.
    auto* x = find(memberships_, name, generation);
    if (!why || x == nullptr || try_again(why, again))
      return;
    auto on_lost = std::move(x->handlers.on_lost);
    memberships_.erase(name);
    if (on_lost)
      on_lost(why);
    tell(why);
  };
  submit({.type = frame_type::subscribe,
          .subject = name.first,
          .member = {name.second, x->ack},
          .generation = generation,
          .done = done,
          .again = true},
         true);
}

void client_session::leave(const std::string& topic, const std::string& group,
                           result_handler<void> done) {
  memberships_.erase({topic, group});
  // Without a connection there is nothing to end.
  if (!send_) {
    if (done)
      done({});
    return;
  }
  submit({.type = frame_type::unsubscribe,
          .subject = topic,
          .member = {group, false},
          .done = [done = std::move(done)](const caf::error& why,
                                           const frame_view*) {
            if (done && why)
              done(why);
            else if (done)
              done({});
          }});
}

void client_session::on_member_event(const frame_view& x) {
  if (x.seq_id != 0)
    given_.insert(x.seq_id);
  auto answer = [self = weak_from_this(), connection = connection_,
                 seq_id = x.seq_id](bool confirmed) {
    if (auto session = self.lock())
      session->answer_event(connection, seq_id, confirmed);
  };
  auto i
    = memberships_.find({std::string{x.subject}, std::string{x.meta.group}});
  if (i == memberships_.end())
    return answer(false);
  // A copy, because the handler may leave the group.
  auto on_event = i->second.handlers.on_event;
  auto event = to_event(x);
  if (!x.meta.has(meta_key::attempt))
    event.attempt = 1;
  on_event(event, answer);
}

void client_session::answer_event(uint64_t connection, uint32_t seq_id,
                                  bool confirmed) {
  if (connection != connection_ || !send_ || given_.erase(seq_id) == 0)
    return;
  frame_view reply;
  reply.seq_id = seq_id;
  reply.type = confirmed ? frame_type::ack : frame_type::error;
  if (!confirmed) {
    reply.subject = "rejected";
    reply.meta.code = application_errc_min;
    reply.meta.mark(meta_key::code);
  }
  send_(reply);
}

} // namespace callboard::net
