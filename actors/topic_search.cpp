#include <callboard/actors/topic_search.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include <callboard/messages/topic.hpp>

namespace callboard {

topic_search::topic_search(topic_query what) : what_{std::move(what)} {
  what_.limit = std::clamp(what_.limit, 1u, inventory_page_max);
}

bool topic_search::wants(std::string_view name) const {
  if (!what_.after.empty() && name <= what_.after)
    return false;
  if (found_.size() > what_.limit && name >= found_.rbegin()->first)
    return false;
  return what_.pattern.empty() || matches(what_.pattern, name);
}

void topic_search::add(topic_facts x) {
  auto name = x.topic;
  found_.insert_or_assign(std::move(name), std::move(x));
  if (found_.size() > size_t{what_.limit} + 1)
    found_.erase(std::prev(found_.end()));
}

topic_page topic_search::take() {
  topic_page result;
  if (found_.size() > what_.limit) {
    found_.erase(std::prev(found_.end()));
    result.next = found_.rbegin()->first;
  }
  for (auto& [name, x] : found_)
    result.topics.push_back(std::move(x));
  found_.clear();
  return result;
}

} // namespace callboard
