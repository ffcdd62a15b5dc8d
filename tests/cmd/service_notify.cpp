#include <callboard/cmd/service_notify.hpp>

#include <cstddef>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/scratch_folder.hpp"
#include "support/test.hpp"

using namespace callboard::cmd;
using namespace std::chrono_literals;

namespace {

struct fixture {
  callboard::scratch_folder folder;

  ~fixture() {
    if (descriptor >= 0)
      close(descriptor);
  }

  // Listens as a service manager does.
  // @param name as in NOTIFY_SOCKET.
  void listen(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path));
    if (name.starts_with('@'))
      address.sun_path[0] = '\0';
    descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CAF_REQUIRE(descriptor >= 0);
    auto size = offsetof(sockaddr_un, sun_path) + name.size();
    CAF_REQUIRE_EQUAL(bind(descriptor, reinterpret_cast<sockaddr*>(&address),
                           static_cast<socklen_t>(size)),
                      0);
  }

  // Returns the next message; a datagram is there as soon as it was sent.
  std::string next() const {
    std::vector<char> bytes(1024);
    auto n = recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return n < 0 ? "none" : std::string(bytes.data(), static_cast<size_t>(n));
  }

  std::string path() const {
    return folder.path("notify");
  }

  int descriptor = -1;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(service_notify_tests, fixture)

CAF_TEST(each step is a message of its own) {
  listen(path());
  service_notify manager{path()};
  manager.waits(10s, "joining the cluster");
  manager.ready("listening on http://127.0.0.1:8080/");
  manager.reloading(std::chrono::steady_clock::time_point{12'345'678ns});
  manager.stopping();
  CAF_CHECK_EQUAL(next(),
                  "STATUS=joining the cluster\nEXTEND_TIMEOUT_USEC=10000000\n");
  CAF_CHECK_EQUAL(next(),
                  "READY=1\nSTATUS=listening on http://127.0.0.1:8080/\n");
  CAF_CHECK_EQUAL(next(), "RELOADING=1\nMONOTONIC_USEC=12345\n");
  CAF_CHECK_EQUAL(next(), "STOPPING=1\n");
  CAF_CHECK_EQUAL(next(), "none");
}

CAF_TEST(a socket may have a name that is no path) {
  auto name = '@' + folder.path();
  listen(name);
  service_notify{name}.stopping();
  CAF_CHECK_EQUAL(next(), "STOPPING=1\n");
}

CAF_TEST(the longest name is told and a longer one is none) {
  constexpr size_t size_max = sizeof(sockaddr_un::sun_path) - 1;
  auto name = '@' + folder.path();
  name.resize(size_max, 'x');
  listen(name);
  service_notify{name}.stopping();
  CAF_CHECK_EQUAL(next(), "STOPPING=1\n");
  service_notify{name + 'x'}.stopping();
  CAF_CHECK_EQUAL(next(), "none");
}

CAF_TEST(without a manager nothing is told and nothing fails) {
  listen(path());
  for (auto name : {"", "/", "@", "relative/path", "vsock:2:1234"})
    service_notify{name}.ready("listening");
  service_notify{path() + "-of-nobody"}.ready("listening");
  CAF_CHECK_EQUAL(next(), "none");
}

CAF_TEST_FIXTURE_SCOPE_END()
