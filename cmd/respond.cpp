#include "commands.hpp"

#include <csignal>

#include <sys/eventfd.h>
#include <unistd.h>

#include <callboard/net/utf8.hpp>

#include "child_process.hpp"
#include "connection.hpp"
#include "job_pool.hpp"
#include "json_text.hpp"
#include "units.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

// Requests that may wait for each job that runs.
constexpr size_t waiting_per_job = 16;

// Codes of the errors that askers get, of the applications' range.
constexpr uint16_t command_failed = 1000;
constexpr uint16_t command_timeout = 1001;
constexpr uint16_t command_busy = 1002;
constexpr uint16_t command_stopped = 1003;

struct respond_options {
  connection server;
  std::string action;
  std::vector<std::string> words;
  size_t jobs = 4;
  caf::timespan timeout = 30s;
  size_t output_bytes_max = 1024 * 1024;
  bool reconnect = true;
  bool verbose = false;
};

// Returns what a command printed as a payload: JSON, or else text.
payload to_payload(std::string_view output) {
  auto end = output.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos)
    return {};
  auto text = output.substr(0, end + 1);
  if (auto x = payload::from_json(text))
    return std::move(*x);
  return payload::pack(std::string{text});
}

void answer(const net::incoming_request& request, const child_result& x,
            const respond_options& options) {
  using end = child_result::end;
  auto& program = options.words.front();
  switch (x.how) {
    case end::exited:
      if (x.number == 0)
        request.answer(to_payload(x.output));
      else
        request.fail(command_failed, "command_failed",
                     !x.complaint.empty() ? x.complaint
                                          : program + " ended with exit code "
                                              + std::to_string(x.number));
      break;
    case end::killed_by_signal:
      request.fail(command_failed, "command_failed",
                   program + " was ended by signal "
                     + std::to_string(x.number));
      break;
    case end::timeout:
      request.fail(command_timeout, "command_timeout",
                   program + " took longer than "
                     + format_duration(
                       std::min(options.timeout, request.timeout())));
      break;
    case end::too_much_output:
      request.fail(command_failed, "command_failed",
                   program + " printed more than "
                     + format_size(options.output_bytes_max));
      break;
    case end::stopped:
      request.fail(command_stopped, "command_stopped",
                   "the responder was stopped", true);
      break;
    case end::not_started: {
      auto sentence = "cannot run " + program + ": "
                      + std::generic_category().message(x.number);
      say(sentence);
      request.fail(command_failed, "command_failed", sentence);
      break;
    }
  }
}

/// Answers each request with what a command prints, until a signal comes: the
/// first one lets running commands end, the second one ends them and fails
/// their requests, the third one waits for nothing.
class responder {
public:
  responder(const respond_options& options, net::client_options client_options)
    : options_{options},
      client_{std::move(client_options), telling_handlers([this](auto& why) {
                print_error(why);
                exit_code_ = exit_failed;
                client_.stop();
              })},
      signals_{client_.context(), SIGINT, SIGTERM},
      stop_fd_{eventfd(0, EFD_CLOEXEC)},
      pool_{std::make_unique<job_pool>(options.jobs,
                                       options.jobs * waiting_per_job)} {
  }

  ~responder() {
    pool_.reset();
    close(stop_fd_);
  }

  int run() {
    client_.respond(
      options_.action,
      [this](net::incoming_request x) { on_request(std::move(x)); },
      [this](caf::expected<void> done) {
        if (!done && client_.state() != net::client_state::disconnected) {
          print_error(done.error());
          exit_code_ = exit_failed;
          client_.stop();
        } else if (done && options_.verbose) {
          say("answering " + options_.action);
        }
      });
    await_signal();
    client_.start();
    auto why = client_.run();
    eventfd_write(stop_fd_, 1);
    if (!why)
      return exit_code_;
    print_error(why);
    return exit_failed;
  }

private:
  void await_signal() {
    signals_.async_wait([this](const net::error_code& ec, int) {
      if (!ec)
        on_signal();
    });
  }

  void on_signal() {
    if (++signals_seen_ == 1)
      client_.stop_responding(options_.action);
    else
      eventfd_write(stop_fd_, 1);
    if (running_ == 0 || signals_seen_ > 2)
      client_.stop();
    else
      await_signal();
  }

  void on_request(net::incoming_request request) {
    auto deadline = std::chrono::steady_clock::now()
                    + std::min(options_.timeout, request.timeout());
    auto job = [this, request, deadline] {
      child_options child;
      child.words = options_.words;
      child.environment = {"CALLBOARD_ACTION=" + request.action(),
                           "CALLBOARD_SENDER=" + request.from()};
      append_json(child.input, request.body().view());
      child.input += '\n';
      child.timeout = deadline - std::chrono::steady_clock::now();
      child.output_bytes_max = options_.output_bytes_max;
      child.stop_fd = stop_fd_;
      client_.post([this, request, result = run_child(child)] {
        answer(request, result, options_);
        on_done();
      });
    };
    if (pool_->submit(std::move(job)))
      ++running_;
    else
      request.fail(command_busy, "command_busy",
                   "too many requests wait for " + options_.words.front(),
                   true);
  }

  void on_done() {
    if (--running_ == 0 && signals_seen_ > 0)
      client_.stop();
  }

  const respond_options& options_;
  net::client client_;
  net::asio::signal_set signals_;
  int stop_fd_;
  std::unique_ptr<job_pool> pool_;
  size_t running_ = 0;
  int signals_seen_ = 0;
  int exit_code_ = exit_ok;
};

} // namespace

void add_respond_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "respond", "Answer each request for an action with what a command prints");
  auto options = std::make_shared<respond_options>();
  auto& x = *options;
  x.server.add(count_setting("jobs",
                             "Commands that run at once; 16 times as many "
                             "requests may wait",
                             x.jobs, 1, 256));
  x.server.add(duration_setting("timeout",
                                "Time for a request, waiting included; beyond "
                                "it the command is killed",
                                x.timeout, 1ms, 5min));
  x.server.add(size_setting("output-bytes-max",
                            "Bytes that a command may print",
                            x.output_bytes_max, 1, 16 * 1024 * 1024));
  x.server.add(switch_setting("no-reconnect", "End when the connection is lost",
                              x.reconnect, false));
  x.server.add_to(*command);
  command->add_option("ACTION", x.action, "What to answer")->required();
  command
    ->add_option("COMMAND", x.words,
                 "Behind --: a program, looked up in PATH, and its arguments")
    ->required();
  command->add_flag("-v,--verbose", x.verbose,
                    "Tell on standard error when requests are taken");
  command->footer(
    "The command gets the request's payload as a JSON line on standard input,\n"
    "CALLBOARD_ACTION and CALLBOARD_SENDER in its environment. What it prints\n"
    "is the answer: JSON, or else text. If its exit code is not 0, the answer\n"
    "is error 1000 command_failed with the last line of its standard error.\n"
    "Other errors: 1001 command_timeout, 1002 command_busy, 1003\n"
    "command_stopped. The first SIGTERM or SIGINT lets running commands end,\n"
    "the second one ends them.");
  command->callback([options, &exit_code] {
    auto client_options = options->server.resolve();
    client_options.reconnect = options->reconnect;
    client_options.incoming_max = options->jobs * (waiting_per_job + 1) + 64;
    signal(SIGPIPE, SIG_IGN);
    exit_code = responder{*options, std::move(client_options)}.run();
  });
}

} // namespace callboard::cmd
