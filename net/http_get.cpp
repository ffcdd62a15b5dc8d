#include <callboard/net/http_get.hpp>

#include <cstdint>
#include <utility>

#include <caf/sec.hpp>

#include <callboard/net/boost/beast.hpp>

namespace callboard::net {

namespace {

constexpr uint64_t body_bytes_max = 16 * 1024 * 1024;

using http_parser = http::response_parser<http::string_body>;

// Runs what `start` begins to its end.
template <class Start>
error_code run(asio::io_context& io, Start&& start) {
  error_code result;
  start([&result](error_code ec, auto&&...) { result = ec; });
  io.restart();
  io.run();
  return result;
}

http::request<http::empty_body> make_request(const url& where,
                                             const std::string& target,
                                             const std::string& key) {
  http::request<http::empty_body> result{http::verb::get, target, 11};
  result.set(http::field::host, where.authority());
  result.set(http::field::connection, "close");
  if (!key.empty())
    result.set(http::field::authorization, "Bearer " + key);
  return result;
}

error_code exchange(asio::io_context& io, const url& where,
                    const http::request<http::empty_body>& request,
                    http_parser& parser, caf::timespan timeout) {
  error_code failed;
  tcp::resolver resolver{io};
  auto places = resolver.resolve(where.host, std::to_string(where.port),
                                 failed);
  if (failed)
    return failed;
  beast::tcp_stream stream{io};
  beast::flat_buffer buffer;
  // One for all that follows.
  stream.expires_after(timeout);
  failed = run(io, [&](auto f) { stream.async_connect(places, f); });
  if (!failed)
    failed = run(io, [&](auto f) { http::async_write(stream, request, f); });
  if (!failed)
    failed = run(io,
                 [&](auto f) { http::async_read(stream, buffer, parser, f); });
  return failed;
}

} // namespace

caf::expected<http_answer> http_get(const url& where, const std::string& target,
                                    const std::string& key,
                                    caf::timespan timeout) {
  asio::io_context io{1};
  http_parser parser;
  parser.body_limit(body_bytes_max);
  auto request = make_request(where, target, key);
  if (auto failed = exchange(io, where, request, parser, timeout))
    return caf::make_error(caf::sec::cannot_connect_to_node,
                           "no answer from http://" + where.authority() + ": "
                             + failed.message());
  auto answer = parser.release();
  return http_answer{answer.result_int(), std::move(answer.body())};
}

} // namespace callboard::net
