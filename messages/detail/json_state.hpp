#pragma once

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/detail/json_parser.hpp>
#include <callboard/messages/frame_reader.hpp>

namespace callboard {

/// What a reader of JSON frames keeps from one frame to the next.
struct frame_reader::json_state {
  /// RapidJSON's parser, whose stack keeps its memory.
  callboard_rapidjson::Reader parser;

  /// Unescaped texts that the last frame refers to.
  byte_buffer scratch;
};

} // namespace callboard
