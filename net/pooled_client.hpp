#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <caf/error.hpp>
#include <caf/timespan.hpp>

namespace callboard::net {

/// Where a pooled connection stands. It never goes back.
enum class pooled_state : uint8_t {
  opening,
  /// It can be used.
  ready,
  /// It is lost, did not come about, or was closed.
  broken,
};

/// What a pool holds and lends: a connection. All functions may be called on
/// any thread, several at a time, and do not block. They are not called under a
/// lock of the pool's, but for `state`, `in_flight` and `failure`.
class pooled_client {
public:
  virtual ~pooled_client() = default;

  /// Begins to connect; called once.
  /// @param changed is called whenever `state` has become another, on any
  ///                thread, but by no function of this object.
  virtual void open(std::function<void()> changed) = 0;

  /// Returns where it stands: one load of an atomic variable.
  [[nodiscard]] virtual pooled_state state() const noexcept = 0;

  /// Returns the operations that are not answered yet, as far as is known.
  [[nodiscard]] virtual size_t in_flight() const noexcept = 0;

  /// Asks the other side for a sign of life.
  /// @param done hears once whether there was one within `timeout`, on any
  ///             thread; it may be dropped where the connection ends.
  virtual void ping(caf::timespan timeout, std::function<void(bool)> done) = 0;

  /// Returns why it is broken; none while it is not.
  [[nodiscard]] virtual caf::error failure() const = 0;

  /// Ends the connection; also before or during `open`. A second call does
  /// nothing.
  virtual void close() noexcept = 0;
};

/// Makes a connection, which `open` then opens. Called under a lock of the
/// pool's: it neither blocks, throws, nor calls the pool. Null: there is none
/// to be had, which counts as one that could not be opened.
using client_factory = std::function<std::unique_ptr<pooled_client>()>;

} // namespace callboard::net
