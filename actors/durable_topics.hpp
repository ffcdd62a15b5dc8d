#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include <callboard/actors/event_store.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/type_ids.hpp>

namespace callboard {

/// Until the store is asked again for what it could not do.
inline constexpr std::chrono::milliseconds store_retry_interval{1'000};

/// Who waits to hear what became of a publish.
struct publish_waiter {
  uint32_t call_id = 0;
  caf::typed_response_promise<published> promise;
  /// In place of the promise: tells the node that it came from.
  std::function<void(published)> home;

  void take(published x) {
    if (home)
      home(std::move(x));
    else
      promise.deliver(std::move(x));
  }

  void tell(errc code, const position& where = {}) {
    take(published{call_id, code, where});
  }
};

/// A publication that has its offset and is on its way to the disk.
struct pending_publication {
  publication_ptr event;
  /// That of its topic when it was published.
  uint64_t life = 0;
  publish_waiter who;
  /// Those who published the same id meanwhile.
  std::vector<publish_waiter> again;
};

/// A group that the disk knows and that has had no member since.
struct absent_group {
  group_place where;
  /// Whether it was made a moment ago, and then, whether it gets all that it
  /// was asked for.
  bool is_new = false;
  bool whole = false;
};

/// A topic that outlives the process, at the shard that owns it. While it is
/// not ready, `owned_topics` does not know it.
struct durable_topic {
  enum class stage {
    /// The next one who needs it lets it be loaded.
    unknown,
    loading,
    ready,
  };

  durable_topic(const topic_options& given, uint64_t first_life)
    : options{given}, life{first_life} {
  }

  [[nodiscard]] bool on_disk() const noexcept {
    return options.durability == durability::disk;
  }

  topic_options options;
  stage at = stage::unknown;
  /// Whether it has copies at other nodes. Then `copies` is on its way to the
  /// disks, and `durable_topics::pending` has nothing of it.
  bool copied = false;
  std::deque<pending_publication> copies;
  /// With copies: where its groups stand as the disks have it, or are about to;
  /// and who waits for that, with the number of the change; 0: it waits for the
  /// one before.
  std::map<std::string, group_place> places;
  std::deque<std::pair<uint64_t, std::function<void(bool)>>> placing;
  /// Another one whenever what is on its way to the disk has to be forgotten;
  /// no two topics of a shard have the same.
  uint64_t life;
  /// Appends that failed since one did not, and until when nothing is tried
  /// after several of them.
  uint32_t failures = 0;
  int64_t retry_ms = 0;
  /// The last offset that was given out; may be on its way to the disk.
  uint64_t assigned = 0;
  size_t pending = 0;
  /// The offsets of the first and the last event that the store has; 0: none.
  uint64_t stored_first = 0;
  uint64_t stored_last = 0;
  /// Ids on their way to the disk.
  std::unordered_map<std::string, pending_publication*> ids;
  /// By their names.
  std::map<std::string, absent_group> absent;
  /// Since when the shard has known it.
  int64_t since_ms = 0;
  /// What waits until it is ready, in order; called with `none` then, or with
  /// why it will not be.
  std::vector<std::function<void(errc)>> parked;
  /// The loops that want it, with the generation of their question.
  std::map<uint32_t, uint64_t> loops;
};

/// The durable topics of one shard, and what waits for the store.
struct durable_topics {
  std::unordered_map<std::string, durable_topic, string_hash, std::equal_to<>>
    topics;
  /// In the order in which the store will tell of them.
  std::deque<pending_publication> pending;
  /// Who waits for a read, by its token.
  std::unordered_map<uint64_t, std::function<void(store_report::reading&&)>>
    reads;
  /// Who waits until places of groups are on the disk; told whether that
  /// failed.
  std::unordered_map<uint64_t, std::function<void(bool)>> saves;
  uint64_t last_token = 0;
  uint64_t last_life = 0;
  /// Whether durability `memory` was handed over.
  bool handed_over = false;
};

} // namespace callboard
