#include <callboard/cmd/cluster_settings.hpp>

#include <algorithm>
#include <string>

#include <caf/actor_system_config.hpp>
#include <caf/settings.hpp>

#include <callboard/cmd/serve_config.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::cmd;
using namespace std::chrono_literals;

namespace {

struct fixture {
  /// Sets one of the settings of `callboard serve`. Returns what is wrong.
  std::string set(const std::string& name, const std::string& value) {
    auto table = serve_settings(options);
    auto i = std::ranges::find(table, name, &setting::name);
    CAF_REQUIRE(i != table.end());
    if (auto wrong = i->set(value); !wrong.empty())
      return wrong;
    return check(options);
  }

  bool refuses(const std::string& name, const std::string& value) {
    auto before = options;
    auto wrong = !set(name, value).empty();
    options = before;
    return wrong;
  }

  // Reads a config file. Returns what is wrong.
  static std::string read(const std::string& text) {
    serve_config config;
    try {
      config.read_text(text, "callboard.conf");
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return {};
  }

  static bool has(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
  }

  serve_options options;
  net::cluster_settings& x = options.server.cluster;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(cluster_settings_tests, fixture)

CAF_TEST(each is taken) {
  CHECK_EQ(set("cluster-listen", "127.0.0.1:8180"), "");
  CHECK_EQ(x.listen, "127.0.0.1:8180");
  CHECK_EQ(set("join", "127.0.0.1:8181,[::1]:8182,nodes:8180"), "");
  CHECK_EQ(x.join, (std::vector<std::string>{"127.0.0.1:8181", "[::1]:8182",
                                             "nodes:8180"}));
  CHECK_EQ(set("advertise-url", "wss://a.example.com/ws,ws://[::1]:8080/ws"),
           "");
  CHECK_EQ(x.advertise, (std::vector<std::string>{"wss://a.example.com/ws",
                                                  "ws://[::1]:8080/ws"}));
  CHECK_EQ(set("store-nodes", "b,a"), "");
  CHECK_EQ(x.store_nodes, (std::vector<std::string>{"b", "a"}));
  CHECK_EQ(set("cluster-name", "blue"), "");
  CHECK_EQ(x.name, "blue");
  CHECK_EQ(set("cluster-heartbeat", "200ms"), "");
  CHECK_EQ(x.heartbeat, caf::timespan{200ms});
  CHECK_EQ(set("cluster-timeout", "600ms"), "");
  CHECK_EQ(x.timeout, caf::timespan{600ms});
  CHECK_EQ(set("cluster-outbox-bytes-max", "1MiB"), "");
  CHECK_EQ(x.outbox_bytes_max, size_t{1} << 20);
  CHECK_EQ(set("cluster-insecure", "on"), "");
  CHECK(x.insecure);
  x.certificate_file = x.key_file = x.ca_file = "file";
  CHECK_EQ(set("cluster-cert", "a"), "");
  CHECK_EQ(set("cluster-key", "b"), "");
  CHECK_EQ(set("cluster-ca", "c"), "");
  CHECK_EQ(x.certificate_file + x.key_file + x.ca_file, "abc");
}

CAF_TEST(what is out of bounds is refused) {
  x.listen = "127.0.0.1:8180";
  for (auto* value : {"", "8180", "127.0.0.1", "0.0.0.0:8180", "[::]:8180",
                      "127.0.0.1:65536", "192.0.2.1:8180"})
    CHECK(refuses("cluster-listen", value));
  for (auto* value : {"127.0.0.1:0", "nodes", "192.0.2.1:1"})
    CHECK(refuses("join", value));
  for (auto* value : {"a", "http://a", "ws://0.0.0.0/ws", "ws://a,,ws://b",
                      "ws://a,ws://b,ws://c,ws://d,ws://e"})
    CHECK(refuses("advertise-url", value));
  for (auto value :
       {std::string{"a,,b"}, std::string{"a,b,a"}, std::string(65, 'x')})
    CHECK(refuses("store-nodes", value));
  CHECK(refuses("cluster-name", ""));
  CHECK(refuses("cluster-name", std::string(65, 'x')));
  CHECK(refuses("cluster-heartbeat", "99ms"));
  CHECK(refuses("cluster-heartbeat", "61s"));
  CHECK(refuses("cluster-timeout", "299ms"));
  CHECK(refuses("cluster-timeout", "601s"));
  CHECK(refuses("cluster-outbox-bytes-max", "1023KiB"));
  CHECK(refuses("cluster-outbox-bytes-max", "17GiB"));
}

CAF_TEST(what does not go together is told by the names of the settings) {
  CHECK_EQ(set("join", "127.0.0.1:1"),
           "join means nothing without cluster-listen");
  x.join.clear();
  CHECK_EQ(set("advertise-url", "ws://a"),
           "advertise-url means nothing without cluster-listen");
  x.advertise.clear();
  CHECK_EQ(set("store-nodes", "a"),
           "store-nodes means nothing without cluster-listen");
  x.store_nodes.clear();
  x.listen = "127.0.0.1:8180";
  CHECK_EQ(set("cluster-cert", "a"),
           "cluster-cert, cluster-key and cluster-ca need each other");
  x.certificate_file.clear();
  CHECK_EQ(set("cluster-heartbeat", "2s"),
           "cluster-timeout (5s) is shorter than 3 times cluster-heartbeat "
           "(2s); a lost sign of life must not take a node down");
}

CAF_TEST(sections that need store nodes are named where there are none) {
  const std::string cluster = "cluster-listen = 127.0.0.1:0\n";
  const std::string store = "store-dir = store\n";
  const std::string name = "node-name = a\n";
  const std::string history = "[topic a]\nhistory-size = 5\nretain = on\n";
  CHECK_EQ(read(cluster + history), "");
  CHECK_EQ(read(cluster + history + "[topic b/+]\npresence = on\n"), "");
  auto wrong = read(cluster + store + "[topic b/+]\n\ndurability = disk\n");
  CHECK(has(wrong, "callboard.conf, line 5, durability for topic 'b/+' does "
                   "not go together with cluster-listen"));
  CHECK(has(wrong, "(store-nodes)"));
  const std::string memory = "[topic b]\ndurability = memory\n";
  CHECK(
    has(read(cluster + store + memory), "line 4, durability for topic 'b'"));
  CHECK_EQ(read(cluster + "[topic b]\npresence = off\ndurability = none\n"),
           "");
  CHECK_EQ(read(history + "[topic b]\npresence = on\n"), "");
  const std::string nodes = "store-nodes = a,b\n";
  CHECK_EQ(read(cluster + name + nodes + store + memory), "");
  // Each copy is at a node of its own.
  const std::string copies = "[topic b]\ndurability = disk\nreplicas = ";
  CHECK_EQ(read(cluster + name + nodes + store + copies + "2\n"), "");
  CHECK(has(read(cluster + name + nodes + store + copies + "3\n"),
            "replicas for topic 'b' does not go together with"));
  // A node that keeps nothing needs no store, and no name.
  CHECK(has(read(cluster + name + nodes + memory), "needs a folder"));
  CHECK_EQ(read(cluster + "node-name = c\n" + nodes + memory), "");
  CHECK_EQ(read(cluster + nodes + memory), "");
}

CAF_TEST(CAF comes with what a cluster needs) {
  constexpr auto heartbeat = "caf.middleman.heartbeat-interval";
  caf::actor_system_config alone;
  configure(alone, x);
  CHECK(alone.module_factories.empty());
  x.listen = "127.0.0.1:0";
  caf::actor_system_config plain;
  configure(plain, x);
  CHECK_EQ(plain.module_factories.size(), 1u);
  CHECK_EQ(caf::get_as<caf::timespan>(content(plain), heartbeat),
           caf::timespan{0});
  x.certificate_file = "a";
  x.key_file = "b";
  x.ca_file = "c";
  caf::actor_system_config encrypted;
  configure(encrypted, x);
  CHECK_EQ(encrypted.module_factories.size(), 2u);
  CHECK_EQ(encrypted.openssl_certificate, "a");
  CHECK_EQ(encrypted.openssl_key, "b");
  CHECK_EQ(encrypted.openssl_cafile, "c");
}

CAF_TEST_FIXTURE_SCOPE_END()
