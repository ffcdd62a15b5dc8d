#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/alarms.hpp>
#include <callboard/actors/dead_letters.hpp>
#include <callboard/actors/group_messages.hpp>
#include <callboard/actors/group_table.hpp>
#include <callboard/actors/owned_topics.hpp>

namespace callboard {

class broker;
struct loop_context;

/// The part of a broker shard that serves the groups of its topics: turns what
/// they want into messages, and knows when members die.
class broker_groups : public group_sink {
public:
  /// @param self is whose part this is.
  broker_groups(broker& self, loop_context& ctx, owned_topics& topics);

  // -- from members -----------------------------------------------------------

  void subscribe(const caf::strong_actor_ptr& who, const group_wish& x);

  void subscribe(const caf::actor& who, const std::string& topic,
                 const group_options& x,
                 caf::typed_response_promise<position, bool> answer);

  /// Tells a connection that it cannot be a member.
  void refuse(const caf::strong_actor_ptr& who, const group_wish& x, errc why);

  void unsubscribe(const caf::strong_actor_ptr& who, const std::string& topic,
                   const std::string& group);

  void answer(const group_answer& x);

  /// An actor has died.
  void drop(caf::actor_id who);

  // -- from the broker --------------------------------------------------------

  /// An event of a topic is handed out.
  void publish(const publication_ptr& x);

  /// Looks at the events that had to be confirmed.
  void time_out();

  /// Forgets groups.
  void expire();

  // -- group_sink -------------------------------------------------------------

  void give(const group_member& to, const group_delivery& what) override;

  void withdraw(const group_member& from, uint64_t number) override;

  void bury(const shared_group& group, const publication_ptr& event,
            uint32_t attempts) override;

  void tell_gap(const shared_group& group) override;

  history_slice_ptr read(const std::string& topic, uint64_t first,
                         size_t limit) override;

  void released(const std::string& topic) override;

private:
  struct outcome {
    errc code = errc::none;
    group_member* member = nullptr;
    position where;
    bool recovered = false;
  };

  outcome join(const caf::strong_actor_ptr& who, bool embedded,
               const std::string& topic, const std::string& group,
               const position& since);

  // Returns where a new group begins.
  group_table::topic_state state_of(const std::string& topic,
                                    const position& head,
                                    const position& since);

  // Returns the member that `who` is in a group; or null.
  group_member* find(caf::actor_id who, const std::string& topic,
                     const std::string& group);

  // To be called whenever groups may have done something.
  void finish_turn();

  [[nodiscard]] int64_t now_ms() const;

  broker& self_;
  loop_context& ctx_;
  owned_topics& topics_;
  group_table table_;
  dead_letters dead_;
  alarms alarms_;
  // The members that an actor is. Who is here is watched until it dies.
  std::unordered_map<caf::actor_id, std::vector<member_id>> actors_;
};

} // namespace callboard
