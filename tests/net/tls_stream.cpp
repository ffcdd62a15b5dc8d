#include <callboard/net/tls_stream.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <callboard/net/client_error.hpp>
#include <callboard/net/tls_context.hpp>

#include "support/scratch_folder.hpp"
#include "support/test.hpp"

// The server's end is ours, the client's is OpenSSL on its own socket.

using namespace callboard::net;
using status = tls_stream::status;

namespace {

// Writes a key and a certificate for it.
void write_certificate(const std::string& file, const std::string& key_file) {
  auto* key = EVP_EC_gen("P-256");
  auto* made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  auto* name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(
    name, "CN", MBSTRING_ASC,
    reinterpret_cast<const unsigned char*>("callboard test"), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_set_pubkey(made, key);
  X509_sign(made, key, EVP_sha256());
  auto* out = fopen(file.c_str(), "w");
  PEM_write_X509(out, made);
  fclose(out);
  out = fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  fclose(out);
  X509_free(made);
  EVP_PKEY_free(key);
}

struct fixture {
  callboard::scratch_folder folder;

  fixture() {
    options.certificate_file = path("cert.pem");
    options.key_file = path("key.pem");
    write_certificate(options.certificate_file, options.key_file);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets);
    auto made = tls_context::make(options);
    CAF_REQUIRE(made);
    server = (*made)->accept(sockets[0]);
    client_context = SSL_CTX_new(TLS_client_method());
    client = SSL_new(client_context);
    SSL_set_fd(client, sockets[1]);
    SSL_set_connect_state(client);
  }

  ~fixture() {
    server.reset();
    SSL_free(client);
    SSL_CTX_free(client_context);
    close(sockets[0]);
    close(sockets[1]);
  }

  std::string path(const char* name) const {
    return folder.path(name);
  }

  // Lets both ends go on until they have shaken hands.
  void shake() {
    for (auto i = 0; i < 10 && !server->is_open(); ++i) {
      SSL_do_handshake(client);
      read();
    }
    CAF_REQUIRE(server->is_open());
    // Takes the tickets.
    char none = 0;
    SSL_read(client, &none, 0);
  }

  // Returns what the server reads in one turn.
  std::string read() {
    auto result = server->read(buffer);
    then = result.then;
    return {buffer.data(), result.bytes};
  }

  void send(std::string_view bytes) {
    CAF_REQUIRE_EQUAL(SSL_write(client, bytes.data(),
                                static_cast<int>(bytes.size())),
                      static_cast<int>(bytes.size()));
  }

  // Returns all that the client can read now.
  std::string client_read() {
    std::string result;
    std::vector<char> some(64 * 1024);
    size_t n = 0;
    while (SSL_read_ex(client, some.data(), some.size(), &n) == 1)
      result.append(some.data(), n);
    return result;
  }

  tls_stream::result write(std::vector<std::string_view> pieces) {
    return server->write(pieces);
  }

  tls_options options;
  int sockets[2];
  std::unique_ptr<tls_stream> server;
  SSL_CTX* client_context;
  SSL* client;
  std::array<char, 64 * 1024> buffer;
  status then = status::done;
};

std::string pattern(size_t size) {
  std::string result(size, ' ');
  for (size_t i = 0; i < size; ++i)
    result[i] = static_cast<char>('a' + i * 7 % 26);
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(tls_stream_tests, fixture)

CAF_TEST(both ends understand each other after the handshake) {
  CHECK(!server->is_open());
  shake();
  send("hello");
  CHECK_EQ(read(), "hello");
  CHECK_EQ(then, status::done);
  CHECK_EQ(read(), "");
  CHECK_EQ(then, status::done);
  auto wrote = write({"he", "", "llo"});
  CHECK_EQ(wrote.bytes, 5u);
  CHECK_EQ(wrote.then, status::done);
  CHECK_EQ(client_read(), "hello");
}

CAF_TEST(what comes with the end of the handshake is read in that turn) {
  SSL_do_handshake(client);
  read();
  SSL_do_handshake(client);
  send("first words");
  CHECK_EQ(read(), "first words");
  CHECK(server->is_open());
}

CAF_TEST(records that come in parts are put together) {
  shake();
  auto relay = BIO_new(BIO_s_mem());
  auto* socket = SSL_get_wbio(client);
  BIO_up_ref(socket);
  SSL_set0_wbio(client, relay);
  auto text = pattern(3 * 16 * 1024);
  send(text);
  char* bytes = nullptr;
  auto size = static_cast<size_t>(BIO_get_mem_data(relay, &bytes));
  std::string got;
  // Cuts that fall into headers, bodies and tags.
  for (size_t at = 0, step = 1; at < size; step = step * 3 % 1009 + 1) {
    auto n = std::min(step, size - at);
    CAF_REQUIRE_EQUAL(::send(sockets[1], bytes + at, n, 0),
                      static_cast<ssize_t>(n));
    at += n;
    got += read();
    CAF_REQUIRE_EQUAL(then, status::done);
  }
  CHECK(got == text);
  BIO_free(socket);
}

CAF_TEST(nothing is left inside that the socket does not tell of) {
  shake();
  auto text = pattern(16 * 1024);
  for (auto i = 0; i < 4; ++i)
    send(text);
  std::string got;
  // A turn for each time that the socket says so, and no more.
  char probe = 0;
  while (recv(sockets[0], &probe, 1, MSG_PEEK) > 0)
    got += read();
  CHECK_EQ(got.size(), 4 * text.size());
}

CAF_TEST(a full socket keeps little and loses nothing) {
  shake();
  auto text = pattern(1 << 20);
  std::string_view rest = text;
  std::string got;
  auto blocked = 0;
  while (!rest.empty()) {
    auto wrote = write(
      {rest.substr(0, 10), rest.substr(std::min<size_t>(rest.size(), 10))});
    rest.remove_prefix(wrote.bytes);
    CAF_REQUIRE(wrote.then != status::failed);
    if (wrote.then == status::blocked) {
      ++blocked;
      CHECK(server->has_unsent());
      // It takes nothing more before that is sent.
      CHECK_EQ(write({rest}).bytes, 0u);
    }
    got += client_read();
  }
  while (server->flush() == status::blocked)
    got += client_read();
  got += client_read();
  CHECK(blocked > 0);
  CHECK(!server->has_unsent());
  CHECK(got == text);
}

CAF_TEST(who asks for new keys and reads no answer is cut off) {
  shake();
  auto turns = 0;
  for (; turns < 100'000 && then != status::failed; ++turns) {
    SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client);
    read();
  }
  CHECK_EQ(then, status::failed);
}

CAF_TEST(who does so with every word is cut off too) {
  shake();
  for (auto turns = 0; turns < 100'000 && then != status::failed; ++turns) {
    SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
    SSL_write(client, "x", 1);
    read();
  }
  CHECK_EQ(then, status::failed);
  // For good.
  read();
  CHECK_EQ(then, status::failed);
}

CAF_TEST(handshake messages beyond need are refused) {
  shake();
  auto change_keys = [this](int times) {
    for (auto i = 0; i < times; ++i) {
      SSL_key_update(client, SSL_KEY_UPDATE_NOT_REQUESTED);
      SSL_do_handshake(client);
      read();
    }
  };
  change_keys(32);
  CHECK_EQ(then, status::done);
  change_keys(1);
  CHECK_EQ(then, status::failed);
  CHECK_EQ(server->error(), "too many handshake messages");
}

CAF_TEST(who says much may change keys more often) {
  shake();
  auto text = pattern(16 * 1024);
  for (auto i = 0; i < 40; ++i) {
    for (auto j = 0; j < 4; ++j) {
      send(text);
      CAF_REQUIRE_EQUAL(read().size(), text.size());
    }
    SSL_key_update(client, SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(client);
    read();
    CAF_REQUIRE_EQUAL(then, status::done);
  }
}

CAF_TEST(the end is told and heard) {
  shake();
  send("bye");
  SSL_shutdown(client);
  CHECK_EQ(read(), "bye");
  CHECK_EQ(then, status::ended);
  server->end();
  CHECK_EQ(client_read(), "");
  CHECK_EQ(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN,
           SSL_RECEIVED_SHUTDOWN);
}

CAF_TEST(an end without a word is one) {
  shake();
  shutdown(sockets[1], SHUT_WR);
  CHECK_EQ(read(), "");
  CHECK_EQ(then, status::ended);
}

CAF_TEST(what is no TLS fails and says why) {
  std::string_view http = "GET / HTTP/1.1\r\n\r\n";
  CAF_REQUIRE_EQUAL(::send(sockets[1], http.data(), http.size(), 0),
                    static_cast<ssize_t>(http.size()));
  CHECK_EQ(read(), "");
  CHECK_EQ(then, status::failed);
  CHECK_EQ(server->error(), "http request");
}

CAF_TEST(a record that was touched fails) {
  shake();
  auto relay = BIO_new(BIO_s_mem());
  auto* socket = SSL_get_wbio(client);
  BIO_up_ref(socket);
  SSL_set0_wbio(client, relay);
  send("hello");
  char* bytes = nullptr;
  auto size = static_cast<size_t>(BIO_get_mem_data(relay, &bytes));
  bytes[size - 1] ^= 1;
  CAF_REQUIRE_EQUAL(::send(sockets[1], bytes, size, 0),
                    static_cast<ssize_t>(size));
  CHECK_EQ(read(), "");
  CHECK_EQ(then, status::failed);
  BIO_free(socket);
}

CAF_TEST(a client that shows no certificate has no name) {
  shake();
  CHECK_EQ(server->peer_name(), "");
}

CAF_TEST(files of no use are named) {
  auto sentence = [this](auto change) {
    auto wrong = options;
    change(wrong);
    auto made = tls_context::make(wrong);
    return made ? std::string{} : details(made.error()).sentence;
  };
  auto holds = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  std::ofstream{path("junk")} << "no PEM";
  write_certificate(path("other.pem"), path("other.key"));
  CHECK(holds(sentence([&](auto& x) { x.certificate_file = path("none"); }),
              path("none")));
  CHECK(holds(sentence([&](auto& x) { x.certificate_file = path("junk"); }),
              path("junk")));
  CHECK(
    holds(sentence([&](auto& x) { x.key_file = path("junk"); }), path("junk")));
  CHECK(holds(sentence([&](auto& x) { x.key_file = path("other.key"); }),
              "not that of the certificate"));
  CHECK(holds(sentence([&](auto& x) { x.client_ca_file = path("junk"); }),
              path("junk")));
  CHECK_EQ(sentence([&](auto& x) {
             x.certificate_file = path("other.pem");
             x.key_file = path("other.key");
             x.client_ca_file = path("cert.pem");
           }),
           "");
}

CAF_TEST(files that turn bad leave what was read before) {
  tls_source source{options};
  CHECK(source.current() == nullptr);
  CHECK(!source.load());
  auto first = source.current();
  CHECK(first != nullptr);
  CHECK(!source.load());
  CHECK(source.current() != first);
  auto second = source.current();
  auto commit = source.reload();
  CAF_REQUIRE(commit);
  CHECK(source.current() == second);
  (*commit)();
  CHECK(source.current() != second);
  second = source.current();
  std::ofstream{options.key_file} << "no PEM";
  CHECK(source.load());
  CHECK(source.current() == second);
  CHECK(!tls_source{tls_options{}}.load());
}

CAF_TEST_FIXTURE_SCOPE_END()
