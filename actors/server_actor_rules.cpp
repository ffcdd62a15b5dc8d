#include <callboard/actors/server_actor.hpp>

#include <memory>
#include <utility>

#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

// Rules that change while the node runs.

namespace callboard {

namespace {

/// Shards that have not said yet that everything of theirs goes by the rules.
struct reload_round {
  caf::typed_response_promise<uint64_t> promise;
  size_t left = 0;
  uint64_t unlike = 0;

  void done(uint64_t n) {
    unlike += n;
    if (--left == 0)
      promise.deliver(unlike);
  }
};

} // namespace

caf::result<uint64_t> server_actor::reload(rule_set_ptr rules) {
  rules_ = std::move(rules);
  auto round = std::make_shared<reload_round>();
  round->promise = make_response_promise<uint64_t>();
  round->left = brokers_.size() + routers_.size();
  for (auto& x : brokers_)
    request(x.actor, caf::infinite, reload_atom_v, rules_)
      .then([round](uint64_t n) { round->done(n); },
            // It has died. Its successor is made with them.
            [round](const caf::error&) { round->done(0); });
  for (auto& x : routers_)
    request(x.actor, caf::infinite, reload_atom_v, rules_)
      .then([round] { round->done(0); },
            [round](const caf::error&) { round->done(0); });
  return round->promise;
}

broker_ref server_actor::make_broker(uint32_t index) {
  auto shard = host_.make_broker(index);
  // The loop knows them from the shard before, unless that died with them.
  if (rules_ != nullptr)
    caf::anon_send(shard.actor, reload_atom_v, rules_);
  return shard;
}

router_ref server_actor::make_router(uint32_t index) {
  auto shard = host_.make_router(index);
  if (rules_ != nullptr)
    caf::anon_send(shard.actor, reload_atom_v, rules_);
  return shard;
}

} // namespace callboard
