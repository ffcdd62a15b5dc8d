#include <callboard/actors/router.hpp>

#include <string_view>

#include <caf/actor_cast.hpp>

#include <callboard/actors/tenant_space.hpp>

// Who serves an action.

namespace callboard {

namespace {

// Returns what `find` finds for an action: those of the application serve all
// tenants.
template <class F>
registration* find_for_tenant(std::string_view action, F&& find) {
  if (action.starts_with('$'))
    if (auto* found = find(visible_name(action)))
      return found;
  return find(action);
}

} // namespace

registration* router::next(std::string_view action,
                           const request_node* from) noexcept {
  return find_for_tenant(action, [=, this](std::string_view name) {
    auto* here = table_.next(name);
    return here != nullptr || from != nullptr ? here : table_.next_node(name);
  });
}

registration* router::next_node(std::string_view action) noexcept {
  return find_for_tenant(action, [this](std::string_view name) {
    return table_.next_node(name);
  });
}

bool router::add(request_peer& who, const std::string& action, bool embedded) {
  auto served = table_.next(action) != nullptr;
  auto added = table_.add(who, action, embedded);
  if (added && !served)
    tell_all(action, peer_offer{action});
  return added;
}

void router::remove(registration& x) {
  auto here = x.who->node == nullptr;
  auto action = x.action->first;
  table_.remove(x);
  if (here && table_.next(action) == nullptr)
    tell_all(action, peer_withdraw{action});
}

void router::add_client(const std::string& action, uint32_t call_id) {
  auto who = caf::actor_cast<caf::strong_actor_ptr>(current_sender());
  if (!who)
    return;
  auto client = caf::actor_cast<connection_actor>(who);
  auto& peer = peer_of(who);
  auto added = add(peer, action, false);
  forget_if_idle(peer);
  if (call_id == 0)
    return;
  if (added)
    send(client, register_atom_v, call_id);
  else
    send(client, resolve_atom_v, call_id,
         request_outcome::failure(errc::overloaded));
}

void router::remove_client(const std::string& action, uint32_t call_id) {
  auto who = caf::actor_cast<caf::strong_actor_ptr>(current_sender());
  if (!who)
    return;
  remove(who.get(), action);
  if (call_id != 0)
    send(caf::actor_cast<connection_actor>(who), register_atom_v, call_id);
}

caf::result<void> router::add_embedded(const std::string& action,
                                       const caf::actor& who) {
  auto& peer = peer_of(caf::actor_cast<caf::strong_actor_ptr>(who));
  auto added = add(peer, action, true);
  forget_if_idle(peer);
  if (!added)
    return caf::make_error(errc::overloaded);
  return caf::unit;
}

void router::remove_embedded(const std::string& action, const caf::actor& who) {
  remove(caf::actor_cast<caf::actor_control_block*>(who), action);
}

void router::remove(const caf::actor_control_block* who,
                    const std::string& action) {
  auto* peer = find_peer(who);
  if (peer == nullptr)
    return;
  if (auto* x = table_.find(*peer, action))
    remove(*x);
  forget_if_idle(*peer);
}

} // namespace callboard
