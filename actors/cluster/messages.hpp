#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <caf/byte_buffer.hpp>
#include <caf/sec.hpp>
#include <caf/span.hpp>

// What the nodes of a cluster send to each other for their shards. Who is in
// the cluster is settled by the messages of `membership_messages.hpp`.

namespace callboard {

class batch_credit;

/// The actor of a node that a batch is for.
enum class shard_kind : uint8_t { broker, router };

inline constexpr size_t shard_kind_count = 2;

/// A buffer that CAF sends and takes as a whole. Any other list of bytes goes
/// byte by byte.
struct whole_buffer {
  caf::byte_buffer& bytes;

  template <class Inspector>
  friend bool inspect(Inspector& f, whole_buffer& x) {
    auto size = x.bytes.size();
    if (!f.begin_sequence(size))
      return false;
    if constexpr (Inspector::is_loading) {
      // What the sender says is not allocated before it is there.
      if constexpr (requires { f.remaining(); })
        if (size > f.remaining()) {
          f.emplace_error(caf::sec::end_of_stream);
          return false;
        }
      x.bytes.resize(size);
      return f.value(caf::span<caf::byte>{x.bytes.data(), size})
             && f.end_sequence();
    } else {
      return f.value(caf::span<const caf::byte>{x.bytes.data(), size})
             && f.end_sequence();
    }
  }
};

/// Frames (`peer_frames.hpp`) from one node to one shard of another, one behind
/// the other. Those from one shard to one shard arrive in order.
struct peer_batch {
  /// Names the link, as the receiver has numbered it.
  uint64_t link = 0;
  /// Of the sender's view. The receiver holds back what comes from a newer one
  /// than its own.
  uint64_t view = 0;
  uint8_t kind = 0;
  /// The receiver's shard.
  uint32_t shard = 0;
  /// How many bytes of batches the sender is done with on this link.
  uint64_t acknowledged = 0;
  caf::byte_buffer frames;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_batch& x) {
    whole_buffer frames{x.frames};
    return f.object(x).fields(f.field("link", x.link), f.field("view", x.view),
                              f.field("kind", x.kind),
                              f.field("shard", x.shard),
                              f.field("acknowledged", x.acknowledged),
                              f.field("frames", frames));
  }
};

/// A batch, as its shard gets it.
struct shard_batch {
  /// The slot of the node that it comes from, in the set that is installed.
  uint32_t slot = 0;
  /// Of the sender's view.
  uint64_t view = 0;
  caf::byte_buffer frames;
  /// To be taken over by the shard; null: nobody counts what is received.
  std::shared_ptr<batch_credit> credit = nullptr;
};

} // namespace callboard
