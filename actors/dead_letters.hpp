#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include <callboard/actors/publication.hpp>

namespace callboard {

class broker;
struct loop_context;

/// What a shard's groups could not get confirmed, on its way to the owners of
/// the topics `$dead/…`. Bounded: what does not fit is counted as lost.
class dead_letters {
public:
  /// Publications that may wait here.
  static constexpr size_t waiting_max = 10'000;

  /// @param self is whose part this is.
  /// @param bytes_max what may wait, in bytes; one publication always may.
  dead_letters(broker& self, loop_context& ctx, int64_t bytes_max);

  /// Publishes `x`, now or when its owner has room.
  void add(publication_ptr x);

  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  // So many are on their way at once.
  static constexpr size_t window = 256;

  void pump();

  void send(uint64_t number, publication_ptr x);

  // It could not be published now.
  void retry(uint64_t number, publication_ptr x);

  void resume();

  // Keeps `x`, where there is room.
  void keep(uint64_t number, publication_ptr x);

  broker& self_;
  loop_context& ctx_;
  int64_t bytes_max_;
  // By their numbers, in the order in which they were added.
  std::map<uint64_t, publication_ptr> waiting_;
  uint64_t last_number_ = 0;
  int64_t bytes_ = 0;
  size_t on_their_way_ = 0;
  bool paused_ = false;
};

} // namespace callboard
