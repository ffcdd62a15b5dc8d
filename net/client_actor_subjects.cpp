#include <callboard/net/client_actor.hpp>

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

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
  if (known.has(x.who) || (!is_new && !since.epoch.empty())) {
    x.fail(caf::make_error(errc::already_subscribed));
    return;
  }
  know(x.who);
  if (known.established) {
    known.followers.push_back(x.who);
    x.deliver(known.at, false);
    return;
  }
  known.waiting.push_back(std::move(x));
  if (is_new)
    begin(subject, since);
}

void client_actor::begin(const std::string& subject,
                         const callboard::position& since) {
  auto number = ++last_number_;
  subjects_[subject].number = number;
  auto me = address();
  port_->subscribe(
    subject, {since.epoch, since.offset},
    [me, subject](const event_view& x) {
      send_home(me, deliver_atom_v, subject, owned_event(x));
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
    return;
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
    i->second.followers.push_back(x.who);
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
  for (auto& who : i->second.followers) {
    auto& waiting = known_[who];
    auto cost = cost_of(x);
    if (waiting->count() + cost > static_cast<int64_t>(bytes_max_)) {
      slow.push_back(who);
      continue;
    }
    auto copy = x;
    copy.credit = charge(waiting, cost);
    caf::anon_send(who, std::move(copy));
  }
  for (auto& who : slow) {
    caf::anon_send(who, unsubscribe_atom_v, subject, before);
    unsubscribe(who, subject);
  }
}

void client_actor::unsubscribe(const caf::actor& who,
                               const std::string& subject) {
  auto i = subjects_.find(subject);
  if (i == subjects_.end())
    return;
  std::erase(i->second.followers, who);
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
