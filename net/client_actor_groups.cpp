#include <callboard/net/client_actor.hpp>

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

#include <callboard/actors/connection_name.hpp>
#include <callboard/messages/errc.hpp>

// A client as an actor: who is in a topic, and members of groups.

namespace callboard::net {

namespace {

presence_page page_for_actors(const member_page& x) {
  presence_page result;
  for (auto& known : x.members) {
    auto& made = result.members.emplace_back();
    made.user = known.user;
    for (auto& name : known.connections)
      made.connections.push_back(connection_named(name));
  }
  result.next = x.next;
  return result;
}

} // namespace

// -- presence -----------------------------------------------------------------

caf::result<presence_count> client_actor::count_members(std::string topic) {
  auto answer = make_response_promise<presence_count>();
  ask_presence_count(asking(), std::move(topic), delivering(answer));
  return answer;
}

caf::result<presence_page> client_actor::list_members(std::string topic,
                                                      uint32_t limit,
                                                      std::string after) {
  auto answer = make_response_promise<presence_page>();
  ask_presence(asking(), std::move(topic), limit, std::move(after),
               [done = delivering(answer)](caf::expected<member_page> x) {
                 if (x)
                   done(page_for_actors(*x));
                 else
                   done(std::move(x.error()));
               });
  return answer;
}

// -- groups -------------------------------------------------------------------

caf::result<callboard::position, bool>
client_actor::join(caf::actor who, const std::string& topic,
                   const group_options& options) {
  auto [i, is_new] = memberships_.try_emplace(group_name{topic, options.group});
  if (!is_new)
    return caf::make_error(errc::already_subscribed,
                           std::string{"this client is a member already"});
  know(who);
  auto number = ++last_number_;
  auto answer = make_response_promise<callboard::position, bool>();
  i->second = {number, std::move(who), {}, answer};
  auto me = address();
  auto& since = options.since;
  port_->join(
    topic, {options.group, true, {since.epoch, since.offset}},
    [me, number](uint64_t given, const event_view& x) {
      send_home(me, deliver_atom_v, number, given, owned_event(x));
    },
    [me, number](const caf::error&) { send_home(me, detach_atom_v, number); },
    [me, number](caf::expected<subscribed> x) {
      callboard::position at;
      if (x)
        at = {x->at.epoch, x->at.offset};
      send_home(me, resolve_atom_v, number, x ? caf::error{} : x.error(),
                std::move(at), x && x->recovered);
    });
  return answer;
}

void client_actor::leave(const caf::actor& who, const group_name& name) {
  auto i = memberships_.find(name);
  if (i == memberships_.end() || i->second.member != who)
    return;
  auto answer = std::move(i->second.answer);
  memberships_.erase(i);
  port_->leave(name.first, name.second);
  if (answer.pending())
    answer.deliver(caf::make_error(errc::cancelled));
  forget_if_idle(who);
}

client_actor::membership_map::iterator
client_actor::find_membership(uint64_t number) {
  return std::find_if(memberships_.begin(), memberships_.end(),
                      [number](auto& x) { return x.second.number == number; });
}

void client_actor::resolve_membership(uint64_t number, caf::error& why,
                                      callboard::position& at, bool whole) {
  auto i = find_membership(number);
  if (i == memberships_.end())
    return;
  auto answer = std::move(i->second.answer);
  if (!why) {
    i->second.at = at;
    answer.deliver(std::move(at), whole);
    return;
  }
  auto who = std::move(i->second.member);
  memberships_.erase(i);
  forget_if_idle(who);
  answer.deliver(std::move(why));
}

void client_actor::give_to_member(uint64_t membership, uint64_t number,
                                  event& x) {
  auto i = find_membership(membership);
  if (i == memberships_.end())
    return port_->confirm(number, false);
  x.group = i->first.second;
  request(i->second.member, caf::infinite, std::move(x))
    .then([this, number] { port_->confirm(number, true); },
          [this, number](const caf::error&) { port_->confirm(number, false); });
}

void client_actor::lost_membership(uint64_t number) {
  auto i = find_membership(number);
  if (i == memberships_.end())
    return;
  auto node = memberships_.extract(i);
  auto& x = node.mapped();
  caf::anon_send(x.member, unsubscribe_atom_v, node.key().first, x.at);
  forget_if_idle(x.member);
}

} // namespace callboard::net
