#pragma once

#include <callboard/actors/publication.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/frame.hpp>

namespace callboard {

/// Returns the frame that says of `x` what every subscriber is told. Valid as
/// long as `x` is.
inline frame_view event_frame(const publication& x) noexcept {
  frame_view result;
  result.type = frame_type::event;
  result.timestamp = x.timestamp;
  result.subject = visible_name(x.topic);
  result.payload = x.payload.view();
  auto& meta = result.meta;
  meta.mark(meta_key::offset);
  meta.offset = x.offset;
  auto set = [&meta](meta_key key, std::string_view& to,
                     const std::string& from) {
    if (from.empty())
      return;
    meta.mark(key);
    to = from;
  };
  if (x.offset == 1)
    set(meta_key::epoch, meta.epoch, x.epoch);
  set(meta_key::sender, meta.sender, x.sender);
  set(meta_key::trace, meta.trace, x.trace);
  set(meta_key::key, meta.key, x.key);
  // Of a dead letter.
  set(meta_key::origin, meta.origin, x.origin);
  if (x.attempts > 0) {
    meta.mark(meta_key::attempt);
    meta.attempt = x.attempts;
  }
  return result;
}

} // namespace callboard
