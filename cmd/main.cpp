#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>

#include <callboard/net/server.hpp>
#include <callboard/net/version.hpp>

#include "bench/command.hpp"
#include "commands.hpp"
#include "connection.hpp"

int main(int argc, char** argv) {
  using namespace callboard::cmd;
  // Errors carry values of CAF's types.
  caf::core::init_global_meta_objects();
  caf::io::middleman::init_global_meta_objects();
  callboard::net::init();
  CLI::App app{"callboard: a real-time messaging server, and its clients",
               "callboard"};
  app.set_version_flag("--version",
                       "callboard " + std::string{callboard::net::version()});
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& x) {
    return "callboard: " + std::string{x.what()} + '\n';
  });
  app.get_formatter()->column_width(34);
  app.footer("`callboard COMMAND --help` tells more.\n"
             "Exit codes: 0 done; 1 failed; 2 wrong usage.");
  int exit_code = exit_ok;
  add_serve_command(app, exit_code);
  add_sub_command(app, exit_code);
  add_pub_command(app, exit_code);
  add_request_command(app, exit_code);
  add_respond_command(app, exit_code);
  add_store_command(app, exit_code);
  add_token_command(app, exit_code);
  add_top_command(app, exit_code);
  add_pool_size_command(app, exit_code);
  add_bench_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& x) {
    return app.exit(x) == 0 ? exit_ok : exit_usage;
  } catch (const std::exception& x) {
    say(x.what());
    return exit_failed;
  }
  return exit_code;
}
