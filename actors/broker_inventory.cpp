#include <callboard/actors/broker.hpp>

#include <chrono>
#include <utility>

#include <caf/send.hpp>

// Which topics there are, for operators. A shard has many, in no order, and
// must not stop for them: it looks at some in each step.

namespace callboard {

namespace {

// Topics that one step looks at.
constexpr size_t listed_a_step = 16'384;

// Between two steps, for the loop to do its work.
constexpr std::chrono::milliseconds listing_interval{1};

} // namespace

caf::result<topic_page> broker::list_topics(const topic_query& x) {
  auto promise = make_response_promise<topic_page>();
  auto under_way = !listings_.empty();
  listings_.push_back({topic_search{x}, promise});
  if (!under_way)
    go_on_listing();
  return promise;
}

void broker::go_on_listing() {
  if (listings_.empty())
    return;
  auto& [search, promise] = listings_.front();
  if (topics_.look_for(search, listed_a_step)) {
    promise.deliver(search.take());
    listings_.pop_front();
  }
  if (!listings_.empty())
    delayed_anon_send(caf::actor_cast<broker_actor>(this), listing_interval,
                      lookup_atom_v);
}

topic_page broker::count_subscribers(topic_page x) const {
  for (auto& topic : x.topics)
    topic.subscribers += ctx_.topics.subscribers(topic.topic);
  return x;
}

} // namespace callboard
