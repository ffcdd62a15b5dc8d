#include <callboard/actors/cluster/request_node.hpp>

#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/tenant_space.hpp>

namespace callboard {

request_node::request_node(uint32_t slot, member who)
  : slot_{slot}, who_{std::move(who)} {
  peer.node = this;
}

uint32_t request_node::shard_of(std::string_view action) const noexcept {
  return callboard::shard_of(visible_name(action), who_.loops);
}

bool request_node::accepts(const request_ticket& x) const {
  return x.shard < who_.loops && find(x) == nullptr;
}

void request_node::add(pending_request& x) {
  asked_.emplace(key_of(x.origin), &x);
}

void request_node::erase(const pending_request& x) {
  asked_.erase(key_of(x.origin));
}

pending_request* request_node::find(const request_ticket& x) const {
  auto i = asked_.find(key_of(x));
  return i != asked_.end() ? i->second : nullptr;
}

pending_request* request_node::first_of(uint32_t shard) const {
  auto i = asked_.lower_bound({shard, 0});
  return i != asked_.end() && i->first.first == shard ? i->second : nullptr;
}

} // namespace callboard
