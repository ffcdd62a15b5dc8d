#include <callboard/net/client_session.hpp>

#include <utility>

#include <callboard/net/client_error.hpp>

// A client as a member of groups.

namespace callboard::net {

void client_session::join(std::string topic, member_options options,
                          member_handler on_event,
                          result_handler<position> done) {
  group_name name{topic, options.group};
  auto [i, is_new] = memberships_.try_emplace(name);
  if (!is_new) {
    if (done)
      done(caf::make_error(errc::already_subscribed));
    return;
  }
  auto generation = ++last_generation_;
  i->second = {generation, std::move(on_event), options.ack};
  submit({.type = frame_type::subscribe,
          .subject = std::move(topic),
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
              done(position_of(*reply));
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
    if (why && find(memberships_, name, generation) && !try_again(why, again)) {
      memberships_.erase(name);
      tell(why);
    }
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
  auto i
    = memberships_.find({std::string{x.subject}, std::string{x.meta.group}});
  auto connection = connection_;
  auto confirmed = false;
  if (i != memberships_.end()) {
    // A copy, because the handler may leave the group.
    auto on_event = i->second.on_event;
    auto event = to_event(x);
    if (!x.meta.has(meta_key::attempt))
      event.attempt = 1;
    confirmed = !on_event || on_event(event);
  }
  // The handler may have ended the connection.
  if (x.seq_id == 0 || !send_ || connection != connection_)
    return;
  frame_view reply;
  reply.seq_id = x.seq_id;
  reply.type = confirmed ? frame_type::ack : frame_type::error;
  if (!confirmed) {
    reply.subject = "rejected";
    reply.meta.code = application_errc_min;
    reply.meta.mark(meta_key::code);
  }
  send_(reply);
}

} // namespace callboard::net
