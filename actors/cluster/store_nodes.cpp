#include <callboard/actors/cluster/store_nodes.hpp>

#include <algorithm>
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

} // namespace callboard
