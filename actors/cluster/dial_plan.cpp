#include <callboard/actors/cluster/dial_plan.hpp>

#include <algorithm>
#include <utility>

namespace callboard {

bool dial_plan::add_seed(const std::string& address, size_t seeds_max) {
  auto i = entries_.find(address);
  if (i != entries_.end() && i->second.seed)
    return true;
  auto seeds = std::ranges::count_if(entries_,
                                     [](auto& x) { return x.second.seed; });
  if (static_cast<size_t>(seeds) >= seeds_max)
    return false;
  entries_[address].seed = true;
  return true;
}

void dial_plan::remove_seed(const std::string& address) {
  if (auto i = entries_.find(address); i != entries_.end())
    i->second.seed = false;
}

std::vector<std::string>
dial_plan::take_due(const std::vector<std::string>& missing,
                    const std::function<bool(const std::string&)>& is_linked,
                    int64_t now_ms) {
  auto is_missing = [&](const std::string& address) {
    return std::ranges::find(missing, address) != missing.end();
  };
  for (auto& address : missing)
    entries_.try_emplace(address);
  std::erase_if(entries_, [&](auto& x) {
    return !x.second.seed && !x.second.under_way && !is_missing(x.first);
  });
  std::vector<std::string> result;
  for (auto& [address, x] : entries_) {
    // Several addresses may lead to one node, and other nodes than once.
    auto is_done = !x.name.empty() && is_linked(x.name);
    if (is_done || x.under_way || now_ms < x.due_ms)
      continue;
    x.under_way = true;
    result.push_back(address);
  }
  return result;
}

void dial_plan::found(const std::string& address, const std::string& name,
                      int64_t now_ms) {
  auto i = entries_.find(address);
  if (i == entries_.end())
    return;
  auto& x = i->second;
  x.under_way = false;
  x.failures = 0;
  x.name = name;
  x.why.clear();
  x.due_ms = now_ms + wait_ms_min;
}

bool dial_plan::failed(const std::string& address, int64_t now_ms,
                       std::string why) {
  auto i = entries_.find(address);
  if (i == entries_.end())
    return false;
  auto& x = i->second;
  x.times = why == x.why ? x.times + 1 : 1;
  x.why = std::move(why);
  x.under_way = false;
  x.name.clear();
  // Which distribution a standard library makes of it is not said anywhere.
  auto bound = std::min(wait_ms_min << std::min(x.failures, 5u), wait_ms_max);
  x.due_ms
    = now_ms
      + static_cast<int64_t>(random_() % static_cast<uint64_t>(bound + 1));
  ++x.failures;
  return !x.why.empty() && x.times == told_after;
}

} // namespace callboard
