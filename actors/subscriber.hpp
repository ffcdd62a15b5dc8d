#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <callboard/actors/presence.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/messages/errc.hpp>

namespace callboard {

/// Where a subscriber stands in a topic when its subscription begins.
struct topic_position {
  std::string epoch;
  uint64_t offset = 0;
};

/// What becomes of the events that somebody missed.
enum class recovery {
  /// It did not ask for them.
  none,
  /// They come next, without a gap.
  whole,
  /// They are not all there any more, and none of them comes.
  lost,
};

/// What a new subscriber to a pattern gets of the topics' last values.
enum class last_values {
  /// There are none.
  none,
  /// They come next, before anything else.
  all,
  /// There are more than may be, and none of them comes.
  too_many,
};

/// Who subscribes: a connection, or an embedded actor. Calls come on the
/// loop's thread, outside of any actor's context.
class subscriber {
public:
  virtual ~subscriber() = default;

  /// The subscription with this seqId holds from now on; no event of it has
  /// come before. `position` is null for a pattern, and `values` about
  /// patterns only.
  virtual void on_subscribed(uint32_t seq_id, std::string_view subject,
                             const topic_position* position, recovery missed,
                             last_values values)
    = 0;

  /// The subscription with this seqId will not be.
  virtual void on_refused(uint32_t seq_id, std::string_view subject, errc code)
    = 0;

  /// The topic's offsets started over, or events were dropped. `position` is
  /// null for a pattern: events of topics that match may have been lost.
  virtual void on_position(std::string_view subject,
                           const topic_position* position,
                           std::string_view reason)
    = 0;

  /// An event for a subscriber that takes values, not bytes.
  /// @param retained whether it is the topic's last value, for a newcomer.
  virtual void
  on_event(const publication& event, std::string_view pattern, bool retained)
    = 0;

  /// Who came to a topic and who went, for a subscriber that takes values.
  /// @param news null: what was told until now may be wrong.
  virtual void on_presence(std::string_view topic, const presence_news* news)
    = 0;

  /// The answer to a question of presence with this call ID. It stands where
  /// it must among what the subscriber is told of who comes and goes.
  virtual void on_answer(uint32_t call_id, const request_outcome& answer) = 0;

  /// Returns the user behind it; empty where nobody is logged in.
  [[nodiscard]] virtual std::string_view user() const noexcept = 0;

  /// Little waits in its outbox any more; called after `tell_when_drained`.
  virtual void on_drained() {
    // nop
  }
};

} // namespace callboard
