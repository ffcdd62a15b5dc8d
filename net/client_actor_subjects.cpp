#include <callboard/net/client_actor.hpp>

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

#include <callboard/actors/connection_name.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/net/client_calls.hpp>

// A client as an actor: subscriptions and registrations.

namespace callboard::net {

namespace {

// Time for a responder beyond what the asker waits for.
constexpr auto responder_grace = std::chrono::seconds{1};

int64_t cost_of(const event& x) {
  return static_cast<int64_t>(sizeof(event) + x.topic.size() + x.pattern.size()
                              + x.sender.size() + x.payload.bytes().size());
}

int64_t cost_of(const presence_update& x) {
  auto result = sizeof(presence_update) + x.topic.size();
  for (auto& step : x.steps)
    result += sizeof(presence_step) + step.user.size();
  return static_cast<int64_t>(result);
}

presence_update to_update(const presence_view& x) {
  using kind = presence_note::kind;
  presence_update result;
  result.topic = x.topic;
  for (auto& note : x.notes)
    if (note.what == kind::reset) {
      result.reset = true;
      result.steps.clear();
    } else {
      result.steps.push_back({note.what == kind::join, note.user,
                              connection_named(note.connection)});
    }
  return result;
}

template <class T>
bool contains(const std::vector<T>& xs, const T& x) {
  return std::find(xs.begin(), xs.end(), x) != xs.end();
}

} // namespace

// -- subscriptions ------------------------------------------------------------

void client_actor::waiting_subscriber::deliver(const callboard::position& at,
                                               bool whole) {
  if (where.pending())
    where.deliver(at);
  if (where_and_whole.pending())
    where_and_whole.deliver(at, whole);
}

void client_actor::waiting_subscriber::fail(const caf::error& why) {
  if (where.pending())
    where.deliver(why);
  if (where_and_whole.pending())
    where_and_whole.deliver(why);
}

bool client_actor::subject_state::has(const caf::actor& who) const {
  auto waits = [&who](const waiting_subscriber& x) { return x.who == who; };
  return contains(followers, who)
         || std::any_of(waiting.begin(), waiting.end(), waits);
}

void client_actor::subscribe(waiting_subscriber x, const std::string& subject,
                             const callboard::position& since) {
  auto [i, is_new] = subjects_.try_emplace(subject);
  auto& known = i->second;
  // How it began cannot be changed for one of them.
  auto differs = !since.epoch.empty() || (x.presence && !known.presence);
  if (known.has(x.who) || (!is_new && differs)) {
    x.fail(caf::make_error(errc::already_subscribed));
    return;
  }
  know(x.who);
  if (known.established) {
    follow(known, x);
    x.deliver(known.at, false);
    return;
  }
  auto presence = x.presence;
  known.waiting.push_back(std::move(x));
  if (is_new)
    begin(subject, since, presence);
}

void client_actor::follow(subject_state& x, const waiting_subscriber& y) {
  x.followers.push_back(y.who);
  if (y.presence)
    x.onlookers.push_back(y.who);
}

void client_actor::begin(const std::string& subject,
                         const callboard::position& since, bool presence) {
  auto number = ++last_number_;
  auto& made = subjects_[subject];
  made.number = number;
  made.presence = presence;
  auto me = address();
  port_->subscribe(
    subject, {{since.epoch, since.offset}, presence},
    [me, subject](const event_view& x) {
      send_home(me, deliver_atom_v, subject, owned_event(x));
    },
    [me, subject](const presence_view& x) {
      send_home(me, deliver_atom_v, subject, to_update(x));
    },
    [me, number](caf::expected<subscribed> x) {
      callboard::position at;
      if (x)
        at = {x->at.epoch, x->at.offset};
      send_home(me, resolve_atom_v, number, x ? caf::error{} : x.error(),
                std::move(at), x && x->recovered);
    });
}

void client_actor::resolve(uint64_t number, caf::error& why,
                           callboard::position& at, bool whole) {
  if (auto node = publications_.extract(number)) {
    if (why)
      node.mapped().deliver(std::move(why));
    else
      node.mapped().deliver(std::move(at));
    return;
  }
  auto i = std::find_if(subjects_.begin(), subjects_.end(), [number](auto& x) {
    return x.second.number == number;
  });
  if (i == subjects_.end())
    return resolve_membership(number, why, at, whole);
  auto waiting = std::exchange(i->second.waiting, {});
  if (why) {
    subjects_.erase(i);
    for (auto& x : waiting) {
      x.fail(why);
      forget_if_idle(x.who);
    }
    return;
  }
  i->second.established = true;
  i->second.at = at;
  for (auto& x : waiting) {
    follow(i->second, x);
    x.deliver(at, whole);
  }
}

void client_actor::deliver(const std::string& subject, const event& x) {
  auto i = subjects_.find(subject);
  if (i == subjects_.end())
    return;
  auto before = i->second.at;
  if (x.pattern.empty() && !x.retained) {
    if (!x.epoch.empty())
      i->second.at.epoch = x.epoch;
    i->second.at.offset = x.offset;
  }
  std::vector<caf::actor> slow;
  for (auto& who : i->second.followers)
    if (!give(who, x, cost_of(x)))
      slow.push_back(who);
  cut_off(slow, subject, before);
}

void client_actor::deliver(const std::string& subject,
                           const presence_update& x) {
  auto i = subjects_.find(subject);
  if (i == subjects_.end())
    return;
  std::vector<caf::actor> slow;
  for (auto& who : i->second.onlookers)
    if (!give(who, x, cost_of(x)))
      slow.push_back(who);
  cut_off(slow, subject, i->second.at);
}

void client_actor::cut_off(const std::vector<caf::actor>& slow,
                           const std::string& subject,
                           const callboard::position& at) {
  for (auto& who : slow) {
    caf::anon_send(who, unsubscribe_atom_v, subject, at);
    unsubscribe(who, subject);
  }
}

void client_actor::unsubscribe(const caf::actor& who,
                               const std::string& subject) {
  auto i = subjects_.find(subject);
  if (i == subjects_.end())
    return;
  std::erase(i->second.followers, who);
  std::erase(i->second.onlookers, who);
  auto& waiting = i->second.waiting;
  for (auto& x : waiting)
    if (x.who == who)
      x.fail(caf::make_error(errc::cancelled));
  std::erase_if(waiting, [&who](auto& x) { return x.who == who; });
  drop_if_idle(subject);
  forget_if_idle(who);
}

void client_actor::drop_if_idle(const std::string& subject) {
  auto i = subjects_.find(subject);
  if (i == subjects_.end() || !i->second.followers.empty()
      || !i->second.waiting.empty())
    return;
  subjects_.erase(i);
  port_->unsubscribe(subject);
}

void client_actor::lost(const std::string& subject) {
  auto node = subjects_.extract(subject);
  if (node.empty())
    return;
  // Where it has been asked for anew meanwhile.
  port_->unsubscribe(subject);
  auto why = caf::make_error(errc::cancelled);
  for (auto& x : node.mapped().waiting) {
    x.fail(why);
    forget_if_idle(x.who);
  }
  for (auto& who : node.mapped().followers) {
    caf::anon_send(who, unsubscribe_atom_v, subject, node.mapped().at);
    forget_if_idle(who);
  }
}

// -- registrations ------------------------------------------------------------

caf::result<void> client_actor::add_responder(std::string action,
                                              caf::actor who) {
  auto number = ++last_number_;
  auto [i, is_new] = registrations_.try_emplace(action);
  if (!is_new)
    return caf::make_error(errc::already_subscribed,
                           std::string{"this client answers it already"});
  know(who);
  i->second.number = number;
  i->second.responder = std::move(who);
  i->second.answer = make_response_promise<void>();
  auto answer = i->second.answer;
  auto serve = [me = address(), number](uint64_t asked,
                                        const incoming_request& x) {
    action_request request;
    request.action = x.action();
    request.payload = x.body();
    request.sender = x.from();
    send_home(me, serve_atom_v, number, asked, std::move(request), x.timeout());
  };
  port_->respond(std::move(action), std::move(serve),
                 [me = address(), number](caf::expected<void> x) {
                   send_home(me, resolve_atom_v, number,
                             x ? caf::error{} : x.error(), payload{});
                 });
  return answer;
}

void client_actor::remove_responder(const std::string& action,
                                    const caf::actor& who) {
  auto i = registrations_.find(action);
  if (i == registrations_.end() || i->second.responder != who)
    return;
  if (i->second.answer.pending())
    i->second.answer.deliver(caf::make_error(errc::cancelled));
  registrations_.erase(i);
  port_->stop_responding(action);
  forget_if_idle(who);
}

void client_actor::serve(uint64_t registration, uint64_t number,
                         action_request& x, caf::timespan timeout) {
  auto i = std::find_if(registrations_.begin(), registrations_.end(),
                        [registration](auto& y) {
                          return y.second.number == registration;
                        });
  if (i == registrations_.end()) {
    port_->answer(number, caf::make_error(errc::no_responder));
    return;
  }
  request(i->second.responder, timeout + responder_grace, std::move(x))
    .then([this, number](payload& y) { port_->answer(number, std::move(y)); },
          [this, number](caf::error& y) {
            port_->answer(number, std::move(y));
          });
}

// -- making one ---------------------------------------------------------------

client_handle spawn_client(caf::actor_system& sys, client_options options) {
  return sys.spawn<client_actor>(own_threads(std::move(options)));
}

} // namespace callboard::net
