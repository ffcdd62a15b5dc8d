#include <callboard/actors/broker.hpp>

#include <chrono>
#include <utility>

#include <caf/actor_clock.hpp>
#include <caf/send.hpp>

// Which topics there are, for operators. A shard has many, in no order, and
// must not stop for them: it looks at some in each step.

namespace callboard {

namespace {

// Topics that one step looks at.
constexpr size_t listed_a_step = 16'384;

// Between two steps, for the loop to do its work.
constexpr std::chrono::milliseconds listing_interval{1};

// Whoever asks waits no longer.
constexpr std::chrono::seconds listing_timeout{2};

constexpr size_t listings_max = 16;

} // namespace

caf::result<topic_page> broker::list_topics(const topic_query& x) {
  if (listings_.size() >= listings_max)
    return caf::make_error(errc::overloaded);
  auto promise = make_response_promise<topic_page>();
  auto under_way = !listings_.empty();
  listings_.push_back(
    {topic_search{x}, clock().now() + listing_timeout, promise});
  if (!under_way)
    go_on_listing();
  return promise;
}

void broker::go_on_listing() {
  drop_late_listings();
  if (listings_.empty())
    return;
  auto& x = listings_.front();
  if (topics_.look_for(x.search, listed_a_step)) {
    x.promise.deliver(x.search.take());
    listings_.pop_front();
  }
  if (!listings_.empty())
    delayed_anon_send(caf::actor_cast<broker_actor>(this), listing_interval,
                      lookup_atom_v);
}

void broker::drop_late_listings() {
  // They came in the order of their ends.
  auto now = clock().now();
  for (; !listings_.empty() && listings_.front().end <= now;
       listings_.pop_front())
    listings_.front().promise.deliver(caf::make_error(errc::timeout));
}

topic_page broker::count_subscribers(topic_page x) const {
  for (auto& topic : x.topics)
    topic.subscribers += ctx_.topics.subscribers(topic.topic);
  return x;
}

} // namespace callboard
