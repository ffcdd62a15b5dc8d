#include <callboard/net/client_actor.hpp>

#include <algorithm>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <callboard/messages/errc.hpp>

namespace callboard::net {

namespace {

callboard::position for_actors(const position& x) {
  return {x.epoch, x.offset};
}

// Without a connection nobody heard who came and who went.
presence_update presence_reset(const std::string& topic) {
  presence_update result;
  result.topic = topic;
  result.reset = true;
  return result;
}

} // namespace

// -- life ---------------------------------------------------------------------

client_actor::client_actor(caf::actor_config& cfg, port_factory make_port,
                           size_t bytes_max)
  : client_inner_handle::base{cfg},
    make_port_{std::move(make_port)},
    bytes_max_{bytes_max} {
}

client_actor::behavior_type client_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg& x) { down(x); });
  auto me = address();
  state_ = to_string(client_state::disconnected);
  port_ = make_port_(make_handlers(), [me](const caf::error& why) {
    send_home(me, detach_atom_v, why);
  });
  port_->start();
  return {
    [this](publish_atom, std::string& topic, payload& x) {
      return publish(std::move(topic), std::move(x), {});
    },
    [this](publish_atom, std::string& topic, payload& x,
           callboard::publish_options& options) {
      return publish(std::move(topic), std::move(x), std::move(options));
    },
    [this](subscribe_atom, const caf::actor& who,
           const std::string& subject) -> caf::result<callboard::position> {
      auto answer = make_response_promise<callboard::position>();
      subscribe({who, false, answer, {}}, subject, {});
      return answer;
    },
    [this](subscribe_atom, presence_atom, const caf::actor& who,
           const std::string& subject) -> caf::result<callboard::position> {
      auto answer = make_response_promise<callboard::position>();
      subscribe({who, true, answer, {}}, subject, {});
      return answer;
    },
    [this](subscribe_atom, const caf::actor& who, const std::string& subject,
           const callboard::position& since)
      -> caf::result<callboard::position, bool> {
      auto answer = make_response_promise<callboard::position, bool>();
      subscribe({who, false, {}, answer}, subject, since);
      return answer;
    },
    [this](unsubscribe_atom, const caf::actor& who,
           const std::string& subject) { unsubscribe(who, subject); },
    [this](presence_atom, std::string& topic) {
      return count_members(std::move(topic));
    },
    [this](presence_atom, std::string& topic, uint32_t limit,
           std::string& after) {
      return list_members(std::move(topic), limit, std::move(after));
    },
    [this](subscribe_atom, caf::actor& who, const std::string& topic,
           const group_options& options) {
      return join(std::move(who), topic, options);
    },
    [this](unsubscribe_atom, const caf::actor& who, const std::string& topic,
           const std::string& group) {
      leave(who, {topic, group});
    },
    [this](register_atom, const std::string& action, const caf::actor& who) {
      return add_responder(action, who);
    },
    [this](unregister_atom, const std::string& action, const caf::actor& who) {
      remove_responder(action, who);
    },
    [this](request_atom, std::string& action, payload& x,
           caf::timespan timeout) {
      return ask(std::move(action), std::move(x), timeout);
    },
    [this](watch_atom, const caf::actor& who) {
      know(who);
      watchers_.insert(who);
      caf::anon_send(who, watch_atom_v, state_, caf::error{});
    },
    [this](unwatch_atom, const caf::actor& who) {
      watchers_.erase(who);
      forget_if_idle(who);
    },
    [this](close_atom) {
      // Who sent this may let go of us before it is done.
      until_closed_ = ctrl();
      port_->stop();
    },
    [this](resolve_atom, uint64_t number, caf::error& why,
           callboard::position& at,
           bool whole) { resolve(number, why, at, whole); },
    [this](resolve_atom, uint64_t number, caf::error& why, payload& x) {
      resolve(number, why, x);
    },
    [this](deliver_atom, const std::string& subject, const event& x) {
      deliver(subject, x);
    },
    [this](deliver_atom, const std::string& subject,
           const callboard::position& at) {
      auto i = subjects_.find(subject);
      if (i == subjects_.end())
        return;
      // A pattern has no position.
      if (!at.epoch.empty())
        i->second.at = at;
      for (auto& who : i->second.followers)
        caf::anon_send(who, subject, at);
      deliver(subject, presence_reset(subject));
    },
    [this](deliver_atom, const std::string& topic, const presence_update& x) {
      deliver(topic, x);
    },
    [this](deliver_atom, uint64_t membership, uint64_t number, event& x) {
      give_to_member(membership, number, x);
    },
    [this](deliver_atom, const std::string& topic, const std::string& group,
           const callboard::position& at) {
      if (auto i = memberships_.find({topic, group}); i != memberships_.end()) {
        i->second.at = at;
        caf::anon_send(i->second.member, topic, at);
      }
    },
    [this](detach_atom, const std::string& subject) { lost(subject); },
    [this](detach_atom, uint64_t number) { lost_membership(number); },
    [this](serve_atom, uint64_t registration, uint64_t number,
           action_request& x,
           caf::timespan timeout) { serve(registration, number, x, timeout); },
    [this](watch_atom, std::string& state, caf::error& why) {
      tell_state(std::move(state), std::move(why));
    },
    [this](detach_atom, caf::error& why) {
      quit(why ? std::move(why) : caf::error{caf::exit_reason::normal});
    },
  };
}

void client_actor::on_exit() {
  until_closed_ = nullptr;
  port_ = nullptr;
  auto why = caf::make_error(errc::cancelled);
  for (auto& [subject, x] : subjects_) {
    for (auto& y : x.waiting)
      y.fail(why);
    for (auto& who : x.followers)
      caf::anon_send(who, unsubscribe_atom_v, subject, x.at);
  }
  for (auto& [number, answer] : publications_)
    answer.deliver(why);
  for (auto& [name, x] : memberships_)
    if (x.answer.pending())
      x.answer.deliver(why);
    else
      caf::anon_send(x.member, unsubscribe_atom_v, name.first, x.at);
  for (auto& [number, done] : requests_)
    done(why);
  for (auto& [action, x] : registrations_)
    if (x.answer.pending())
      x.answer.deliver(why);
  auto disconnected = std::string{to_string(client_state::disconnected)};
  for (auto& who : watchers_)
    caf::anon_send(who, watch_atom_v, disconnected, caf::error{});
  subjects_.clear();
  publications_.clear();
  requests_.clear();
  memberships_.clear();
  registrations_.clear();
  known_.clear();
  watchers_.clear();
}

client_handlers client_actor::make_handlers() {
  client_handlers result;
  auto me = address();
  result.on_state = [me](client_state x) {
    send_home(me, watch_atom_v, std::string{to_string(x)}, caf::error{});
  };
  result.on_disconnected = [me](const disconnect_report& x) {
    if (x.retry_in)
      send_home(me, watch_atom_v, std::string{}, x.why);
  };
  result.on_error = [me](const caf::error& x) {
    send_home(me, watch_atom_v, std::string{}, x);
  };
  result.on_gap = [me](const gap& x) {
    std::string subject{x.subject};
    if (x.group.empty())
      send_home(me, deliver_atom_v, std::move(subject), for_actors(x.at));
    else
      send_home(me, deliver_atom_v, std::move(subject), std::string{x.group},
                for_actors(x.at));
  };
  result.on_recovered = [me](const std::string& topic, const position&) {
    send_home(me, deliver_atom_v, topic, presence_reset(topic));
  };
  result.on_lost = [me](const std::string& subject, const caf::error&) {
    send_home(me, detach_atom_v, subject);
  };
  return result;
}

void client_actor::know(const caf::actor& who) {
  auto [i, is_new] = known_.try_emplace(who);
  if (!is_new)
    return;
  i->second = std::make_shared<mailbox_bytes>();
  monitor(who);
}

void client_actor::forget_if_idle(const caf::actor& who) {
  auto i = known_.find(who);
  if (i == known_.end() || watchers_.count(who) > 0)
    return;
  auto answers = [&who](auto& x) { return x.second.responder == who; };
  auto follows = [&who](auto& x) { return x.second.has(who); };
  auto is_member = [&who](auto& x) { return x.second.member == who; };
  if (std::any_of(memberships_.begin(), memberships_.end(), is_member)
      || std::any_of(registrations_.begin(), registrations_.end(), answers)
      || std::any_of(subjects_.begin(), subjects_.end(), follows))
    return;
  demonitor(who);
  known_.erase(i);
}

void client_actor::down(const caf::down_msg& x) {
  auto who = caf::actor_cast<caf::actor>(x.source);
  if (!who)
    return;
  known_.erase(who);
  watchers_.erase(who);
  std::vector<std::string> names;
  for (auto& [subject, y] : subjects_)
    names.push_back(subject);
  for (auto& subject : names)
    unsubscribe(who, subject);
  names.clear();
  for (auto& [action, y] : registrations_)
    if (y.responder == who)
      names.push_back(action);
  for (auto& action : names)
    remove_responder(action, who);
  std::vector<group_name> groups;
  for (auto& [name, y] : memberships_)
    if (y.member == who)
      groups.push_back(name);
  for (auto& name : groups)
    leave(who, name);
}

void client_actor::tell_state(std::string state, caf::error why) {
  if (!state.empty())
    state_ = std::move(state);
  for (auto& who : watchers_)
    caf::anon_send(who, watch_atom_v, state_, why);
}

// -- publications and requests ------------------------------------------------

caf::result<callboard::position>
client_actor::publish(std::string topic, payload x,
                      callboard::publish_options options) {
  auto answer = make_response_promise<callboard::position>();
  auto number = ++last_number_;
  net::publish_options given;
  given.key = std::move(options.key);
  given.id = std::move(options.id);
  given.ack = current_sender() != nullptr || !given.id.empty();
  publications_.emplace(number, answer);
  port_->publish(std::move(topic), std::move(x), std::move(given),
                 [me = address(), number](caf::expected<position> y) {
                   auto at = y ? for_actors(*y) : callboard::position{};
                   send_home(me, resolve_atom_v, number,
                             y ? caf::error{} : y.error(), at, false);
                 });
  return answer;
}

caf::result<payload> client_actor::ask(std::string action, payload x,
                                       caf::timespan timeout) {
  auto answer = make_response_promise<payload>();
  ask(std::move(action), std::move(x), request_options{.timeout = timeout},
      delivering(answer));
  return answer;
}

void client_actor::ask(std::string action, payload x, request_options options,
                       result_handler<payload> done) {
  auto number = ++last_number_;
  requests_.emplace(number, std::move(done));
  port_->request(std::move(action), std::move(x), std::move(options),
                 [me = address(), number](caf::expected<payload> y) {
                   send_home(me, resolve_atom_v, number,
                             y ? caf::error{} : y.error(), y ? *y : payload{});
                 });
}

asking_function client_actor::asking() {
  return [this](std::string action, payload x, request_options options,
                result_handler<payload> done) {
    ask(std::move(action), std::move(x), std::move(options), std::move(done));
  };
}

void client_actor::resolve(uint64_t number, caf::error& why, payload& x) {
  if (auto node = requests_.extract(number)) {
    if (why)
      node.mapped()(std::move(why));
    else
      node.mapped()(std::move(x));
    return;
  }
  auto i
    = std::find_if(registrations_.begin(), registrations_.end(),
                   [number](auto& y) { return y.second.number == number; });
  if (i == registrations_.end() || !i->second.answer.pending())
    return;
  auto answer = std::move(i->second.answer);
  if (!why) {
    answer.deliver();
    return;
  }
  auto who = i->second.responder;
  registrations_.erase(i);
  forget_if_idle(who);
  answer.deliver(std::move(why));
}

} // namespace callboard::net
