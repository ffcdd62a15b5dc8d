#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/net/http_page.hpp>

#include "support/http_client_fixture.hpp"

using namespace callboard::net;

using namespace std::literals;

CAF_TEST_FIXTURE_SCOPE(page, http_client_fixture)

CAF_TEST(every file of the page is served) {
  for (auto& file : fake_page) {
    auto reply = ask("GET " + std::string{file.path});
    CHECK_EQ(reply.status, 200u);
    CHECK(reply.body() == file.body);
    CHECK(!reply.close);
    CHECK(has_line(reply, "Content-Type: " + std::string{file.content_type}));
    CHECK(has_line(reply, "Cache-Control: no-cache"));
    CHECK(has_line(reply, "X-Content-Type-Options: nosniff"));
    CHECK(has_line(reply, "ETag: " + etag_of(file.body)));
    auto head = ask("HEAD " + std::string{file.path});
    CHECK_EQ(head.head, reply.head);
    CHECK_EQ(head.body(), "");
  }
}

CAF_TEST(the page may load and connect to nothing else) {
  auto reply = ask("GET /");
  CHECK(has_line(reply, "Content-Security-Policy: default-src 'none'; "
                        "script-src 'self'; style-src 'self'; "
                        "img-src 'self'; font-src 'self'; "
                        "connect-src 'self' ws: wss:; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'"));
  CHECK(has_line(reply, "Referrer-Policy: no-referrer"));
}

CAF_TEST(a version that the browser has is not sent again) {
  auto etag = etag_of(find_page_file(fake_page, "/")->body);
  for (auto& value : {etag, "W/" + etag, "\"x\", " + etag, "*"s}) {
    auto reply = ask("GET /", "If-None-Match: " + value + "\r\n");
    CHECK_EQ(reply.status, 304u);
    CHECK_EQ(reply.body(), "");
    CHECK(has_line(reply, "ETag: " + etag));
    CHECK(reply.head.find("Content-Length") == std::string::npos);
  }
  CHECK_EQ(ask("GET /", "If-None-Match: \"x\"\r\n").status, 200u);
  CHECK_EQ(ask("GET /", "If-None-Match: " + etag.substr(1) + "\r\n").status,
           200u);
}

CAF_TEST(tags tell versions apart) {
  // FNV-1a's published values.
  CHECK_EQ(etag_of(""), "\"cbf29ce484222325\"");
  CHECK_EQ(etag_of("a"), "\"af63dc4c8601ec8c\"");
  CHECK_EQ(etag_of("foobar"), "\"85944171f73967e8\"");
}

CAF_TEST(a file is found by its whole path) {
  CHECK(find_page_file(fake_page, "/app.js") == &fake_page[1]);
  for (auto path : {"", "/app", "/app.jss", "/app.js/", "app.js", "//"})
    CHECK(find_page_file(fake_page, path) == nullptr);
  CHECK(find_page_file({}, "/") == nullptr);
}

CAF_TEST(without files there is nothing) {
  what.page = {};
  CHECK_EQ(status_and_name(ask("GET /")), "404 not_found");
  CHECK_EQ(ask("GET /health").status, 200u);
}

CAF_TEST(files do not stand in front of the server s own paths) {
  const page_file files[] = {{"/health", "text/plain", "a file"},
                             {"/ws", "text/plain", "a file"},
                             {"/metrics", "text/plain", "a file"},
                             {"/file", "text/plain", "a file"}};
  what.page = files;
  CHECK_EQ(ask("GET /file").body(), "a file");
  CHECK_EQ(ask("GET /health").body(), "{\"status\": \"ok\"}\n");
  CHECK_EQ(ask("GET /metrics").body(), metrics);
  CHECK_EQ(status_and_name(ask("GET /ws")), "400 bad_upgrade");
}

CAF_TEST_FIXTURE_SCOPE_END()
