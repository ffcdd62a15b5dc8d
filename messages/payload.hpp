#pragma once

#include <optional>

#include <msgpack.hpp>

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/frame.hpp>
#include <callboard/messages/frame_writer.hpp>
#include <callboard/messages/shared_bytes.hpp>
#include <callboard/messages/type_ids.hpp>

namespace callboard {

/// One value in one of the codecs, shared by reference. The zero value is no
/// payload. Cheap to copy; may be shared between threads.
class payload {
public:
  payload() noexcept = default;

  payload(codec encoding, shared_bytes bytes) noexcept
    : bytes_{std::move(bytes)}, encoding_{encoding} {
  }

  /// Copies the bytes of `x`.
  explicit payload(payload_view x) : bytes_{x.bytes}, encoding_{x.encoding} {
  }

  /// Packs any value that msgpack-c can pack; own types by
  /// `MSGPACK_DEFINE_MAP`.
  template <class T>
  static payload pack(const T& x) {
    byte_buffer out;
    msgpack::pack(out, x);
    return payload{payload_view{codec::msgpack, out.view()}};
  }

  /// Takes JSON text.
  /// @returns nullopt if `text` is not one well-formed JSON value.
  static std::optional<payload> from_json(std::string_view text);

  /// Returns the payload as a `T` by msgpack-c's conversions, or nullopt if it
  /// has another shape. Converts from JSON first where needed.
  template <class T>
  [[nodiscard]] std::optional<T> get_as() const {
    try {
      byte_buffer converted;
      auto bytes = msgpack_bytes(converted);
      auto handle = msgpack::unpack(bytes.data(), bytes.size());
      return handle.get().as<T>();
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  /// Returns the payload as JSON text; `null` if there is none.
  [[nodiscard]] std::string to_json() const;

  [[nodiscard]] payload_view view() const noexcept {
    return {encoding_, bytes_.view()};
  }

  [[nodiscard]] codec encoding() const noexcept {
    return encoding_;
  }

  [[nodiscard]] const shared_bytes& bytes() const noexcept {
    return bytes_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return bytes_.empty();
  }

  /// Returns whether there is no value: no payload, or nil.
  [[nodiscard]] bool is_nil() const noexcept {
    auto bytes = bytes_.view();
    return bytes.empty()
           || bytes == (encoding_ == codec::msgpack ? "\xC0" : "null");
  }

  template <class Inspector>
  friend bool inspect(Inspector& f, payload& x) {
    auto get = [&x] { return static_cast<uint8_t>(x.encoding_); };
    auto set = [&x](uint8_t encoding) {
      x.encoding_ = static_cast<codec>(encoding);
      return encoding < codec_count;
    };
    return f.object(x).fields(f.field("encoding", get, set),
                              f.field("bytes", x.bytes_));
  }

private:
  // Returns the bytes in MessagePack, in `converted` where they are not yet.
  std::string_view msgpack_bytes(byte_buffer& converted) const;

  shared_bytes bytes_;
  codec encoding_ = codec::msgpack;
};

} // namespace callboard
