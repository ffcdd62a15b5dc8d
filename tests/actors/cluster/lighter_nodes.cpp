#include <callboard/actors/cluster/lighter_nodes.hpp>

#include <map>
#include <string>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/client_url.hpp>
#include <callboard/actors/cluster/node_rota.hpp>

#include "support/test.hpp"

using namespace callboard;

using strings = std::vector<std::string>;

namespace {

constexpr int64_t now_ms = 100'000;
constexpr int64_t timeout_ms = 5'000;

/// A node with one URL that has told its load just now.
node_offer offer_of(const std::string& name, uint32_t score,
                    node_intake intake = node_intake::open) {
  return {{score, 0, 1000, intake}, {"ws://" + name}, now_ms};
}

lighter_nodes nodes_of(const std::vector<node_offer>& offers) {
  return lighter_nodes{offers, now_ms, timeout_ms};
}

strings pick(const std::vector<node_offer>& offers, uint64_t turn = 0) {
  return nodes_of(offers).pick(turn);
}

} // namespace

CAF_TEST(the lightest nodes come first) {
  CHECK_EQ(pick({offer_of("a", 500), offer_of("b", 100), offer_of("c", 300)}),
           (strings{"ws://b", "ws://c", "ws://a"}));
  // And no more than three.
  CHECK_EQ(pick({offer_of("a", 500), offer_of("b", 100), offer_of("c", 300),
                 offer_of("d", 600)}),
           (strings{"ws://b", "ws://c", "ws://a"}));
  // Connections weigh as much.
  auto full = offer_of("a", 0);
  full.load.connections = 400;
  CHECK_EQ(pick({full, offer_of("b", 300)}), (strings{"ws://b", "ws://a"}));
}

CAF_TEST(only nodes that are open count) {
  CHECK_EQ(pick({offer_of("a", 0, node_intake::busy), offer_of("b", 999),
                 offer_of("c", 0, node_intake::full),
                 offer_of("d", 0, node_intake::draining)}),
           strings{"ws://b"});
  auto nowhere = offer_of("a", 0);
  nowhere.urls.clear();
  CHECK(nodes_of({nowhere}).empty());
  CHECK_EQ(pick({nowhere}), strings{});
  CHECK_EQ(lighter_nodes{}.pick(7), strings{});
}

CAF_TEST(what was said a timeout ago does not count) {
  auto x = offer_of("a", 0);
  x.said_ms = now_ms - timeout_ms + 1;
  CHECK_EQ(pick({x}), strings{"ws://a"});
  --x.said_ms;
  CHECK_EQ(pick({x}), strings{});
}

CAF_TEST(equal nodes take turns) {
  std::vector<node_offer> offers{offer_of("a", 0), offer_of("b", 99),
                                 offer_of("c", 50), offer_of("d", 100)};
  CHECK_EQ(pick(offers, 0), (strings{"ws://a", "ws://b", "ws://c"}));
  CHECK_EQ(pick(offers, 1), (strings{"ws://b", "ws://c", "ws://a"}));
  CHECK_EQ(pick(offers, 2), (strings{"ws://c", "ws://a", "ws://b"}));
  CHECK_EQ(pick(offers, 3), pick(offers, 0));
  CHECK_EQ(pick(offers, ~uint64_t{0}).size(), 3u);
  // Each is first as often as the others, and what is heavier never is.
  std::map<std::string, int> first;
  for (uint64_t turn = 0; turn < 300; ++turn)
    ++first[pick(offers, turn)[0]];
  CHECK_EQ(first.size(), 3u);
  for (auto& [url, n] : first)
    CHECK_EQ(n, 100);
}

CAF_TEST(all equal nodes of many are told of) {
  std::vector<node_offer> offers;
  for (auto name : {"a", "b", "c", "d", "e"})
    offers.push_back(offer_of(name, 0));
  CHECK_EQ(pick(offers, 3), (strings{"ws://d", "ws://e", "ws://a"}));
}

CAF_TEST(further URLs of a node come behind the first ones of others) {
  auto a = offer_of("a", 100);
  a.urls = {"ws://a1", "ws://a2", "ws://a3", "ws://a4"};
  auto b = offer_of("b", 200);
  b.urls = {"ws://b1", "ws://b2"};
  CHECK_EQ(pick({b, a}), (strings{"ws://a1", "ws://b1", "ws://a2", "ws://b2",
                                  "ws://a3", "ws://a4"}));
  // As many as clients try.
  b.urls = {"ws://b1", "ws://b2", "ws://b3", "ws://b4"};
  auto c = b;
  CHECK_EQ(pick({a, b, c}).size(), lighter_nodes::urls_max);
}

CAF_TEST(what changes nothing of what is picked is the same) {
  auto x = nodes_of({offer_of("a", 10), offer_of("b", 200)});
  CHECK(x.same_as(nodes_of({offer_of("a", 90), offer_of("b", 250)})));
  CHECK(!x.same_as(nodes_of({offer_of("a", 100), offer_of("b", 250)})));
  CHECK(!x.same_as(nodes_of({offer_of("a", 10)})));
}

CAF_TEST(a loop sends its clients to all in turn) {
  node_rota rota{1};
  CHECK_EQ(rota.next(), strings{});
  rota.install(caf::make_counted<lighter_nodes>(
    std::vector{offer_of("a", 0), offer_of("b", 0)}, now_ms, timeout_ms));
  CHECK_EQ(rota.next(), (strings{"ws://b", "ws://a"}));
  CHECK_EQ(rota.next(), (strings{"ws://a", "ws://b"}));
  rota.install(caf::make_counted<lighter_nodes>());
  CHECK_EQ(rota.next(), strings{});
}

CAF_TEST(URLs for clients are those that JSON takes as they are) {
  auto url_of = [](size_t bytes) {
    return "ws://" + std::string(bytes - 5, 'x');
  };
  for (auto& x : strings{"ws://a", "wss://a", "wss://[::1]:8080/ws?x=1",
                         url_of(client_url_bytes_max)})
    CHECK(valid_client_url(x));
  for (auto& x : strings{"", "ws://", "wss://", "http://a", "WS://a", "a",
                         "ws://a b", "ws://a\"", "ws://a\\", "ws://a\n",
                         "ws://\xc3\xa4", url_of(client_url_bytes_max + 1)})
    CHECK(!valid_client_url(x));
}
