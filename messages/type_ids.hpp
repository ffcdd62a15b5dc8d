#pragma once

#include <cstdint>

#include <caf/type_id.hpp>

namespace callboard {

enum class errc : uint8_t;

class shared_bytes;
class payload;

} // namespace callboard

// The numbers go to other nodes: append only, and only at the end.
CAF_BEGIN_TYPE_ID_BLOCK(callboard_messages, 1000)

  CAF_ADD_TYPE_ID(callboard_messages, (callboard::errc))
  CAF_ADD_TYPE_ID(callboard_messages, (callboard::shared_bytes))
  CAF_ADD_TYPE_ID(callboard_messages, (callboard::payload))

CAF_END_TYPE_ID_BLOCK(callboard_messages)
