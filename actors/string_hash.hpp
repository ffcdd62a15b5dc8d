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

/// Returns a hash that is the same on every node and in every build: FNV-1a, 64
/// bits.
constexpr uint64_t hash_of(std::string_view x) noexcept {
  uint64_t hash = 0xcbf29ce484222325u;
  for (auto c : x) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

/// Returns the shard, 0 … shards − 1, that owns the topic or action `name`.
constexpr uint32_t shard_of(std::string_view name, uint32_t shards) noexcept {
  auto hash = hash_of(name);
  return static_cast<uint32_t>((hash ^ (hash >> 32)) % shards);
}

} // namespace callboard
