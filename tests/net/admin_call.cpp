#include <callboard/net/admin_call.hpp>

#include <string>
#include <string_view>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

using namespace std::literals;

using what = admin_endpoint;

namespace {

constexpr uint64_t body_bytes_max = 100;

http_request request(std::string method, std::string target) {
  http_request result;
  result.method = std::move(method);
  result.target = std::move(target);
  return result;
}

/// A request with a body.
http_request post(std::string target, uint64_t length = 1,
                  std::string type = "application/json",
                  std::string method = "POST") {
  auto result = request(std::move(method), std::move(target));
  result.has_body = length > 0;
  result.content_length = length;
  result.content_type = std::move(type);
  return result;
}

/// Returns the status of a refusal; 0: there is none.
unsigned refused(const http_request& x) {
  auto why = check_admin_request(x, body_bytes_max);
  return why ? why->status : 0;
}

std::string words(const std::optional<connection_query>& x) {
  return x ? std::to_string(x->limit) + ' ' + std::to_string(x->after) + ' '
               + x->user
           : "nothing";
}

std::string words(const std::optional<topic_query>& x) {
  return x ? std::to_string(x->limit) + ' ' + x->after + ' ' + x->pattern
           : "nothing";
}

std::string words(const std::optional<admin_publication>& x) {
  return x ? x->target + ' ' + x->payload.to_json() + ' ' + x->options.id + ' '
               + x->options.key
           : "nothing";
}

} // namespace

// -- paths --------------------------------------------------------------------

CAF_TEST(paths name what is asked for) {
  CHECK(find_admin_call("/api/node").what == what::node);
  CHECK(find_admin_call("/api/cluster").what == what::cluster);
  CHECK(find_admin_call("/api/connections").what == what::connections);
  CHECK(find_admin_call("/api/topics").what == what::topics);
  CHECK(find_admin_call("/api/publish").what == what::publish);
  CHECK(find_admin_call("/api/push").what == what::push);
  CHECK(find_admin_call("/api/log-level").what == what::log_level);
  auto one = find_admin_call("/api/connections/17/close");
  CHECK(one.what == what::close_connection);
  CHECK_EQ(one.connection, 17u);
  auto user = find_admin_call("/api/users/a%2Fb%20c/close");
  CHECK(user.what == what::close_user);
  CHECK_EQ(user.user, "a/b c");
}

CAF_TEST(other paths name nothing) {
  for (auto path :
       {"", "/", "/api", "/api/", "/api/node/", "/api/Node", "/apinode",
        "/api/connections/", "/api/connections/x/close",
        "/api/connections//close", "/api/connections/-1/close",
        "/api/connections/1/close/", "/api/connections/1/open",
        "/api/connections/18446744073709551616/close", "/api/users//close",
        "/api/users/a/b/close", "/api/users/%zz/close", "/api/users/close"})
    CHECK(find_admin_call(path).what == what::none);
}

CAF_TEST(what is below api is told from the rest) {
  for (auto path : {"/api", "/api/", "/api/node", "/api/x"})
    CHECK(is_admin_path(path));
  for (auto path : {"", "/", "/apinode", "/health", "/API"})
    CHECK(!is_admin_path(path));
}

// -- heads --------------------------------------------------------------------

CAF_TEST(each path has its methods) {
  for (auto path : {"/api/node", "/api/cluster", "/api/connections?limit=1",
                    "/api/topics"}) {
    CHECK_EQ(refused(request("GET", path)), 0u);
    for (auto method : {"POST", "PUT", "HEAD", "DELETE", "get"})
      CHECK_EQ(refused(request(method, path)), 405u);
  }
  for (auto path : {"/api/publish", "/api/push"}) {
    CHECK_EQ(refused(post(path)), 0u);
    for (auto method : {"GET", "PUT", "post"})
      CHECK_EQ(refused(post(path, 1, "application/json", method)), 405u);
  }
  for (auto path : {"/api/connections/1/close", "/api/users/a/close"}) {
    CHECK_EQ(refused(request("POST", path)), 0u);
    CHECK_EQ(refused(request("GET", path)), 405u);
  }
  CHECK_EQ(refused(request("GET", "/api/log-level")), 0u);
  CHECK_EQ(refused(post("/api/log-level", 1, "application/json", "PUT")), 0u);
  CHECK_EQ(refused(post("/api/log-level")), 405u);
  CHECK_EQ(refused(request("GET", "/api/nothing")), 404u);
  auto why = check_admin_request(request("POST", "/api/log-level"), 1);
  REQUIRE(why.has_value());
  CHECK(why->fields.find("Allow: GET, PUT\r\n") != std::string::npos);
}

CAF_TEST(bodies are bounded) {
  CHECK_EQ(refused(post("/api/publish", body_bytes_max)), 0u);
  CHECK_EQ(refused(post("/api/publish", body_bytes_max + 1)), 413u);
  CHECK_EQ(refused(post("/api/publish", 0)), 411u);
  auto chunked = post("/api/publish");
  chunked.chunked = true;
  CHECK_EQ(refused(chunked), 411u);
  // Others have none.
  CHECK_EQ(refused(post("/api/users/a/close")), 413u);
  CHECK_EQ(refused(post("/api/node", 1, "", "GET")), 413u);
  CHECK_EQ(refused(post("/api/log-level", 1, "", "GET")), 413u);
}

CAF_TEST(bodies are JSON) {
  for (auto type : {"application/json", "Application/JSON",
                    "application/json; charset=utf-8", "application/json ;x"})
    CHECK_EQ(refused(post("/api/push", 1, type)), 0u);
  for (auto type : {"", "text/plain", "application/json5", "json",
                    "application/x-www-form-urlencoded"})
    CHECK_EQ(refused(post("/api/push", 1, type)), 415u);
}

// -- queries ------------------------------------------------------------------

CAF_TEST(queries for connections) {
  CHECK_EQ(words(read_connection_query("", false)), "100 0 ");
  CHECK_EQ(words(read_connection_query("limit=1", false)), "1 0 ");
  CHECK_EQ(words(read_connection_query("limit=1000&after=7&user=a%20b", false)),
           "1000 7 a b");
  for (auto query : {"limit=0", "limit=1001", "limit=x", "limit=-1", "limit=1x",
                     "after=x", "after=-1", "user=%z"})
    CHECK_EQ(words(read_connection_query(query, false)), "nothing");
}

CAF_TEST(queries for topics) {
  CHECK_EQ(words(read_topic_query("", false)), "100  ");
  CHECK_EQ(words(read_topic_query("limit=1000&after=a/b&pattern=a/%2B", false)),
           "1000 a/b a/+");
  CHECK_EQ(words(read_topic_query("pattern=+", false)), "100  +");
  CHECK_EQ(words(read_topic_query("pattern=$user/%23", false)), "100  $user/#");
  for (auto query : {"limit=0", "limit=1001", "pattern=a%2B", "pattern=a//b",
                     "pattern=%23/a", "after=%4"})
    CHECK_EQ(words(read_topic_query(query, false)), "nothing");
}

// -- bodies -------------------------------------------------------------------

CAF_TEST(publications are read) {
  CHECK_EQ(words(read_publish(R"({"topic": "a", "payload": {"x": [1, 2.5]}})",
                              false)),
           R"(a {"x":[1,2.5]}  )");
  CHECK_EQ(
    words(read_publish("{\"payload\": null,\n \"topic\": \"a\", \"id\": \"1\","
                       " \"key\": \"k\"}",
                       false)),
    "a null 1 k");
  CHECK_EQ(words(read_push(R"({"user": "ann", "payload": "hi"})", false)),
           R"(ann "hi"  )");
  auto x = read_publish(R"({"topic": "a", "payload": 1})", false);
  CHECK(x->payload.encoding() == codec::msgpack);
}

CAF_TEST(what is something else is not ) {
  for (auto body :
       {"", "x", "[]", "1", R"({"topic": "a"})",
        R"({"topic": 1, "payload": 1})", R"({"topic": "a", "payload": 1} x)",
        R"({"topic": "a", "payload": 1, "id": 2})"})
    CHECK_EQ(words(read_publish(body, false)), "nothing");
  for (auto body : {"{}", R"({"user": "", "payload": 1})", R"({"user": "a"})"})
    CHECK_EQ(words(read_push(body, false)), "nothing");
  // A topic that is missing is as bad as one that is none.
  CHECK_EQ(words(read_publish(R"({"payload": 1})", false)), " 1  ");
}

// -- tenants ------------------------------------------------------------------

CAF_TEST(a tenant makes full names where tenants are isolated) {
  CHECK_EQ(words(read_connection_query("user=ann&tenant=acme", true)),
           "100 0 $tenant/acme/ann");
  CHECK_EQ(words(read_topic_query("tenant=acme", true)), "100  $tenant/acme/#");
  CHECK_EQ(words(read_topic_query("tenant=acme&pattern=a/%2B", true)),
           "100  $tenant/acme/a/+");
  CHECK_EQ(words(read_topic_query("tenant=acme&pattern=$dead/%23", true)),
           "100  $$tenant/acme/$dead/#");
  CHECK_EQ(read_user("ann", "tenant=a%20b", true).value_or("nothing"),
           "$tenant/a b/ann");
  CHECK_EQ(words(read_publish(
             R"({"topic": "a/b", "payload": 1, "tenant": "acme"})", true)),
           "$tenant/acme/a/b 1  ");
  CHECK_EQ(words(read_push(R"({"user": "ann", "payload": 1, "tenant": "acme"})",
                           true)),
           "$tenant/acme/ann 1  ");
}

CAF_TEST(without a tenant names stay as they are) {
  for (auto isolated : {true, false}) {
    CHECK_EQ(words(read_connection_query("user=ann&tenant=", isolated)),
             "100 0 ann");
    CHECK_EQ(words(read_topic_query("tenant=", isolated)), "100  ");
    CHECK_EQ(read_user("ann", "", isolated).value_or("nothing"), "ann");
    CHECK_EQ(words(read_publish(R"({"topic": "a", "payload": 1, "tenant": ""})",
                                isolated)),
             "a 1  ");
    CHECK_EQ(words(read_push(R"({"user": "ann", "payload": 1})", isolated)),
             "ann 1  ");
  }
}

CAF_TEST(elsewhere a tenant is wrong) {
  CHECK_EQ(words(read_connection_query("user=ann&tenant=acme", false)),
           "nothing");
  CHECK_EQ(words(read_topic_query("tenant=acme", false)), "nothing");
  CHECK(!read_user("ann", "tenant=acme", false));
  CHECK_EQ(words(read_publish(
             R"({"topic": "a", "payload": 1, "tenant": "acme"})", false)),
           "nothing");
  CHECK_EQ(words(read_push(R"({"user": "ann", "payload": 1, "tenant": "acme"})",
                           false)),
           "nothing");
}

CAF_TEST(a tenant has a name of its own kind) {
  std::string longest(255, 't');
  CHECK(read_user("ann", "tenant=" + longest, true).has_value());
  for (auto tenant : {longest + 't', "a/b"s, "%2B"s, "$a"s, "%z"s}) {
    auto query = "user=ann&tenant=" + tenant;
    CHECK(!read_user("ann", query, true));
    CHECK_EQ(words(read_connection_query(query, true)), "nothing");
    CHECK_EQ(words(read_topic_query(query, true)), "nothing");
  }
  CHECK_EQ(words(read_push(R"({"user": "ann", "payload": 1, "tenant": "a/b"})",
                           true)),
           "nothing");
  CHECK_EQ(words(
             read_push(R"({"user": "ann", "payload": 1, "tenant": 1})", true)),
           "nothing");
  // It goes with a user.
  CHECK_EQ(words(read_connection_query("tenant=acme", true)), "nothing");
}

CAF_TEST(patterns may be full names) {
  std::string name(255, 'x');
  auto looks_for = [](const std::string& pattern) {
    auto x = read_topic_query("pattern=" + pattern, true);
    return x && x->pattern == pattern;
  };
  CHECK(looks_for(name));
  CHECK(!looks_for(name + 'x'));
  CHECK(looks_for("$tenant/" + name + '/' + name));
  CHECK(!looks_for("$tenant/" + name + '/' + name + 'x'));
  CHECK(looks_for("$tenant/+/a"));
}

// -- levels -------------------------------------------------------------------

CAF_TEST(levels are read) {
  for (auto level : {"debug", "info", "warn", "error", "off"})
    CHECK(read_log_level(R"({"level": ")" + std::string{level} + R"("})"));
  for (auto level : {"", "loud", "Info", "trace"})
    CHECK(!read_log_level(R"({"level": ")" + std::string{level} + R"("})"));
  CHECK_EQ(read_log_level(R"({"level": "debug"})").value_or("nothing"),
           "debug");
  CHECK(!read_log_level(R"({"level": 1})"));
  CHECK(!read_log_level("debug"));
}
