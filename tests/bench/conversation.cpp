#include "conversation.hpp"

#include <memory>
#include <stdexcept>

#include <sys/socket.h>
#include <unistd.h>

#include "dialects/dialects.hpp"

using namespace callboard::cmd::bench;

namespace {

std::unique_ptr<dialect>
make_dialect(const std::string& name,
             const callboard::cmd::bench_options& options) {
  auto make = find_dialect(name);
  if (make == nullptr)
    throw std::runtime_error("there is no dialect " + name);
  return make(options);
}

} // namespace

conversation::conversation(const std::string& dialect, role what)
  : state_{options_, {}, "t"},
    heard_(new recorder(std::move(what))),
    worker_(state_, std::unique_ptr<load>(heard_),
            make_dialect(dialect, options_), 1) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
    throw std::runtime_error("there is no socket pair");
  server_ = ends[1];
  state_.target.host = "h";
  state_.target.port = "1";
  which().fd = ends[0];
  which().state = link_state::joining;
  worker_.how().open(worker_, which());
}

conversation::~conversation() {
  close(server_);
}

void conversation::hear(const std::string& bytes) {
  if (which().state == link_state::closed)
    return;
  rest_ += bytes;
  auto used = worker_.how().take(worker_, which(),
                                 reinterpret_cast<const uint8_t*>(rest_.data()),
                                 rest_.size());
  if (used > rest_.size())
    throw std::runtime_error("the dialect took more than there was");
  rest_.erase(0, used);
}

std::string conversation::said() {
  std::string result(64u << 10, '\0');
  auto got = recv(server_, result.data(), result.size(), 0);
  result.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return result;
}
