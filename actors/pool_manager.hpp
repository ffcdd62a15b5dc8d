#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/handles.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/loop_context.hpp>

namespace callboard {

/// Knows every connection of the node: finds them, tells about their lives and
/// ends them when the node drains. How many there may be, and on which loop the
/// next one lives, is decided by `admission`, which needs no actor.
class pool_manager : public hosted<pool_actor::base> {
public:
  using super = hosted<pool_actor::base>;

  pool_manager(caf::actor_config& cfg, caf::execution_unit* loop,
               node_context& node);

  const char* name() const override {
    return "callboard.pool-manager";
  }

  behavior_type make_behavior() override;

  /// Lets go of those who watch.
  void on_exit() override;

private:
  struct entry {
    connection_id id = 0;
    caf::weak_actor_ptr connection;
    // Empty where nobody is logged in.
    std::string user;
  };

  void opened(const caf::strong_actor_ptr& connection,
              const lifecycle_event& life);

  void closed(caf::actor_id who);

  void tell(const lifecycle_event& life);

  void watch(const caf::actor& who);

  void unwatch(const caf::actor_addr& who);

  caf::result<caf::strong_actor_ptr> find(connection_id id) const;

  std::vector<caf::strong_actor_ptr> find(const std::string& user) const;

  caf::result<void> drain();

  void drained_one();

  node_context& node_;
  // By actor ID, which down messages carry.
  std::unordered_map<caf::actor_id, entry> connections_;
  std::unordered_map<connection_id, caf::actor_id> by_id_;
  std::unordered_multimap<std::string, caf::actor_id> by_user_;
  std::vector<caf::actor> watchers_;
  std::vector<caf::typed_response_promise<void>> drains_;
};

} // namespace callboard
