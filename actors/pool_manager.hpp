#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor_clock.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/descriptor_balance.hpp>
#include <callboard/actors/drain_plan.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/leak_suspects.hpp>
#include <callboard/actors/leaks.hpp>
#include <callboard/actors/live_report.hpp>
#include <callboard/actors/loop_context.hpp>

namespace callboard {

/// Knows every connection of the node: finds them, tells about their lives and
/// ends them when the node drains. How many there may be, and on which loop the
/// next one lives, is decided by `admission`, which needs no actor. Compares
/// what it knows with what the loops' audits find.
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

  // Whoever came while the node drains.
  void send_away(const caf::strong_actor_ptr& connection);

  void close(const connection_actor& who);

  void closed(caf::actor_id who);

  void tell(const lifecycle_event& life);

  void watch(const caf::actor& who);

  void unwatch(const caf::actor_addr& who);

  caf::result<caf::strong_actor_ptr> find(connection_id id) const;

  std::vector<caf::strong_actor_ptr> find(const std::string& user) const;

  caf::result<std::vector<caf::strong_actor_ptr>, connection_id>
  find(const connection_query& x) const;

  // Returns the numbers of the connections that are asked for, in order, and
  // one more if there is one.
  [[nodiscard]] std::vector<connection_id> select(const connection_query& x,
                                                  size_t limit) const;

  caf::result<void> drain(caf::timespan span);

  // Tells those that are due to go, and comes back for the others.
  void go_on_draining();

  // Closes everybody, whatever they wait for.
  void close_all();

  void drained_one();

  [[nodiscard]] caf::timespan draining_for() const;

  // -- the audit --------------------------------------------------------------

  // What the audit of one loop has told.
  struct loop_round {
    uint32_t number = 0;
    leak_suspects suspects;
  };

  // Goes through the registry, some at a time.
  void begin_audit();
  void go_on_auditing();

  void audit(const live_report& x);

  void audit(uint64_t descriptors, uint64_t sockets);

  // Counts and logs a leak.
  void found(leak_kind kind, leak_history who, uint64_t count = 1);

  node_context& node_;
  // By actor ID, which down messages carry.
  std::unordered_map<caf::actor_id, entry> connections_;
  std::map<connection_id, caf::actor_id> by_id_;
  std::unordered_multimap<std::string, caf::actor_id> by_user_;
  std::vector<caf::actor> watchers_;
  std::vector<caf::typed_response_promise<void>> drains_;
  drain_plan plan_;
  caf::actor_clock::time_point drain_began_;
  // Those that were here then, in the order in which they came, and how many of
  // them were told.
  std::vector<caf::actor_id> leaving_;
  size_t told_ = 0;
  leak_metrics leaks_;
  leak_suspects suspects_;
  // The next bucket of the registry.
  size_t audited_ = 0;
  bool auditing_ = false;
  // Leaks that were logged since the audit began.
  size_t logged_ = 0;
  std::vector<loop_round> rounds_;
  descriptor_balance descriptors_;
};

} // namespace callboard
