#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/intrusive_ptr.hpp>

#include <callboard/actors/chunk.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/wire_form.hpp>

namespace callboard {

/// What processors fetch from memory at once.
inline constexpr size_t cache_line_bytes = 64;

class outbox;
class outbox_scheduler;
class subscriber;
struct subscription;

/// The socket behind an outbox, as far as actors see it. All calls come on the
/// loop's thread.
class transport {
public:
  virtual ~transport() = default;

  /// Sends what waits in its outbox, `box`, as much as the socket takes. Never
  /// calls back into an actor.
  virtual void flush(outbox& box) = 0;

  /// Sends `bytes` at once, when nothing waits in the outbox.
  /// @returns how many the socket took; with fewer than all, `flush` follows.
  virtual size_t send(std::string_view bytes) = 0;

  /// Sends what waits and then a close frame, and ends the socket when the
  /// peer has closed or a deadline is over. Repeated calls do nothing.
  /// @param reason at most 123 bytes of UTF-8.
  virtual void close(uint16_t code, std::string_view reason) = 0;

  /// The time at which the connection's log-in runs out is another one now.
  virtual void expiry_changed() = 0;
};

/// Bytes on their way to one connection: bounded, in order, made of pieces that
/// are shared with other outboxes (fan-out) or its own (replies). Lives on one
/// loop's thread and is counted without atomics. At rest it holds no buffer.
///
/// What a delivery touches comes first, in one cache line: with thousands of
/// receivers, memory is what a delivery costs beside the system call.
class alignas(cache_line_bytes) outbox {
public:
  /// @param bytes_max how many bytes may wait, 1 … 2^31.
  outbox(outbox_scheduler& scheduler, wire_form form, size_t bytes_max);

  outbox(const outbox&) = delete;

  outbox& operator=(const outbox&) = delete;

  ~outbox();

  // -- writing ----------------------------------------------------------------

  /// Appends the whole of `x` by reference.
  void append(const chunk_ptr& x);

  /// Does the same and sends it at once, unless the outbox will be flushed at
  /// the end of the turn anyway. Where nothing waits, only what the socket does
  /// not take is kept, and the outbox is not even written to.
  void append_and_send(const chunk_ptr& x);

  /// Brings what `append_and_send` touches near the processor.
  void prefetch() const noexcept {
    __builtin_prefetch(&transport_, 1);
  }

  void prefetch_transport() const noexcept {
    __builtin_prefetch(transport_, 1);
  }

  /// Appends one frame to the outbox's own bytes.
  void append(framing& wire, const frame_view& x);

  /// Appends bytes that are already a message of the transport, in two parts.
  void append(std::string_view message, std::string_view rest = {});

  // -- sending ----------------------------------------------------------------

  /// Fills `out` with the first bytes that wait.
  /// @returns how many views were set.
  size_t gather(std::span<std::string_view> out) const noexcept;

  /// Forgets the first `n` bytes, which have been sent.
  void consume(size_t n) noexcept;

  /// Forgets everything: there is nobody to send it to.
  void drop_all() noexcept;

  /// Forgets everything but the piece that has been sent in part, so that what
  /// is appended next begins at the start of a message.
  void drop_unsent() noexcept;

  // -- state ------------------------------------------------------------------

  /// Returns the number of bytes that wait.
  [[nodiscard]] size_t queued_bytes() const noexcept {
    return queued_;
  }

  [[nodiscard]] size_t bytes_max() const noexcept {
    return bytes_max_;
  }

  /// Returns whether `n` bytes more leave half of what may wait free, once the
  /// socket was given a chance.
  [[nodiscard]] bool has_room(size_t n) {
    auto fits = [&] { return queued_ == 0 || queued_ + n <= bytes_max_ / 2; };
    return fits() || (accepts(n) && fits());
  }

  [[nodiscard]] wire_form form() const noexcept {
    return form_;
  }

  /// Returns whether more was appended than may wait. From then on, what is
  /// appended is dropped until `drop_unsent`.
  [[nodiscard]] bool overflowed() const noexcept {
    return overflowed_;
  }

  /// Returns whether nothing is accepted any more.
  [[nodiscard]] bool closed() const noexcept {
    return closed_;
  }

  /// Accepts nothing from now on; what waits is still sent.
  void close() noexcept {
    closed_ = true;
  }

  /// Asks for a `flush` at the end of the turn.
  void mark_dirty();

  /// Sets the socket that `flush` goes to; null when it is gone.
  void set_transport(transport* x) noexcept {
    transport_ = x;
  }

  [[nodiscard]] transport* get_transport() const noexcept {
    return transport_;
  }

  /// Lets the scheduler know, once, when no more than a quarter of what may
  /// wait does.
  void tell_when_drained() noexcept {
    tell_drained_ = true;
  }

  /// Tells that the socket takes no more for now, or does again.
  void set_blocked(bool x) noexcept {
    blocked_ = x;
  }

private:
  friend class outbox_scheduler;

  friend void intrusive_ptr_add_ref(outbox* x) noexcept {
    ++x->references_;
  }

  friend void intrusive_ptr_release(outbox* x) noexcept {
    if (--x->references_ == 0)
      delete x;
  }

  struct piece {
    chunk_ptr bytes;
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  // Own bytes are put into chunks of about this size.
  static constexpr size_t own_chunk_bytes = 32 * 1024;

  // Returns whether anything is accepted; makes room for `n` bytes if it can.
  bool accepts(size_t n);

  void overflow();

  // Appends a reference to `x`; returns whether it was accepted.
  bool push_shared(const chunk_ptr& x);

  void push_rest(piece x);

  void add_queued(uint32_t n) noexcept;

  void clear_rest() noexcept;

  [[nodiscard]] piece& back() noexcept {
    return has_rest_ ? rest_.back() : first_;
  }

  // Returns the last piece, of own bytes that can be appended to.
  piece& open_own();

  // Lets `write` append to the own bytes and takes them into account.
  template <class Write>
  void append_own(Write&& write);

  void forget(size_t n) noexcept;

  transport* transport_ = nullptr;
  outbox_scheduler& scheduler_;
  uint32_t queued_ = 0;
  uint32_t bytes_max_;
  // The oldest piece; the others follow in rest_[head_ …].
  piece first_;
  uint32_t head_ = 0;
  uint32_t references_ = 0;
  wire_form form_;
  bool has_rest_ = false;
  bool dirty_ = false;
  bool blocked_ = false;
  bool overflowed_ = false;
  bool closed_ = false;
  // Whether the last piece is of own bytes and may grow.
  bool own_open_ = false;
  bool tell_drained_ = false;
  std::vector<piece> rest_;

public:
  // -- subscriptions, kept by topic_table -------------------------------------

  std::vector<std::unique_ptr<subscription>> subscriptions;

  /// Who subscribed; null once it is gone.
  subscriber* owner = nullptr;

  /// The connection behind it; 0 for an embedded actor.
  connection_id connection = 0;

  /// What events cost together that are held beside it, for subscriptions that
  /// lag; kept by topic_table.
  int64_t held_bytes = 0;
};

using outbox_ptr = caf::intrusive_ptr<outbox>;

/// Collects the outboxes of a loop that have something to send, and sends for
/// each of them once at the end of the turn.
class outbox_scheduler {
public:
  /// Flushes every outbox that was marked since the last call.
  void flush();

  [[nodiscard]] bool idle() const noexcept {
    return dirty_.empty();
  }

  [[nodiscard]] chunk_pool& chunks() noexcept {
    return chunks_;
  }

  /// Returns whether `take_drained` has something to return.
  [[nodiscard]] bool any_drained() const noexcept {
    return !drained_.empty();
  }

  /// Returns the outboxes that asked for it and were drained since the last
  /// call.
  std::vector<outbox_ptr> take_drained() {
    return std::exchange(drained_, {});
  }

  /// Returns the bytes that were sent since the last call.
  uint64_t take_sent_bytes() noexcept {
    return std::exchange(sent_bytes_, 0);
  }

  /// Returns the bytes that wait in all outboxes of the loop.
  [[nodiscard]] size_t queued_bytes() const noexcept {
    return queued_bytes_;
  }

private:
  friend class outbox;

  chunk_pool chunks_;
  std::vector<outbox_ptr> dirty_;
  std::vector<outbox_ptr> flushing_;
  std::vector<outbox_ptr> drained_;
  size_t queued_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
};

} // namespace callboard
