#include <callboard/cmd/top_view.hpp>

#include <algorithm>
#include <string>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::cmd;

namespace {

top_sample sample(int64_t at_ms, int64_t frames_in) {
  top_sample result;
  result.at_ms = at_ms;
  result.node.name = "n1";
  result.node.version = "0.1.0";
  result.node.incarnation = "run";
  result.node.uptime_ms = 61'000;
  result.node.loops = 2;
  result.node.store = "none";
  result.node.frames_in = frames_in;
  result.topics.topics = {{"few", "e", 10, 1, 0, 0},
                          {"many", "e", 20, 2, 0, 0}};
  return result;
}

bool has(const std::string& text, const std::string& line) {
  return text.find(line + '\n') != std::string::npos;
}

auto lines_of(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

} // namespace

CAF_TEST(one look has totals and no rates) {
  auto text = top_view(sample(0, 70), nullptr, 0);
  CHECK(text.starts_with("callboard 0.1.0  node n1  up 1m01s  loops 2  "
                         "store none\n"));
  CHECK(has(text, "frames in               -                   70"));
  CHECK(has(text, "           2            -             20  many\n"
                  "           1            -             10  few"));
}

CAF_TEST(two looks have rates) {
  auto before = sample(1000, 70);
  auto now = sample(3000, 100);
  now.topics.topics[1].offset = 21;
  auto text = top_view(now, &before, 0);
  CHECK(has(text, "frames in            15.0                  100"));
  CHECK(has(text, "drops                 0.0                    0"));
  CHECK(has(text, "           2          0.5             21  many\n"
                  "           1          0.0             10  few"));
}

CAF_TEST(another run and a topic that started over have none) {
  auto before = sample(1000, 70);
  auto now = sample(2000, 100);
  now.topics.topics[0].epoch = "other";
  CHECK(has(top_view(now, &before, 0),
            "           1            -             10  few"));
  before.node.incarnation = "before";
  CHECK(has(top_view(now, &before, 0),
            "frames in               -                  100"));
  // No time between two looks is no reason to divide by it.
  before = sample(2000, 70);
  CHECK(has(top_view(sample(2000, 100), &before, 0),
            "frames in               -                  100"));
}

CAF_TEST(the nodes of a cluster are there) {
  auto x = sample(0, 0);
  CHECK(top_view(x, nullptr, 0).find("cluster") == std::string::npos);
  auto none = read_cluster("{\"enabled\":false,\"members\":[]}");
  REQUIRE(none);
  CHECK(none->members.empty());
  auto read = read_cluster(
    "{\"enabled\":true,\"name\":\"c\",\"self\":\"n1\",\"view\":3,\"members\":["
    "{\"name\":\"n1\",\"address\":\"127.0.0.1:1\",\"state\":\"up\","
    "\"heard\":false,\"outstandingBytes\":0,\"ownerShare\":0.5,"
    "\"load\":0.25,\"intake\":\"open\",\"connections\":42},"
    "{\"name\":\"n2\",\"address\":\"127.0.0.1:2\",\"state\":\"up\","
    "\"heard\":true,\"roundTripMs\":0.25,\"outstandingBytes\":2048,"
    "\"ownerShare\":0.5,\"load\":1,\"intake\":\"busy\"},"
    "{\"name\":\"n3\",\"address\":\"127.0.0.1:3\",\"state\":\"down\","
    "\"heard\":false,\"outstandingBytes\":0,\"ownerShare\":0}]}");
  REQUIRE(read);
  x.cluster = *read;
  auto text = top_view(x, nullptr, 0);
  CHECK(has(text, "cluster c  view 3"));
  CHECK(has(text, "state     round trip on its way  topics  load  clients  "
                  "node"));
  CHECK(has(text, "up                 -         0B   50.0%   25%       42  "
                  "* n1 127.0.0.1:1"));
  // It is up, but clients are not sent there.
  CHECK(has(text, "busy          0.25ms     2.0KiB   50.0%  100%        0  "
                  "n2 127.0.0.1:2"));
  CHECK(has(text, "down?              -         0B    0.0%    0%        0  "
                  "n3 127.0.0.1:3"));
  CHECK(!read_cluster("[]"));
}

CAF_TEST(what there is no room for is left out) {
  auto x = sample(0, 0);
  auto all = lines_of(top_view(x, nullptr, 0));
  for (size_t n : {1, 5, 10})
    CHECK_EQ(lines_of(top_view(x, nullptr, n)), static_cast<long>(n));
  CHECK_EQ(lines_of(top_view(x, nullptr, 1000)), all);
}

CAF_TEST(topics beyond the first page are told of) {
  auto x = sample(0, 0);
  x.topics.next = "many";
  CHECK(top_view(x, nullptr, 0).find("first 1000") != std::string::npos);
  CHECK(top_view(sample(0, 0), nullptr, 0).find("first 1000")
        == std::string::npos);
}

CAF_TEST(a node that takes no clients says so) {
  auto x = sample(0, 0);
  CHECK(has(top_view(x, nullptr, 0),
            "callboard 0.1.0  node n1  up 1m01s  loops 2  store none"));
  x.node.joining = true;
  CHECK(has(top_view(x, nullptr, 0),
            "callboard 0.1.0  node n1  up 1m01s  loops 2  store none  "
            "JOINING"));
  x.node.draining = true;
  x.node.joining = false;
  CHECK(has(top_view(x, nullptr, 0),
            "callboard 0.1.0  node n1  up 1m01s  loops 2  store none  "
            "DRAINING"));
}

CAF_TEST(topics with copies are told of where there are some) {
  auto x = sample(0, 0);
  CHECK(top_view(x, nullptr, 0).find("copies") == std::string::npos);
  x.node.copied_topics = 12;
  x.node.copied_topics_alone = 3;
  CHECK(has(top_view(x, nullptr, 0),
            "topics with copies 12 (on this disk only 3)"));
}

CAF_TEST(answers are read as they are written) {
  auto x = sample(0, 42);
  x.node.draining = true;
  x.node.joining = true;
  x.node.copied_topics = 2;
  x.node.copied_topics_alone = 1;
  x.node.refused = 7;
  auto node = read_node(net::to_json(x.node));
  REQUIRE(node.has_value());
  CHECK_EQ(net::to_json(*node), net::to_json(x.node));
  CHECK_EQ(node->frames_in, 42);
  CHECK_EQ(node->refused, 7);
  CHECK(node->draining);
  CHECK(node->joining);
  CHECK_EQ(node->copied_topics, 2);
  CHECK_EQ(node->copied_topics_alone, 1);
  x.topics.next = "many";
  auto page = read_topics(net::to_json(x.topics));
  REQUIRE(page.has_value());
  CHECK_EQ(net::to_json(*page), net::to_json(x.topics));
}

CAF_TEST(other answers are not ) {
  for (auto text : {"", "x", "[]", "{}", "{\"error\": \"x\"}"})
    CHECK(!read_node(text).has_value());
  for (auto text : {"", "x", "[]", "{\"topics\": 1}"})
    CHECK(!read_topics(text).has_value());
}

CAF_TEST(sizes and times are short) {
  CHECK_EQ(short_size(0), "0B");
  CHECK_EQ(short_size(1023), "1023B");
  CHECK_EQ(short_size(1024), "1.0KiB");
  CHECK_EQ(short_size(1536 * 1024), "1.5MiB");
  CHECK_EQ(short_size(int64_t{1} << 50), "1024.0TiB");
  CHECK_EQ(short_time(59'999), "59s");
  CHECK_EQ(short_time(60'000), "1m00s");
  CHECK_EQ(short_time(3'599'999), "59m59s");
  CHECK_EQ(short_time(3'600'000), "1h00m");
  CHECK_EQ(short_time(86'399'999), "23h59m");
  CHECK_EQ(short_time(86'400'000), "1d00h");
}
