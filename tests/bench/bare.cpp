// A broadcaster and echo straight on epoll: the least work that does the job.
//
//   bare [--coalesce] [--port N] [--echo PATH]
//
// Without --coalesce each message goes out by a send of its own. With it, what
// an epoll turn has for a connection goes out by one.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

#include "bare_server.hpp"

int main(int argc, char** argv) {
  auto coalesce = false;
  auto port = 0;
  std::string echo_path = "/echo";
  for (int i = 1; i < argc; ++i) {
    std::string_view word{argv[i]};
    if (word == "--coalesce") {
      coalesce = true;
    } else if (word == "--port" && i + 1 < argc) {
      port = atoi(argv[++i]);
    } else if (word == "--echo" && i + 1 < argc) {
      echo_path = argv[++i];
    } else {
      fprintf(stderr, "usage: bare [--coalesce] [--port N] [--echo PATH]\n");
      return 2;
    }
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGTERM, [](int) { _exit(0); });
  signal(SIGINT, [](int) { _exit(0); });
  baseline::server self{coalesce, echo_path};
  self.listen(static_cast<uint16_t>(port));
  self.run();
}
