// Tests the dialects of other servers: the test is the server, at the other end
// of a socket pair.

#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.hpp"
#include "conversation.hpp"
#include "dialects/dialects.hpp"
#include "selftest.hpp"

using namespace callboard::cmd;
using namespace callboard::cmd::bench;
using namespace std::string_literals;

namespace {

constexpr payload_mark some_mark{7, 0x0a0d2200, 0x1122334455667788};

// -- what the servers say -----------------------------------------------------

/// A server's half of a connection, from its first byte.
struct script {
  std::string dialect;
  /// Makes the connection ready.
  std::string welcome;
  /// What the generator says to that.
  std::string answer;
  /// Two publications of `contents`, and something to answer in between.
  std::string events;
  std::string reply;
  std::vector<std::string> contents;
  /// The publication of `some_mark` and eight more bytes.
  std::string publication;
};

std::string bytes_of(const payload_mark& mark) {
  return {reinterpret_cast<const char*>(&mark), sizeof(mark)};
}

std::string upgrade_of(const std::string& path) {
  return "GET " + path
         + " HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

const auto upgraded = "HTTP/1.1 101 Switching Protocols\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                      "\r\n\r\n"s;

/// Makes a server's WebSocket message.
std::string from_server(uint8_t opcode, const std::string& body) {
  std::string result;
  append_ws_header(result, opcode, body.size());
  result.resize(result.size() - 4);
  result[1] = static_cast<char>(result[1] & 0x7f);
  return result + body;
}

/// Makes a client's WebSocket message.
std::string from_client(uint8_t opcode, const std::string& body) {
  std::string result;
  append_ws_header(result, opcode, body.size());
  return result + body;
}

std::vector<script> scripts() {
  auto marked = bytes_of(some_mark) + "ipwdkryf";
  auto digits = "0700000000220d0a8877665544332211"s;
  // One that looks like the end of what holds it.
  auto ends = "\r\nMSG t 1 0\r\n\r\n"s;
  return {
    {"nats",
     "INFO {\"a\":1} \r\nPONG\r\n",
     "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"bench\","
     "\"lang\":\"c++\",\"version\":\"1\",\"protocol\":1}\r\n"
     "SUB t 1\r\nPING\r\n",
     "MSG t 1 15\r\n" + ends + "\r\nPING\r\nINFO {}\r\n+OK\r\nMSG t 1 r 24\r\n"
       + marked + "\r\n",
     "PONG\r\n",
     {ends, marked},
     "PUB t 24\r\n" + marked + "\r\n"},
    {"mqtt",
     "\x20\2\0\0\x90\3\0\1\0"s,
     "\x10\x0c\0\4MQTT\4\2\0\0\0\0\x82\6\0\1\0\1t\0"s,
     "\x30\x12\0\1t"s + ends + "\xd0\0"s + "\x31\x9b\0\0\1t"s + marked,
     "",
     {ends, marked},
     "\x30\x1b\0\1t"s + marked},
    {"socketio",
     upgraded + from_server(1, "0{\"sid\":\"x\"}")
       + from_server(1, "40{\"sid\":\"y\"}") + from_server(1, "430[]"),
     upgrade_of("/socket.io/?EIO=4&transport=websocket") + from_client(1, "40")
       + from_client(1, "420[\"join\",\"t\"]"),
     from_server(1, "42[\"event\",\"" + digits + "\"]") + from_server(1, "2")
       + from_server(9, "p")
       + from_server(1, "42[\"event\",\"" + digits + "jqxelsza\"]"),
     from_client(1, "3") + from_client(10, "p"),
     {bytes_of(some_mark) + digits.substr(16),
      bytes_of(some_mark) + digits.substr(16) + "jqxelsza"},
     from_client(1, "42[\"publish\",\"t\",\"" + digits + "qxelszgn\"]")},
    {"nchan",
     upgraded,
     upgrade_of("/topic/t"),
     from_server(2, ends) + from_server(9, "p")
       + from_server(1, "queued messages: 1\r\n") + from_server(2, marked),
     from_client(10, "p"),
     {ends, marked},
     from_client(2, marked)},
  };
}

// -- what they hear -----------------------------------------------------------

void judge(const script& of, conversation& with, const std::string& how) {
  auto name = of.dialect + ", " + how + ": ";
  check_that(with.self().failure().empty(), name + with.self().failure());
  check_that(with.state() == link_state::ready, name + "it is ready");
  check_that(with.contents() == of.contents, name + "the payloads came");
  check_that(with.said() == of.answer + of.reply, name + "the client's half");
}

void every_cut(const script& of) {
  auto all = of.welcome + of.events;
  for (size_t at = 0; at <= all.size(); ++at) {
    conversation with{of.dialect, {"t", true}};
    with.hear(all.substr(0, at));
    with.hear(all.substr(at));
    judge(of, with, "cut at byte " + std::to_string(at));
  }
  conversation with{of.dialect, {"t", true}};
  for (auto byte : all)
    with.hear(std::string(1, byte));
  judge(of, with, "byte by byte");
}

void no_byte_too_early(const script& of) {
  conversation with{of.dialect, {"t", true}};
  with.hear(of.welcome.substr(0, of.welcome.size() - 1));
  check_that(with.state() != link_state::ready,
             of.dialect + ": a welcome without its last byte is none");
  with.hear(of.welcome.substr(of.welcome.size() - 1));
  check_that(with.state() == link_state::ready,
             of.dialect + ": the welcome makes it ready");
  with.hear(of.events.substr(0, of.events.size() - 1));
  check_that(with.contents().size() == of.contents.size() - 1,
             of.dialect + ": an event without its last byte is none");
}

void publishes(const script& of) {
  conversation with{of.dialect, {"t", false}};
  auto message
    = with.self().how().publication("t", of.dialect == "socketio" ? 40 : 24);
  std::string out = "front";
  message.append_to(out, 1, 2, some_mark);
  check_that(out == "front" + of.publication,
             of.dialect + ": a publication is as the server wants it");
}

/// A publisher is ready without a subscription.
void does_not_subscribe(const script& of, const std::string& welcome,
                        const std::string& last_word) {
  conversation with{of.dialect, {"t", false}};
  with.hear(welcome);
  check_that(with.state() == link_state::ready,
             of.dialect + ": a publisher is ready");
  auto said = with.said();
  check_that(said.ends_with(last_word) && said.find("SUB") == std::string::npos,
             of.dialect + ": a publisher does not subscribe");
}

// -- what is refused ----------------------------------------------------------

const script& script_of(const std::vector<script>& all,
                        const std::string& dialect) {
  for (auto& each : all)
    if (each.dialect == dialect)
      return each;
  return all.front();
}

/// Hears bytes behind the welcome.
/// @param word is in the reason why the connection ends; empty: it stays.
void ends_with(const script& of, const std::string& bytes,
               const std::string& word) {
  conversation with{of.dialect, {"t", true}};
  with.hear(of.welcome);
  with.hear(bytes);
  auto failure = with.self().failure();
  auto shown = of.dialect + ": " + bytes.substr(0, 40) + ": '" + failure + "'";
  check_that((with.state() == link_state::closed) == !word.empty(), shown);
  check_that(failure.find(word) != std::string::npos, shown);
  check_that(with.contents().empty(), shown + " is no event");
}

/// Hears bytes in place of the welcome.
void never_begins(const std::string& dialect, const std::string& bytes,
                  const std::string& word) {
  conversation with{dialect, {"t", true}};
  with.hear(bytes);
  auto failure = with.self().failure();
  check_that(with.state() == link_state::closed
               && failure.find(word) != std::string::npos,
             dialect + ": expected '" + word + "', got '" + failure + "'");
}

void hostile_nats(const script& nats) {
  ends_with(nats, "MSG t 1 2097152\r\n", "");
  for (auto size : {"2097153", "99999999999999999999999", "-1", "", "5x", "x"})
    ends_with(nats, "MSG t 1 "s + size + "\r\nhello\r\n", "size");
  ends_with(nats, "MSG 5\r\nhello\r\n", "size");
  ends_with(nats, "MSG t 5\r\nhello\r\n", "size");
  ends_with(nats, "MSG t 1 r r 5\r\nhello\r\n", "size");
  ends_with(nats, "MSG t 1 2\r\nhello\r\n", "longer");
  ends_with(nats, std::string((64 << 10) - 1, 'x'), "");
  ends_with(nats, std::string(64 << 10, 'x'), "64 KiB");
  ends_with(nats, "HMSG t 1 12 14\r\n", "not NATS");
  never_begins("nats", "INFO {}\r\n-ERR 'Authorization Violation'\r\n",
               "Authorization");
  conversation with{"nats", {"t", true}};
  with.hear(nats.welcome + "-ERR 'x'\r\n");
  check_that(with.state() == link_state::ready
               && with.self().counts.errors == 1,
             "nats: a later -ERR is counted");
}

void hostile_mqtt(const script& mqtt) {
  ends_with(mqtt, "\x30\x80\x80\x80\1"s, "");
  ends_with(mqtt, "\x30\x81\x80\x80\1"s, "2 MiB");
  ends_with(mqtt, "\x30\xff\xff\xff\x7f"s, "2 MiB");
  ends_with(mqtt, "\x30\xff\xff\xff"s, "");
  ends_with(mqtt, "\x30\xff\xff\xff\xff"s, "length");
  ends_with(mqtt, "\x30\0"s, "topic");
  ends_with(mqtt, "\x30\1\0"s, "topic");
  ends_with(mqtt, "\x30\3\0\2t"s, "topic");
  ends_with(mqtt, "\x30\3\xff\xfft"s, "topic");
  ends_with(mqtt, "\x32\5\0\1t\0\1"s, "type 3");
  ends_with(mqtt, "\x62\2\0\1"s, "type 6");
  never_begins("mqtt", "\x20\2\0\5"s, "code 5");
  never_begins("mqtt", "\x20\0"s, "code");
  never_begins("mqtt", "\x20\2\0\0\x90\3\0\1\x80"s, "subscription");
  never_begins("mqtt", "\x20\2\0\0\x90\1\0"s, "subscription");
}

void hostile_websocket(const script& of) {
  ends_with(of, "\x82\x7f\0\0\0\0\0\x20\0\0"s, "");
  ends_with(of, "\x82\x7f\0\0\0\0\0\x20\0\1"s, "2 MiB");
  ends_with(of, "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"s, "2 MiB");
  ends_with(of, "\x82\x80"s, "not a WebSocket");
  ends_with(of, "\2\1x"s, "fragment");
  ends_with(of, from_server(8, "\x03\xf0why"), "1008 (why)");
  never_begins(of.dialect, "HTTP/1.1 404 Not Found\r\n\r\n", "404");
  never_begins(of.dialect, std::string((16 << 10) + 1, 'x'), "too long");
}

void hostile_socketio(const script& socketio) {
  hostile_websocket(socketio);
  ends_with(socketio, from_server(2, "x"), "attachment");
  ends_with(socketio, from_server(1, "42[\"event\",\"x\""), "does not read");
  ends_with(socketio, from_server(1, "451-[\"event\"]"), "does not read");
  ends_with(socketio, from_server(1, "41"), "does not read");
  never_begins("socketio", upgraded + from_server(1, "44{\"message\":\"no\"}"),
               "no");
  // Such payloads reach the load, which finds no mark in them.
  for (auto& payload :
       {"0700"s, std::string(31, '0'), std::string(31, '0') + 'g',
        'g' + std::string(31, '0')}) {
    conversation with{"socketio", {"t", true}};
    with.hear(socketio.welcome
              + from_server(1, "42[\"event\",\"" + payload + "\"]"));
    check_that(with.contents() == std::vector<std::string>{""},
               "socketio: " + payload + " is no mark");
  }
}

// -- a server that speaks first -----------------------------------------------

uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// Serves connections that publish nothing, and returns once they have ended.
void serve_nats(int listener, int count) {
  std::vector<int> sockets;
  auto say = [](int to, std::string_view text) {
    check_that(send(to, text.data(), text.size(), MSG_NOSIGNAL)
                 == static_cast<ssize_t>(text.size()),
               "the server can speak");
  };
  while (count-- > 0) {
    sockets.push_back(accept(listener, nullptr, nullptr));
    say(sockets.back(), "INFO {}\r\n");
  }
  for (auto each : sockets) {
    std::string heard;
    char buffer[256];
    for (ssize_t got = 1; got > 0 && !heard.ends_with("PING\r\n");) {
      got = recv(each, buffer, sizeof(buffer), 0);
      heard.append(buffer, got > 0 ? static_cast<size_t>(got) : 0);
    }
    say(each, "PONG\r\n");
  }
  for (auto each : sockets) {
    char rest = 0;
    while (recv(each, &rest, 1, 0) > 0)
      ;
    close(each);
  }
}

/// What comes together with the news that a connection is made is read.
void servers_may_speak_first() {
  constexpr auto count = 200;
  auto listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check_that(
    bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0
      && listen(listener, count) == 0,
    "a server listens");
  std::thread server{[listener] { serve_nats(listener, count); }};
  bench_options opts;
  opts.mode = bench_mode::idle;
  opts.url = "ws://127.0.0.1:" + std::to_string(port_of(listener));
  opts.connections = count;
  opts.warmup_s = 0;
  opts.duration_s = 0.01;
  opts.quiet = true;
  auto result = measure(opts, find_dialect("nats"));
  check_that(result.clean(),
             "a server spoke first: " + result.failure + result.counts.trouble);
  server.join();
  close(listener);
}

void options_are_judged() {
  auto refusal = [](const std::string& dialect, bench_mode mode,
                    uint32_t payload_bytes, uint32_t topics) {
    bench_options opts;
    opts.mode = mode;
    opts.payload_bytes = payload_bytes;
    opts.topics = topics;
    return find_dialect(dialect)(opts)->refuses(opts);
  };
  for (auto name : {"nats", "mqtt", "socketio", "nchan"}) {
    check_that(refusal(name, bench_mode::fanout, 32, 1).empty(), name);
    check_that(refusal(name, bench_mode::rooms, 32, 1).empty(), name);
    check_that(refusal(name, bench_mode::idle, 32, 1).empty(), name);
    check_that(!refusal(name, bench_mode::echo, 32, 1).empty(), name);
  }
  check_that(!refusal("socketio", bench_mode::fanout, 31, 1).empty(),
             "socketio: 31 bytes are too few");
  check_that(!refusal("nchan", bench_mode::idle, 32, 0).empty(),
             "nchan: a connection needs a topic");
  check_that(find_dialect("smtp") == nullptr, "smtp is not known");
}

} // namespace

void test_dialects() {
  auto all = scripts();
  for (auto& each : all) {
    every_cut(each);
    no_byte_too_early(each);
    publishes(each);
  }
  auto& nats = script_of(all, "nats");
  auto& mqtt = script_of(all, "mqtt");
  auto& socketio = script_of(all, "socketio");
  auto& nchan = script_of(all, "nchan");
  does_not_subscribe(nats, nats.welcome, "\r\nPING\r\n");
  does_not_subscribe(mqtt, "\x20\2\0\0"s, "\0\0\0\0"s);
  does_not_subscribe(socketio,
                     upgraded + from_server(1, "0{}") + from_server(1, "40{}"),
                     from_client(1, "40"));
  does_not_subscribe(nchan, nchan.welcome, upgrade_of("/publish/t"));
  hostile_nats(nats);
  hostile_mqtt(mqtt);
  hostile_socketio(socketio);
  hostile_websocket(nchan);
  servers_may_speak_first();
  options_are_judged();
}
