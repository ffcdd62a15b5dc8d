#include "commands.hpp"

#include <cstdio>

#include "connection.hpp"
#include "json_text.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

struct request_options {
  connection server;
  std::string action;
  std::string text;
  caf::timespan timeout = 10s;
};

int run_request(const request_options& options,
                net::client_options client_options, payload body) {
  client_options.reconnect = false;
  net::client client{std::move(client_options)};
  auto result = exit_failed;
  auto answered = false;
  client.request(options.action, std::move(body), options.timeout,
                 [&](caf::expected<payload> answer) {
                   answered = true;
                   client.stop();
                   if (!answer) {
                     print_error(answer.error());
                     return;
                   }
                   std::string line;
                   append_json(line, answer->view());
                   puts(line.c_str());
                   result = exit_ok;
                 });
  client.start();
  auto why = client.run();
  if (!answered)
    print_error(why);
  return result;
}

} // namespace

void add_request_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "request", "Send a request, and print the answer as a JSON line");
  auto options = std::make_shared<request_options>();
  auto& x = *options;
  x.server.add(
    duration_setting("timeout", "Time for the answer", x.timeout, 1ms, 5min));
  x.server.add_to(*command);
  command->add_option("ACTION", x.action, "What to ask for")->required();
  auto text = command->add_option("PAYLOAD", x.text, "JSON; none if left out");
  command->callback([options, text, &exit_code] {
    auto client_options = options->server.resolve();
    payload body;
    if (text->count() > 0)
      body = payload_argument(options->text);
    exit_code = run_request(*options, std::move(client_options),
                            std::move(body));
  });
}

} // namespace callboard::cmd
