#include <callboard/actors/server_actor.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <caf/sec.hpp>
#include <caf/send.hpp>

// What the node has, for operators. Whoever is asked has so much time, because
// who asks must hear something.

namespace callboard {

namespace {

constexpr auto answer_timeout = std::chrono::seconds{2};

// Connections that are asked at a time, so that no loop has all of a page to
// answer in one turn.
constexpr size_t asked_max = 100;

bool is_timeout(const caf::error& x) {
  return x == caf::sec::request_timeout;
}

caf::error to_error(const caf::error& x) {
  return caf::make_error(is_timeout(x) ? errc::timeout : errc::internal);
}

} // namespace

// -- connections --------------------------------------------------------------

/// A page of connections that comes together.
struct server_actor::connection_listing {
  std::vector<caf::strong_actor_ptr> who;
  /// How many of them were asked, and how many of these have not answered.
  size_t asked = 0;
  size_t waiting = 0;
  bool late = false;
  connection_page page;
  caf::typed_response_promise<connection_page> promise;
};

caf::result<connection_page> server_actor::list(const connection_query& x) {
  auto promise = make_response_promise<connection_page>();
  request(pool_, answer_timeout, lookup_atom_v, x)
    .then(
      [=, this](std::vector<caf::strong_actor_ptr>& who, connection_id next) {
        auto listing = std::make_shared<connection_listing>();
        listing->who = std::move(who);
        listing->page.next = next;
        listing->promise = promise;
        go_on(listing);
      },
      [promise](const caf::error& why) mutable {
        promise.deliver(to_error(why));
      });
  return promise;
}

void server_actor::go_on(const std::shared_ptr<connection_listing>& x) {
  if (x->late)
    return x->promise.deliver(caf::make_error(errc::timeout));
  if (x->asked == x->who.size()) {
    std::ranges::sort(x->page.connections, {}, &connection_facts::id);
    return x->promise.deliver(std::move(x->page));
  }
  auto end = std::min(x->asked + asked_max, x->who.size());
  x->waiting = end - x->asked;
  auto answered = [this, x] {
    if (--x->waiting == 0)
      go_on(x);
  };
  for (; x->asked < end; ++x->asked)
    request(caf::actor_cast<connection_actor>(x->who[x->asked]),
            answer_timeout, lookup_atom_v)
      .then(
        [x, answered](connection_facts& facts) {
          x->page.connections.push_back(std::move(facts));
          answered();
        },
        [x, answered](const caf::error& why) {
          // Others have ended meanwhile.
          x->late |= is_timeout(why);
          answered();
        });
}

caf::result<uint64_t> server_actor::close(const std::string& user,
                                          uint16_t code,
                                          const std::string& reason) {
  auto promise = make_response_promise<uint64_t>();
  request(pool_, caf::infinite, lookup_atom_v, user)
    .then(
      [=](const std::vector<caf::strong_actor_ptr>& found) mutable {
        for (auto& x : found)
          caf::anon_send(caf::actor_cast<connection_actor>(x), close_atom_v,
                         code, reason);
        promise.deliver(static_cast<uint64_t>(found.size()));
      },
      [=](caf::error& x) mutable { promise.deliver(std::move(x)); });
  return promise;
}

// -- topics -------------------------------------------------------------------

/// A page of topics that comes together from all shards.
struct server_actor::topic_listing {
  size_t limit = 0;
  size_t waiting = 0;
  caf::error failed;
  topic_page page;
  caf::typed_response_promise<topic_page> promise;

  /// Adds what a shard has. Behind what any shard has left out nothing is
  /// known.
  void add(topic_page& x) {
    auto& topics = page.topics;
    std::ranges::move(x.topics, std::back_inserter(topics));
    std::ranges::sort(topics, {}, &topic_facts::topic);
    if (topics.size() > limit)
      topics.resize(limit);
    else if (x.next.empty() && page.next.empty())
      return;
    page.next = topics.back().topic;
  }
};

caf::result<topic_page> server_actor::list(const topic_query& x) {
  auto listing = std::make_shared<topic_listing>();
  listing->limit = std::clamp(x.limit, 1u, inventory_page_max);
  listing->waiting = brokers_.size();
  listing->promise = make_response_promise<topic_page>();
  auto answered = [this, listing] {
    if (--listing->waiting > 0)
      return;
    if (listing->failed)
      listing->promise.deliver(std::move(listing->failed));
    else
      count_subscribers(0, std::move(listing->page), listing->promise);
  };
  for (auto& shard : brokers_)
    request(shard.actor, answer_timeout, lookup_atom_v, x)
      .then(
        [listing, answered](topic_page& page) {
          listing->add(page);
          answered();
        },
        [listing, answered](const caf::error& why) {
          listing->failed = to_error(why);
          answered();
        });
  return listing->promise;
}

void server_actor::count_subscribers(
  uint32_t loop, topic_page page,
  caf::typed_response_promise<topic_page> promise) {
  if (loop == brokers_.size() || page.topics.empty())
    return promise.deliver(std::move(page));
  request(brokers_[loop].actor, answer_timeout, lookup_atom_v, std::move(page))
    .then(
      [=, this](topic_page& counted) {
        count_subscribers(loop + 1, std::move(counted), promise);
      },
      [promise](const caf::error& why) mutable {
        promise.deliver(to_error(why));
      });
}

} // namespace callboard
