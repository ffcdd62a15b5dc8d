#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frames.hpp"
#include "websocket.hpp"

namespace baseline {

/// A piece of the bytes that this turn has for somebody.
struct piece {
  size_t first;
  size_t last;
};

struct room;

struct peer {
  int fd = -1;
  bool upgraded = false;
  bool echoes = false;
  bool closing = false;
  std::string name;
  std::vector<room*> rooms;
  /// The front of a message whose rest has not come.
  std::vector<uint8_t> rest;
  /// What the socket did not take.
  std::string unsent;
  /// What goes out at the end of the turn.
  std::vector<piece> pieces;
};

struct room {
  std::vector<peer*> members;
  uint64_t offset = 0;
};

struct text_hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

class server {
public:
  /// @param coalesce sends what a turn has for a connection at once.
  /// @param echo_path is a plain echo; every other path speaks the protocol.
  server(bool coalesce, std::string echo_path);

  /// Listens on 127.0.0.1 and prints the port; 0: any that is free.
  void listen(uint16_t port);

  /// Serves until the process is ended.
  [[noreturn]] void run();

private:
  void accept_all();
  void handle(peer& who, uint32_t events);
  bool receive(peer& who);
  size_t upgrade_peer(peer& who, size_t size);
  size_t messages(peer& who, uint8_t* first, size_t size);
  void take(peer& who, const client_message& message);
  void protocol(peer& who, const client_message& message);
  void subscribe(peer& who, const frame& what);
  void publish(peer& who, const frame& what);
  void reply(peer& who, std::string_view body, uint8_t opcode = 2);
  void flush_replies(peer& who);
  void end_turn();
  void write(peer& who, const char* data, size_t size);
  void flush(peer& who);
  void drop(peer& who);

  bool coalesce_;
  std::string echo_path_;
  std::unique_ptr<uint8_t[]> buffer_;
  int listener_ = -1;
  int epoll_ = -1;
  uint64_t accepted_ = 0;
  std::vector<std::unique_ptr<peer>> peers_;
  std::vector<std::unique_ptr<peer>> dead_;
  std::unordered_map<std::string, room, text_hash, std::equal_to<>> rooms_;
  /// One frame under construction.
  std::string body_;
  /// What one receive has for the connection that it came from.
  std::string replies_;
  /// All events of the turn, each once.
  std::string turn_;
  std::vector<peer*> dirty_;
  std::string gathered_;
};

} // namespace baseline
