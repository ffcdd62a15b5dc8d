#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <caf/actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/mailbox_bytes.hpp>
#include <callboard/actors/topic_table.hpp>

namespace callboard {

struct loop_context;

/// Who waits to hear of a subscription: one of the two.
struct subscribe_answer {
  caf::typed_response_promise<position> where;
  /// For one that came with a position.
  caf::typed_response_promise<position, bool> where_and_whole;

  void deliver(position x, recovery missed);

  void fail(const caf::error& why);
};

/// An embedded actor's side of its subscriptions: turns events into messages
/// and bounds how many bytes of them it may have waiting.
class actor_subscriber : public subscriber {
public:
  /// @param bytes_max what may wait in the actor's mailbox, in bytes.
  actor_subscriber(const caf::actor& who, size_t bytes_max, loop_context& ctx);

  /// Keeps `answer` until the subscription to `subject` holds.
  /// @returns the seqId to subscribe with.
  uint32_t await_answer(const std::string& subject, subscribe_answer answer);

  /// Answers all that wait with `code`: who made the promises ends.
  /// @returns what they wanted to subscribe to.
  std::vector<std::string> refuse_all(errc code);

  void refuse(uint32_t seq_id, errc code);

  /// A subscription is gone; a new one to the same gets events again.
  void unsubscribed(const std::string& subject);

  void on_subscribed(uint32_t seq_id, std::string_view subject,
                     const topic_position* where, recovery missed,
                     last_values values) override;

  void on_refused(uint32_t seq_id, std::string_view subject,
                  errc code) override;

  void on_position(std::string_view subject, const topic_position* where,
                   std::string_view reason) override;

  void on_event(const publication& x, std::string_view pattern,
                bool retained) override;

  void on_presence(std::string_view topic, const presence_news* news) override;

  void on_answer(uint32_t, const request_outcome&) override {
    // Actors ask by requests of CAF's.
  }

  [[nodiscard]] std::string_view user() const noexcept override {
    return {};
  }

private:
  // Ends the subscription that the actor could not keep up with.
  // @param last the position that it has; an empty one if that is not known.
  void overflow(const std::string& subject, position last);

  caf::actor_addr who_;
  size_t bytes_max_;
  loop_context& ctx_;
  mailbox_bytes_ptr waiting_;
  uint32_t last_seq_id_ = 0;
  struct waiting_answer {
    std::string subject;
    subscribe_answer answer;
  };

  std::unordered_map<uint32_t, waiting_answer> answers_;
  // Subjects that are being taken back.
  std::unordered_set<std::string> overflowed_;
};

} // namespace callboard
