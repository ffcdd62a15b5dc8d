// Callboard's load generator for servers that speak something else.
//
//   load DIALECT bench fanout|rooms|idle ws://HOST:PORT [OPTIONS]

#include <cstdio>

#include "bench/command.hpp"
#include "dialects/dialects.hpp"

using namespace callboard::cmd;

int main(int argc, char** argv) {
  auto dialect = argc < 2 ? nullptr : bench::find_dialect(argv[1]);
  if (dialect == nullptr) {
    fprintf(stderr, "usage: load nats|mqtt|socketio|nchan bench …\n");
    return 2;
  }
  CLI::App app{"Makes load on a server that speaks something else"};
  app.require_subcommand(1);
  auto exit_code = 0;
  add_bench_command(app, exit_code, dialect);
  CLI11_PARSE(app, argc - 1, argv + 1);
  return exit_code;
}
