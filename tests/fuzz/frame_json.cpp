// Reads bytes as a message of JSON frames. A frame that was read is written,
// and must read the same.

#include <cstdint>
#include <string_view>

#include "fuzz/frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  callboard::fuzz::read_all(callboard::codec::json,
                            {reinterpret_cast<const char*>(data), size});
  return 0;
}
