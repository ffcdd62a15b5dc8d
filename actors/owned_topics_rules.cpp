#include <callboard/actors/owned_topics.hpp>

#include <utility>

// What rules say that change while topics live, and how fast clients publish.

namespace callboard {

namespace {

// Events that a topic has kept, which cost as much as its search for its rule.
constexpr size_t events_a_match = 16;

} // namespace

// -- rates --------------------------------------------------------------------

int64_t owned_topics::take_place(const publication& x, int64_t now_ms) {
  auto i = topics_.find(x.topic);
  return i == topics_.end() ? 0 : take_place(i->second, x, now_ms);
}

int64_t owned_topics::take_place(topic& at, const publication& x,
                                 int64_t now_ms) {
  auto& options = at.options;
  if (options.publish_rate == 0 || x.publisher == 0)
    return 0;
  if (at.rate == nullptr)
    at.rate = std::make_unique<token_bucket>(
      rate_limit{options.publish_rate, options.publish_burst}, now_ms);
  return at.rate->take(1, now_ms);
}

// -- other rules --------------------------------------------------------------

void owned_topics::set_rules(const std::vector<topic_rule>& rules) noexcept {
  rules_ = &rules;
  lap_ = {};
  rates_.clear();
}

bool owned_topics::revise(size_t work, int64_t now_ms,
                          const revised_topic& tell) {
  // Topics stand elsewhere when the table has grown; they are looked at again.
  if (lap_.buckets != topics_.bucket_count())
    lap_ = {0, topics_.bucket_count(), 0};
  size_t done = 0;
  for (; lap_.next < lap_.buckets && done < work; ++lap_.next, ++done)
    for (auto i = topics_.begin(lap_.next); i != topics_.end(lap_.next); ++i) {
      done += 1 + i->second.kept.size() / events_a_match;
      revise(i->first, i->second, now_ms, tell);
    }
  return lap_.next >= lap_.buckets;
}

void owned_topics::revise(const std::string& name, topic& at, int64_t now_ms,
                          const revised_topic& tell) {
  auto& wanted = options_of(*rules_, name);
  if (wanted.durability != at.options.durability)
    ++lap_.unlike;
  auto now = revised(at.options, wanted);
  if (now == at.options)
    return;
  auto before = std::exchange(at.options, now);
  if (at.rate != nullptr)
    at.rate->change({now.publish_rate, now.publish_burst}, now_ms);
  trim(at, now_ms);
  tell(name, before, now);
}

void owned_topics::trim(topic& at, int64_t now_ms) {
  change_history(at,
                 [&](history& kept) { kept.trim(at.options.history_size); });
  expire_history(at, now_ms);
  if (at.kept.empty())
    unlist(at);
  if (!at.options.retain)
    forget_retained(at);
}

} // namespace callboard
