#include "connection.hpp"

#include <cstdio>
#include <cstdlib>

#include <callboard/net/client_error.hpp>

#include "token_argument.hpp"
#include "units.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

void print(std::string line) {
  line += '\n';
  fputs(line.c_str(), stderr);
}

} // namespace

void connection::add(setting x) {
  list_.push_back(std::move(x));
}

void connection::add_to(CLI::App& command) {
  command
    .add_option("URL", url_,
                "The server, like http://127.0.0.1:8080/ (path: /ws if none)")
    ->required();
  add(text_setting("token", "TOKEN",
                   "Shown to the server to be let in; @FILE reads it from a "
                   "file. Better so, or in\nCALLBOARD_TOKEN, because other "
                   "users can see words",
                   options_.token));
  add(text_setting("tls-ca", "FILE",
                   "PEM file with who vouches for a server at https:// or "
                   "wss://; without it, those\nthat the system trusts",
                   options_.ca_file));
  add(text_setting("tls-cert", "FILE",
                   "PEM file with the certificate to show to such a server",
                   options_.certificate_file));
  add(text_setting("tls-key", "FILE", "Its private key", options_.key_file));
  add(duration_setting("connect-timeout", "Time to connect and be let in",
                       options_.connect_timeout, 1ms, 10min));
  add(switch_setting("compression", "Offer permessage-deflate",
                     options_.compression));
  settings_ = std::make_unique<settings>(std::move(list_));
  settings_->add_to(command);
}

net::client_options connection::resolve() {
  settings_->apply_environment([](const std::string& name) {
    return name == "CALLBOARD_TOKEN" ? getenv(name.c_str()) : nullptr;
  });
  settings_->apply_flags();
  auto server = net::parse_url(url_);
  if (!server)
    throw CLI::ValidationError{"URL", net::details(server.error()).sentence};
  if (options_.certificate_file.empty() != options_.key_file.empty())
    throw CLI::ValidationError{"settings",
                               "tls-cert and tls-key need each other"};
  options_.server = std::move(*server);
  options_.token = resolve_token(options_.token);
  options_.name = "callboard-cli";
  return options_;
}

payload payload_argument(const std::string& text) {
  if (auto x = payload::from_json(text))
    return std::move(*x);
  throw CLI::ValidationError{"PAYLOAD", '\'' + text
                                          + "' is not JSON; text needs double "
                                            "quotes, like '\"hello\"'"};
}

void say(std::string_view line) {
  print("callboard: " + std::string{line});
}

void print_error(const caf::error& x) {
  print((net::details(x).code == 0 ? "error: " : "error ") + net::to_line(x));
}

net::client_handlers
telling_handlers(std::function<void(const caf::error&)> unreachable) {
  auto met = std::make_shared<bool>(false);
  auto lost = std::make_shared<bool>(false);
  net::client_handlers result;
  result.on_connected = [met, lost](const net::welcome&) {
    *met = true;
    if (std::exchange(*lost, false))
      say("connected again");
  };
  result.on_disconnected = [=](const net::disconnect_report& x) {
    if (!x.retry_in)
      return;
    if (!*met)
      return unreachable(x.why);
    *lost = true;
    using std::chrono::milliseconds;
    auto wait = std::chrono::duration_cast<milliseconds>(*x.retry_in);
    say(net::to_line(x.why) + "; trying again in "
        + std::to_string(wait.count()) + "ms");
  };
  result.on_gap = [](const net::gap& x) {
    say("events of " + std::string{x.subject}
        + " may be missing: " + std::string{x.reason});
  };
  result.on_error = print_error;
  return result;
}

} // namespace callboard::cmd
