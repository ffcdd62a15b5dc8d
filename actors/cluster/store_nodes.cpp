#include <callboard/actors/cluster/store_nodes.hpp>

#include <algorithm>
#include <span>
#include <utility>

#include <callboard/actors/string_hash.hpp>

namespace callboard {

namespace {

std::vector<std::string> sorted_names(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

uint64_t digest_of(const std::vector<std::string>& names) noexcept {
  // FNV-1a, as for each name.
  auto result = hash_of({});
  for (auto& name : names)
    result = (result ^ hash_of(name)) * 0x100000001b3u;
  return result != 0 ? result : 1;
}

} // namespace

store_nodes::store_nodes(std::vector<std::string> names,
                         const std::vector<topic_rule>& rules)
  : names_{sorted_names(std::move(names))},
    rules_{durable_rules(rules)},
    placement_{names_},
    digest_{digest_of(names_)} {
}

topic_voters store_nodes::voters_of(std::string_view topic) const noexcept {
  topic_voters result;
  if (rules_.empty())
    return result;
  auto& options = options_of(rules_, topic);
  if (options.durability == durability::none)
    return result;
  result.keepers = result.voters = 1;
  auto size = static_cast<uint32_t>(names_.size());
  if (options.durability == durability::disk)
    result.keepers
      = static_cast<uint32_t>(std::min<size_t>(options.replicas, size));
  // The third one is a witness, if it keeps nothing.
  auto voters_max = static_cast<uint32_t>(result.places.size());
  if (result.keepers > 1)
    result.voters = std::min(voters_max, size);
  placement_.best_of(topic, std::span{result.places}.first(result.voters));
  return result;
}

} // namespace callboard
