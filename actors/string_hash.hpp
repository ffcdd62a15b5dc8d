#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace callboard {

/// Lets a map with string keys be searched by views.
struct string_hash {
  using is_transparent = void;

  size_t operator()(std::string_view x) const noexcept {
    return std::hash<std::string_view>{}(x);
  }
};

/// Returns the shard, 0 … shards − 1, that owns the topic or action `name`.
/// The same on every node and in every build: FNV-1a, 64 bits.
constexpr uint32_t shard_of(std::string_view name, uint32_t shards) noexcept {
  uint64_t hash = 0xcbf29ce484222325u;
  for (auto c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return static_cast<uint32_t>((hash ^ (hash >> 32)) % shards);
}

} // namespace callboard
