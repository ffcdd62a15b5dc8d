#include <callboard/net/tls_stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <callboard/net/tls_bio.hpp>

namespace callboard::net {

namespace {

constexpr auto record_bytes = tls_stream::record_bytes_max;

// Plaintext that one system call sends.
constexpr size_t batch_bytes = 4 * record_bytes;

// Most that one call receives.
constexpr size_t receive_bytes = 3 * record_bytes;

// Room for the record that the last bytes were a part of.
constexpr size_t record_room = record_bytes + 1024;

// Handshake messages that may follow the handshake, and for how many bytes one
// more may: new keys are asked for after gigabytes.
constexpr uint64_t later_messages_max = 32;
constexpr uint64_t later_message_bytes = 64 * 1024;

constexpr size_t name_bytes_max = 128;

// Answers to the handshake's messages that may be kept. Who sends more of what
// asks for an answer, and reads none, is cut off.
constexpr size_t unsent_bytes_max = 2 * batch_bytes;

// Takes records from a list of pieces.
class record_cutter {
public:
  explicit record_cutter(std::span<const std::string_view> pieces) noexcept
    : rest_{pieces} {
    skip_empty();
  }

  [[nodiscard]] bool is_done() const noexcept {
    return rest_.empty();
  }

  // Returns the next record. Small pieces share one, which is put together in
  // `scratch`.
  std::string_view take(std::array<char, record_bytes>& scratch) {
    auto first = take_of_piece(record_bytes);
    if (first.size() == record_bytes || rest_.empty())
      return first;
    auto size = first.copy(scratch.data(), first.size());
    while (size < record_bytes && !rest_.empty()) {
      auto some = take_of_piece(record_bytes - size);
      size += some.copy(scratch.data() + size, some.size());
    }
    return {scratch.data(), size};
  }

private:
  std::string_view take_of_piece(size_t bytes_max) {
    auto result = rest_.front().substr(begin_, bytes_max);
    begin_ += result.size();
    skip_empty();
    return result;
  }

  // Goes on to the next piece that has something left.
  void skip_empty() {
    while (!rest_.empty() && begin_ == rest_.front().size()) {
      rest_ = rest_.subspan(1);
      begin_ = 0;
    }
  }

  std::span<const std::string_view> rest_;
  size_t begin_ = 0;
};

X509* verified_peer(const SSL* x) {
  auto* result = SSL_get0_peer_certificate(x);
  return SSL_get_verify_result(x) == X509_V_OK ? result : nullptr;
}

} // namespace

tls_stream::tls_stream(ssl_st* x, int socket) noexcept
  : ssl_{x}, socket_{socket} {
  SSL_set_msg_callback(ssl_, on_message);
  SSL_set_msg_callback_arg(ssl_, this);
}

tls_stream::~tls_stream() {
  SSL_free(ssl_);
}

void tls_stream::on_message(int is_sent, int, int kind, const void*, size_t,
                            ssl_st*, void* self) {
  auto& x = *static_cast<tls_stream*>(self);
  if (is_sent != 0 || kind != SSL3_RT_HANDSHAKE || !x.open_)
    return;
  auto max = later_messages_max + x.received_bytes_ / later_message_bytes;
  // OpenSSL goes on with its record, but gets no other one.
  if (++x.later_messages_ > max) {
    x.fail("too many handshake messages");
    this_thread_tls_buffers().input = {};
  }
}

tls_stream::result tls_stream::read(std::span<char> out) {
  if (!error_.empty())
    return {0, status::failed};
  std::array<char, receive_bytes> received;
  auto n = ::recv(socket_, received.data(),
                  std::min(received.size(), out.size() - record_room), 0);
  if (n == 0)
    return {0, status::ended};
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return {};
  if (n < 0)
    return {0, fail(std::generic_category().message(errno))};
  received_bytes_ += static_cast<uint64_t>(n);
  auto& input = this_thread_tls_buffers().input;
  input = {received.data(), static_cast<size_t>(n)};
  result result;
  for (;;) {
    size_t size = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_, out.data() + result.bytes, out.size() - result.bytes,
                    &size)
        != 1)
      break;
    result.bytes += size;
  }
  result.then = outcome();
  input = {};
  open_ = open_ || SSL_is_init_finished(ssl_) == 1;
  // Of the handshake, new keys, alerts.
  send_output();
  if (!error_.empty())
    result.then = status::failed;
  return result;
}

tls_stream::result tls_stream::write(std::span<const std::string_view> pieces) {
  result result{0, flush()};
  record_cutter records{pieces};
  std::array<char, record_bytes> scratch;
  while (result.then == status::done && !records.is_done()) {
    for (size_t batch = 0; batch < batch_bytes && !records.is_done();) {
      auto record = records.take(scratch);
      size_t taken = 0;
      ERR_clear_error();
      if (SSL_write_ex(ssl_, record.data(), record.size(), &taken) != 1) {
        outcome();
        send_output();
        return {result.bytes, fail("nothing can be encrypted any more")};
      }
      batch += record.size();
      result.bytes += record.size();
    }
    result.then = send_output();
  }
  return result;
}

tls_stream::status tls_stream::flush() {
  if (unsent_.empty())
    return status::done;
  auto sent = send_some(unsent_);
  if (sent.then == status::done)
    unsent_ = {};
  else
    unsent_.erase(0, sent.bytes);
  return sent.then;
}

tls_stream::status tls_stream::send_output() {
  auto& output = this_thread_tls_buffers().output;
  result sent{0, unsent_.empty() ? status::done : status::blocked};
  if (sent.then == status::done)
    sent = send_some(output);
  if (sent.then == status::blocked) {
    unsent_.append(output, sent.bytes);
    if (unsent_.size() > unsent_bytes_max)
      sent.then = fail("the client reads no answers");
  }
  output.clear();
  return sent.then;
}

tls_stream::result tls_stream::send_some(std::string_view bytes) {
  result result;
  while (result.bytes < bytes.size()) {
    auto n = ::send(socket_, bytes.data() + result.bytes,
                    bytes.size() - result.bytes, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      result.then = errno == EAGAIN
                      ? status::blocked
                      : fail(std::generic_category().message(errno));
      break;
    }
    result.bytes += static_cast<size_t>(n);
  }
  return result;
}

bool tls_stream::has_ended() const noexcept {
  return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void tls_stream::end() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
  send_output();
}

std::string tls_stream::peer_name() const {
  auto* certificate = verified_peer(ssl_);
  if (certificate == nullptr)
    return {};
  auto* name = X509_get_subject_name(certificate);
  auto at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
    return {};
  unsigned char* text = nullptr;
  auto size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
                                           X509_NAME_get_entry(name, at)));
  if (size < 0)
    return {};
  std::string result{reinterpret_cast<char*>(text), static_cast<size_t>(size)};
  OPENSSL_free(text);
  auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
  if (result.size() > name_bytes_max || std::ranges::any_of(result, is_control))
    return {};
  return result;
}

int64_t tls_stream::peer_expires_ms() const {
  auto* certificate = verified_peer(ssl_);
  std::tm end{};
  if (certificate == nullptr
      || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return 0;
  return int64_t{timegm(&end)} * 1000;
}

tls_stream::status tls_stream::outcome() {
  switch (SSL_get_error(ssl_, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return status::done;
    case SSL_ERROR_ZERO_RETURN:
      return status::ended;
    default: {
      auto* reason = ERR_reason_error_string(ERR_peek_error());
      ERR_clear_error();
      return fail(reason != nullptr ? reason : "broken TLS");
    }
  }
}

tls_stream::status tls_stream::fail(std::string why) {
  if (error_.empty())
    error_ = std::move(why);
  return status::failed;
}

} // namespace callboard::net
