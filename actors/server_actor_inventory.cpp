#include <callboard/actors/server_actor.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <utility>

#include <caf/actor_clock.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/timespan.hpp>

// What the node has, for operators. Whoever is asked has so much time, because
// who asks must hear something.

namespace callboard {

namespace {

constexpr caf::timespan answer_timeout = std::chrono::seconds{2};

// For all of a page, which is less than who serves operators waits.
constexpr caf::timespan page_timeout = std::chrono::seconds{4};

// Connections that are asked at a time, so that no loop has all of a page to
// answer in one turn.
constexpr size_t asked_max = 100;

bool is_timeout(const caf::error& x) {
  return x == caf::sec::request_timeout;
}

// Who is gone answers with an error of CAF's own.
caf::error to_error(const caf::error& x) {
  return is_timeout(x) ? caf::make_error(errc::timeout) : x;
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
  caf::actor_clock::time_point end;
  connection_page page;
  caf::typed_response_promise<connection_page> promise;
};

caf::result<connection_page> server_actor::list(const connection_query& x) {
  auto listing = std::make_shared<connection_listing>();
  listing->end = clock().now() + page_timeout;
  listing->promise = make_response_promise<connection_page>();
  request(pool_, answer_timeout, lookup_atom_v, x)
    .then(
      [=, this](std::vector<caf::strong_actor_ptr>& who, connection_id next) {
        listing->who = std::move(who);
        listing->page.next = next;
        go_on(listing);
      },
      [listing](const caf::error& why) {
        listing->promise.deliver(to_error(why));
      });
  return listing->promise;
}

void server_actor::go_on(const std::shared_ptr<connection_listing>& x) {
  if (x->late)
    return x->promise.deliver(caf::make_error(errc::timeout));
  if (x->asked == x->who.size()) {
    std::ranges::sort(x->page.connections, {}, &connection_facts::id);
    return x->promise.deliver(std::move(x->page));
  }
  auto left = time_left(x->end);
  if (left <= caf::timespan{0})
    return x->promise.deliver(caf::make_error(errc::timeout));
  auto end = std::min(x->asked + asked_max, x->who.size());
  x->waiting = end - x->asked;
  auto answered = [this, x] {
    if (--x->waiting == 0)
      go_on(x);
  };
  for (; x->asked < end; ++x->asked)
    request(caf::actor_cast<connection_actor>(x->who[x->asked]), left,
            lookup_atom_v)
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
  caf::actor_clock::time_point end;
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
  listing->end = clock().now() + page_timeout;
  listing->promise = make_response_promise<topic_page>();
  auto answered = [this, listing] {
    if (--listing->waiting > 0)
      return;
    if (listing->failed)
      listing->promise.deliver(std::move(listing->failed));
    else
      count_subscribers(0, listing);
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

void server_actor::count_subscribers(uint32_t loop,
                                     const std::shared_ptr<topic_listing>& x) {
  if (loop == brokers_.size() || x->page.topics.empty())
    return x->promise.deliver(std::move(x->page));
  auto left = time_left(x->end);
  if (left <= caf::timespan{0})
    return x->promise.deliver(caf::make_error(errc::timeout));
  request(brokers_[loop].actor, left, lookup_atom_v, std::move(x->page))
    .then(
      [=, this](topic_page& counted) {
        x->page = std::move(counted);
        count_subscribers(loop + 1, x);
      },
      [x](const caf::error& why) { x->promise.deliver(to_error(why)); });
}

caf::timespan server_actor::time_left(caf::actor_clock::time_point end) const {
  auto left = std::chrono::duration_cast<caf::timespan>(end - clock().now());
  return std::min(left, answer_timeout);
}

} // namespace callboard
