#pragma once

#include <string>

#include <caf/typed_event_based_actor.hpp>

#include <callboard/actors/broker_groups.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/history_query.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/actors/owned_topics.hpp>
#include <callboard/actors/presence_registry.hpp>

namespace callboard {

/// A shard of the broker: the owner of the topics that hash to it, and the
/// server of its loop's subscriptions. What it must not lose when it dies is
/// the loop's (`loop_context::topics`, `loop_context::subscribers`); its own
/// topics start a new epoch.
class broker : public hosted<broker_actor::base> {
public:
  using super = hosted<broker_actor::base>;

  /// @param waiting counts the publications that are on their way to it.
  broker(caf::actor_config& cfg, caf::execution_unit* loop, loop_context& ctx,
         mailbox_bytes_ptr waiting);

  const char* name() const override {
    return "callboard.broker";
  }

  behavior_type make_behavior() override;

private:
  friend class broker_groups;

  // -- as the owner of topics -------------------------------------------------

  published publish(const publication_ptr& x);

  void attach(uint32_t loop, const std::string& subject, uint64_t generation);

  void hand_out(const publication_ptr& x);

  // Sends a loop what a topic has kept from the offset `first` on.
  void fetch(uint32_t loop, const std::string& topic, uint64_t first);

  request_outcome look_up(const history_query& x);

  // Returns whether one of the loops that want `topic` has too much waiting.
  bool congested(const loop_set& loops) const;

  std::string new_epoch();

  void expire();

  // -- as the owner of who is in the topics -----------------------------------

  void take_report(const presence_report& x);

  // Tells the loops what is due, and asks to be woken for what is due next.
  void advance_presence();

  void wake_presence();

  request_outcome look_up(const presence_query& x);

  caf::result<presence_count> count_presence(const std::string& topic);

  caf::result<presence_page> list_presence(const std::string& topic,
                                           uint32_t limit,
                                           const std::string& after);

  [[nodiscard]] bool has_presence(std::string_view topic) const;

  // -- as the server of the loop's subscriptions ------------------------------

  void deliver(const publication_ptr& x);

  void attached(uint32_t shard, const std::string& subject, uint64_t generation,
                position where, publication_ptr retained);

  void watch(const caf::strong_actor_ptr& connection);

  void drop(const caf::actor_addr& who);

  void deliver(const presence_news& x);

  // Hands an owner's answer to the connection that asked.
  void relay(const caf::strong_actor_ptr& asker, uint32_t call_id,
             const request_outcome& x);

  void subscribe(const caf::actor& who, const std::string& subject,
                 subscribe_answer answer, const topic_position* since,
                 bool watches = false);

  void unsubscribe(const caf::actor& who, const std::string& subject);

  [[nodiscard]] int64_t now_ms() const;

  loop_context& ctx_;
  mailbox_bytes_ptr waiting_;
  owned_topics topics_;
  presence_registry presence_;
  // When the earliest message that was asked for comes.
  int64_t presence_tick_ms_ = presence_registry::never;
  broker_groups groups_;
};

/// Asks the owners of `subject` to attach this loop.
void request_attach(loop_context& ctx, const std::string& subject);

/// Tells the owners of `subject` to detach this loop.
void request_detach(loop_context& ctx, const std::string& subject);

/// Asks a shard that came back for everything that this loop has of it.
void request_attach_again(loop_context& ctx, uint32_t shard);

} // namespace callboard
