#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The server's half of RFC 6455, as little of it as a bare baseline needs.
namespace baseline {

/// What became of an HTTP request that should have been an upgrade.
struct upgrade {
  /// The answer to send; empty: the request is not complete.
  std::string answer;
  /// The request's path if it was accepted, else empty.
  std::string path;
  /// How many bytes of the input the request took.
  size_t used = 0;
};

/// Answers an upgrade request.
upgrade answer_upgrade(std::string_view input);

/// One message of a client's, in the receive buffer.
struct client_message {
  uint8_t opcode = 0;
  uint8_t key[4] = {};
  uint8_t* body = nullptr;
  size_t size = 0;
  /// Header and body together.
  size_t whole = 0;
};

/// Tells what is at the front of the receive buffer.
enum class arrival { whole, part, wrong };

/// Finds the next message; a fragment or one over `size_max` bytes is wrong.
arrival next_message(uint8_t* first, size_t have, size_t size_max,
                     client_message& result);

/// Takes the mask off and writes the body to `to`, which can be the body.
void unmask(const client_message& message, uint8_t* to);

/// Appends the header of a server's message.
void append_header(std::string& out, uint8_t opcode, size_t size);

} // namespace baseline
