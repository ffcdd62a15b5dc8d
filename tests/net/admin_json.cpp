#include <callboard/net/admin_json.hpp>

#include <string>

#include <caf/sec.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

/// Returns an error's status and name.
std::string words(const caf::error& x) {
  constexpr std::string_view mark = "{\"error\":\"";
  auto answer = error_content(x);
  auto text = std::string_view{answer.text};
  if (!text.starts_with(mark))
    return "no error";
  text.remove_prefix(mark.size());
  return std::to_string(answer.status) + ' '
         + std::string{text.substr(0, text.find('"'))};
}

} // namespace

CAF_TEST(pages tell what comes behind them) {
  connection_page connections;
  CHECK_EQ(to_json(connections), "{\"connections\":[]}\n");
  connection_facts x;
  x.id = 7;
  x.name = "n-7";
  x.user = "ann \"a\"";
  x.state = "connected";
  x.since_ms = 1;
  x.outbox_bytes = 2;
  connections.connections.push_back(x);
  connections.next = 7;
  CHECK_EQ(to_json(connections),
           "{\"connections\":[{\"id\":7,\"name\":\"n-7\",\"user\":\"ann "
           "\\\"a\\\"\",\"tenant\":\"\",\"address\":\"\",\"state\":"
           "\"connected\",\"sinceMs\":1,\"idleMs\":0,\"loop\":0,"
           "\"subscriptions\":0,\"inflight\":0,\"outboxBytes\":2}],"
           "\"next\":7}\n");
  topic_page topics;
  CHECK_EQ(to_json(topics), "{\"topics\":[]}\n");
  topics.topics.push_back({"a", "e", 3, 2, 1, 9});
  topics.next = "a";
  CHECK_EQ(to_json(topics),
           "{\"topics\":[{\"topic\":\"a\",\"subscribers\":2,\"epoch\":\"e\","
           "\"offset\":3,\"historyEvents\":1,\"historyBytes\":9}],"
           "\"next\":\"a\"}\n");
}

CAF_TEST(a cluster tells of its nodes) {
  CHECK_EQ(no_cluster_json(), "{\"enabled\":false,\"members\":[]}\n");
  cluster_facts facts;
  facts.name = "c";
  facts.self = "a";
  facts.view = 3;
  facts.coordinator = "b";
  CHECK_EQ(to_json(facts),
           "{\"enabled\":true,\"name\":\"c\",\"self\":\"a\",\"view\":3,"
           "\"coordinator\":\"b\",\"storeNodes\":[],"
           "\"storeNodesAbsent\":[],\"members\":[]}\n");
  facts.store_nodes = {"a", "b"};
  facts.absent_store_nodes = {"b"};
  CHECK(to_json(facts).find("\"storeNodes\":[\"a\",\"b\"],"
                            "\"storeNodesAbsent\":[\"b\"]")
        != std::string::npos);
  callboard::node_facts x;
  x.who = {"a", "run", "127.0.0.1:1", 2, member_state::leaving};
  x.in_view = x.heard = true;
  x.view = 3;
  x.load = {500, 7, 100, node_intake::busy};
  x.owner_share = 0.25;
  facts.nodes.push_back(x);
  CHECK(to_json(facts).ends_with(
    "\"members\":[{\"name\":\"a\",\"incarnation\":\"run\",\"address\":"
    "\"127.0.0.1:1\",\"loops\":2,\"state\":\"leaving\",\"linked\":false,"
    "\"heard\":true,\"view\":3,\"load\":0.5,\"urls\":[],\"outstandingBytes\":0,"
    "\"sentBytes\":0,\"receivedBytes\":0,\"ownerShare\":0.25}]}\n"));
  auto has = [&](std::string_view words) {
    return to_json(facts).find(words) != std::string::npos;
  };
  auto& y = facts.nodes[0];
  y.round_trip_ms = 1.5;
  CHECK(has("\"roundTripMs\":1.5"));
  y.who.state = member_state::up;
  CHECK(has("\"state\":\"up\""));
  // Of who is in no view, its own word does not count.
  y.in_view = false;
  CHECK(has("\"state\":\"down\""));
  y.linked = true;
  CHECK(has("\"state\":\"joining\""));
  CHECK(has("\"load\":0.5,\"intake\":\"busy\",\"connections\":7,"
            "\"connectionsMax\":100,\"urls\":[]"));
  y.who.urls = {"ws://a:1/ws", "wss://a:2/ws"};
  CHECK(has("\"urls\":[\"ws://a:1/ws\",\"wss://a:2/ws\"]"));
}

CAF_TEST(small answers) {
  CHECK_EQ(to_json(callboard::position{"e", 5}),
           "{\"epoch\":\"e\",\"offset\":5}\n");
  CHECK_EQ(closed_json(3), "{\"closed\":3}\n");
  CHECK_EQ(level_json("info"), "{\"level\":\"info\"}\n");
  auto x = json_content("{}\n");
  CHECK_EQ(x.status, 200u);
  CHECK_EQ(x.text, "{}\n");
}

CAF_TEST(errors have the status that suits them) {
  CHECK_EQ(words(caf::make_error(errc::bad_subject)), "400 bad_subject");
  CHECK_EQ(words(caf::make_error(errc::bad_payload)), "400 bad_payload");
  CHECK_EQ(words(caf::make_error(errc::forbidden)), "403 forbidden");
  CHECK_EQ(words(caf::make_error(errc::frame_too_large)),
           "413 frame_too_large");
  CHECK_EQ(words(caf::make_error(errc::rate_limited)), "429 rate_limited");
  CHECK_EQ(words(caf::make_error(errc::overloaded)), "503 overloaded");
  CHECK_EQ(words(caf::make_error(errc::storage_unavailable)),
           "503 storage_unavailable");
  CHECK_EQ(words(caf::make_error(errc::timeout)), "504 timeout");
  CHECK_EQ(words(caf::make_error(errc::internal)), "500 internal");
  CHECK_EQ(words(caf::make_error(caf::sec::request_timeout)), "504 timeout");
  CHECK_EQ(words(caf::make_error(caf::sec::request_receiver_down)),
           "503 unavailable");
}

CAF_TEST(an error tells its sentence and when to come again) {
  auto x = error_content(
    caf::make_error(errc::bad_subject, std::string{"Not \"so\"."}));
  CHECK_EQ(x.text,
           "{\"error\":\"bad_subject\",\"message\":\"Not \\\"so\\\".\"}\n");
  CHECK(error_content(caf::make_error(errc::overloaded))
          .fields.find("Retry-After: ")
        != std::string::npos);
}
