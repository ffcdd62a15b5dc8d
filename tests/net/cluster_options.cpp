#include <callboard/net/cluster/options.hpp>

#include <utility>

#include <callboard/net/server_options.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() {
    x.listen = "127.0.0.1:8180";
  }

  [[nodiscard]] bool well() const {
    return check(options).empty();
  }

  [[nodiscard]] bool refused_with(std::string_view words) const {
    return check(options).find(words) != std::string::npos;
  }

  server_options options;
  cluster_settings& x = options.cluster;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(cluster_options_tests, fixture)

CAF_TEST(the defaults are well and make no cluster) {
  CHECK_EQ(check(cluster_settings{}), "");
  CHECK(!cluster_settings{}.enabled());
  CHECK(well());
  x.listen.clear();
  x.join = {"127.0.0.1:8180"};
  CHECK(refused_with("mean nothing without an address"));
}

CAF_TEST(addresses to listen on) {
  for (auto* y : {"127.0.0.1:0", "127.0.0.1:65535", "[::1]:8180", "localhost:1",
                  "node-1.example.com:8180"})
    CHECK_EQ(check_cluster_listen(y), "");
  for (auto* y : {"", "127.0.0.1", "127.0.0.1:65536", ":8180", "::1:8180",
                  "0.0.0.0:8180", "[::]:8180"})
    CHECK(!check_cluster_listen(y).empty());
}

CAF_TEST(addresses to join) {
  for (auto* y : {"127.0.0.1:1", "[::1]:65535", "nodes:8180"})
    CHECK_EQ(check_cluster_seed(y), "");
  for (auto* y :
       {"", "nodes", "127.0.0.1:0", "nodes:65536", "::1:8180", "0.0.0.0:8180"})
    CHECK(!check_cluster_seed(y).empty());
  x.join.assign(cluster_settings::join_max, "nodes:8180");
  CHECK(well());
  x.join.emplace_back("nodes:8180");
  CHECK(refused_with("65 nodes to join"));
  x.join = {"127.0.0.1"};
  CHECK(refused_with("the node to join '127.0.0.1' is wrong"));
}

CAF_TEST(URLs for clients) {
  for (auto [given, told] : {
         std::pair{"ws://192.0.2.1:8080/ws", "ws://192.0.2.1:8080/ws"},
         std::pair{"wss://node1.example.com", "wss://node1.example.com:443/ws"},
         std::pair{"ws://a/", "ws://a:80/ws"},
         std::pair{"ws://[::1]:8080/board?x=1", "ws://[::1]:8080/board?x=1"},
       }) {
    CHECK_EQ(check_advertised_url(given), "");
    CHECK_EQ(advertised_url(given), told);
  }
  for (auto* y : {"", "a", "http://a", "https://a", "ws://", "ws://a:0",
                  "ws://a:65536", "ws://0.0.0.0:8080/ws", "ws://[::]/ws",
                  "ws://me@a/ws", "ws://a/\"", "ws://a b/ws"}) {
    CHECK(!check_advertised_url(y).empty());
    CHECK_EQ(advertised_url(y), "");
  }
  // Port and path count, too.
  auto path = std::string(255 - std::string_view{"ws://a:80/"}.size(), 'x');
  CHECK_EQ(advertised_url("ws://a/" + path).size(), 255u);
  CHECK_EQ(advertised_url("ws://a/x" + path), "");
  x.advertise.assign(4, "ws://a");
  CHECK(well());
  x.advertise.emplace_back("ws://a");
  CHECK(refused_with("there are 5 URLs for clients (advertise-url)"));
  x.advertise = {"ws://a", "http://b"};
  CHECK(refused_with("the URL for clients 'http://b' (advertise-url) is "
                     "wrong"));
  x.advertise = {"ws://a"};
  x.listen.clear();
  CHECK(refused_with("URLs for clients mean nothing without an address"));
}

CAF_TEST(nodes that keep durable topics) {
  for (int i = 0; i < 64; ++i)
    x.store_nodes.push_back("n" + std::to_string(i));
  CHECK(well());
  x.store_nodes.emplace_back("n64");
  CHECK(refused_with("there are 65 names of store nodes"));
  x.store_nodes = {"a", "b", "a"};
  CHECK(refused_with("the store node 'a' is named twice"));
  x.store_nodes = {std::string(64, 'x')};
  CHECK(well());
  x.store_nodes = {std::string(65, 'x')};
  CHECK(refused_with("1 to 64 bytes"));
  x.store_nodes = {""};
  CHECK(refused_with("the name of a store node '' is wrong"));
  x.store_nodes = {"a"};
  x.listen.clear();
  CHECK(refused_with("store nodes mean nothing without an address"));
}

CAF_TEST(a durability takes nodes that keep it and a store at these) {
  options.node.topics.push_back({"a/#", {.durability = durability::memory}});
  options.node_name = "a";
  options.store_dir = "store";
  CHECK(refused_with("the rule of topic 'a/#' does not go together with a "
                     "cluster"));
  x.store_nodes = {"b", "a"};
  CHECK(well());
  CHECK(needs_store(options));
  options.store_dir.clear();
  CHECK(refused_with("needs a store"));
  options.node_name = "c";
  CHECK(well());
  CHECK(!needs_store(options));
  options.node_name.clear();
  CHECK(well());
  options.store_dir = "store";
  CHECK(refused_with("has no node_name"));
  options.cluster = {};
  CHECK(well());
  CHECK(needs_store(options));
}

CAF_TEST(beyond loopback it takes certificates or the word for it) {
  for (auto* ip : {"127.0.0.1", "127.9.9.9", "::1"})
    CHECK_EQ(check_cluster_reach(x, ip), "");
  for (auto* ip : {"192.0.2.1", "2001:db8::1", "128.0.0.1", "::ffff:127.0.0.1",
                   "10.0.0.1"})
    CHECK(!check_cluster_reach(x, ip).empty());
  x.listen = "192.0.2.1:8180";
  CHECK(refused_with("is not on loopback"));
  x.listen = "127.0.0.1:8180";
  x.join = {"[2001:db8::1]:8180"};
  CHECK(refused_with("is not on loopback"));
  x.insecure = true;
  CHECK(well());
  x.insecure = false;
  x.certificate_file = "cert.pem";
  x.key_file = "key.pem";
  x.ca_file = "ca.pem";
  CHECK(well());
  CHECK_EQ(check_cluster_reach(x, "192.0.2.1"), "");
}

CAF_TEST(certificate and key and CA need each other) {
  for (auto* one : {&x.certificate_file, &x.key_file, &x.ca_file}) {
    *one = "file";
    CHECK(refused_with("need each other"));
    one->clear();
  }
  x.certificate_file = x.key_file = "file";
  CHECK(refused_with("need each other"));
}

CAF_TEST(bounds) {
  x.name = std::string(64, 'x');
  CHECK(well());
  x.name += 'x';
  CHECK(refused_with("name must have 1 … 64 bytes"));
  x.name.clear();
  CHECK(refused_with("name must have 1 … 64 bytes"));
  x.name = "c";
  x.heartbeat = 100ms;
  x.timeout = 300ms;
  CHECK(well());
  x.timeout = 300ms - 1ns;
  CHECK(refused_with("3 times its heartbeat"));
  x.heartbeat = 100ms - 1ns;
  x.timeout = 5s;
  CHECK(refused_with("heartbeat must be 100 ms"));
  x.heartbeat = 1min;
  x.timeout = 10min;
  CHECK(well());
  x.timeout += 1ns;
  CHECK(refused_with("3 times its heartbeat"));
  x.timeout = 10min;
  x.heartbeat += 1ns;
  CHECK(refused_with("heartbeat must be"));
  x.heartbeat = 1s;
  for (auto bytes : {size_t{1} << 20, size_t{16} << 30}) {
    x.outbox_bytes_max = bytes;
    CHECK(well());
  }
  for (auto bytes : {(size_t{1} << 20) - 1, (size_t{16} << 30) + 1}) {
    x.outbox_bytes_max = bytes;
    CHECK(refused_with("outbox_bytes_max must be 1 MiB"));
  }
  x.outbox_bytes_max = size_t{1} << 20;
  options.node.frame_bytes_max = (size_t{1} << 20) + 1;
  options.node.outbox_bytes_max = size_t{2} << 20;
  CHECK(refused_with("smaller than frame_bytes_max"));
}

CAF_TEST(a long name is one of a node alone) {
  options.node_name = std::string(64, 'x');
  CHECK(well());
  options.node_name += 'x';
  CHECK(refused_with("node_name has more than 64 bytes"));
  x.listen.clear();
  CHECK(well());
}

CAF_TEST(a durability without nodes that keep it is refused) {
  options.store_dir = "store";
  options.node.topics = {{"first/+", {.history_size = 5, .retain = true}},
                         {"a", {.history_size = 5}}};
  auto& topic = options.node.topics[1].options;
  CHECK(well());
  for (auto y : {durability::memory, durability::disk}) {
    topic.durability = y;
    CHECK(refused_with("the rule of topic 'a' does not go together"));
  }
  topic.durability = durability::none;
  topic.presence = true;
  CHECK(well());
  topic.durability = durability::disk;
  CHECK(!well());
  x.listen.clear();
  CHECK(well());
}

CAF_TEST(replicas take as many nodes that keep them) {
  options.store_dir = "store";
  options.node_name = "a";
  x.store_nodes = {"a", "b"};
  options.node.topics = {{"a", {.durability = durability::disk}}};
  auto& topic = options.node.topics[0].options;
  for (size_t n : {1, 2}) {
    topic.replicas = n;
    CHECK(well());
  }
  topic.replicas = 3;
  CHECK(refused_with("the rule of topic 'a' does not go together"));
  x.store_nodes.push_back("c");
  CHECK(well());
  x.store_nodes.push_back("d");
  for (size_t n : {0, 4}) {
    topic.replicas = n;
    CHECK(refused_with("replicas of topic 'a' is"));
  }
  topic.replicas = 2;
  topic.presence = true;
  CHECK(refused_with("do not go together with presence"));
  topic.presence = false;
  topic.durability = durability::memory;
  CHECK(refused_with("are for durability disk alone"));
  topic.durability = durability::disk;
  options.cluster = {};
  CHECK(refused_with("are for nodes of a cluster alone"));
}

CAF_TEST_FIXTURE_SCOPE_END()
