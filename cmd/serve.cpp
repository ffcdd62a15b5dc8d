#include "commands.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <spdlog/spdlog.h>

#include <callboard/net/client_error.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/server.hpp>

#include "connection.hpp"
#include "logging.hpp"
#include "reload.hpp"
#include "serve_config.hpp"

namespace callboard::cmd {

namespace {

// Descriptors that are no connection: listeners, loops, logs.
constexpr rlim_t spare_descriptors = 128;

/// Blocks the signals that mean something to the server, in this thread and
/// those it starts.
class signals {
public:
  signals() {
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set_);
    for (auto x : {SIGTERM, SIGINT, SIGHUP, wake_signal})
      sigaddset(&set_, x);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  /// Waits for one of them.
  int wait() {
    int result = 0;
    while (sigwait(&set_, &result) != 0) {
    }
    return result;
  }

  /// Makes the thread `waiter` return from `wait`.
  static void wake(pthread_t waiter) {
    pthread_kill(waiter, wake_signal);
  }

  static bool is_end(int x) {
    return x == SIGTERM || x == SIGINT;
  }

private:
  static constexpr int wake_signal = SIGUSR2;

  sigset_t set_;
};

void raise_descriptor_limit(size_t connections_max) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  if (limit.rlim_cur < limit.rlim_max) {
    auto soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
      limit.rlim_cur = soft;
  }
  auto wanted = connections_max + spare_descriptors;
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted)
    logger("cmd")->warn("too few file descriptors for max-connections "
                        "limit={} wanted={}",
                        limit.rlim_cur, wanted);
}

void print_ready(const net::server& x) {
  auto url = x.url();
  printf("listening on %s\n", url.c_str());
  if (isatty(STDOUT_FILENO))
    printf("open that page in two tabs, or try:\n"
           "  callboard sub %s greetings\n"
           "  callboard pub %s greetings '\"hello\"'\n",
           url.c_str(), url.c_str());
  fflush(stdout);
}

// Drains the server; a further signal ends the process at once.
void drain(net::server& x, signals& signals) {
  std::atomic<bool> done = false;
  std::thread drainer{[&, waiter = pthread_self()] {
    x.drain();
    done = true;
    signals::wake(waiter);
  }};
  while (!done) {
    // There is nothing left to reload for.
    if (!signals::is_end(signals.wait()))
      continue;
    logger("cmd")->warn("ended by a second signal");
    flush_logging();
    // Not `exit`, which would wait for what this signal is not to wait for.
    _exit(exit_failed);
  }
  drainer.join();
}

// Lets in who shows a token, if there are keys.
caf::error set_rights(const net::token_options& tokens, authority& x) {
  if (!tokens.has_keys())
    return {};
  auto made = net::make_token_authority(tokens);
  if (!made)
    return made.error();
  x = std::move(*made);
  return {};
}

// Waits for the signal that ends the server, and reloads meanwhile.
// @returns 0 if the server has failed.
int serve_signals(signals& signals, const std::atomic<bool>& failed,
                  const std::function<void()>& reload) {
  while (!failed) {
    auto signal = signals.wait();
    if (signals::is_end(signal))
      return signal;
    if (signal == SIGHUP)
      reload();
  }
  return 0;
}

// Runs a server until a signal ends it. Called before the process has a second
// thread.
int run_serve(serve_config& places, serve_options options) {
  signals signals;
  set_up_logging(options.log_level, options.log_format);
  raise_descriptor_limit(options.server.node.connections_max);
  caf::actor_system_config config;
  // The loops do the work; CAF's scheduler gets what is not bound to one.
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-threads", 1);
  caf::actor_system system{config};
  auto server_options = options.server;
  auto fail = [](const caf::error& x) {
    say(net::details(x).sentence);
    flush_logging();
    return exit_failed;
  };
  if (auto failed = set_rights(options.tokens, server_options.rights))
    return fail(failed);
  auto server = net::server::start(system, std::move(server_options));
  if (!server)
    return fail(server.error());
  if (!options.tokens.has_keys())
    logger("cmd")->warn("open to everybody: neither token-key nor token-jwks "
                        "is set");
  print_ready(**server);
  // The node's head ends only when there is no going on.
  auto failed = std::make_shared<std::atomic<bool>>(false);
  auto head = caf::actor_cast<caf::strong_actor_ptr>((*server)->handle());
  head->get()->attach_functor([failed, waiter = pthread_self()] {
    *failed = true;
    signals::wake(waiter);
  });
  head = nullptr;
  auto signal = serve_signals(signals, *failed, [&] {
    reload(**server, system, places, options);
  });
  if (signal == 0) {
    logger("cmd")->critical("failed reason=\"the pool manager ended\"");
    flush_logging();
    return exit_failed;
  }
  logger("cmd")->info("draining signal={}",
                      signal == SIGINT ? "SIGINT" : "SIGTERM");
  drain(**server, signals);
  server->reset();
  logger("cmd")->info("ended");
  flush_logging();
  return exit_ok;
}

} // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand("serve",
                                    "Run a server until SIGTERM or SIGINT");
  auto config = std::make_shared<serve_config>();
  config->add_to(*command);
  command->footer(
    "Each option can also be set in the environment, as CALLBOARD_ and its\n"
    "name in capitals (CALLBOARD_PING_INTERVAL=30s), and in the config file\n"
    "(ping-interval = 30s). A flag overrides the environment, that overrides\n"
    "the file. Switches take true or false there.\n"
    "Sections at the file's end set history-size, history-ttl, retain,\n"
    "presence, overflow, durability, payload-bytes-max, publish-rate,\n"
    "publish-burst and publishers for topics by pattern, of which the first\n"
    "that matches counts:\n"
    "  [topic chat/+]\n"
    "  history-size = 100\n"
    "SIGTERM and SIGINT end the server within --drain-timeout; a second one\n"
    "ends it at once. SIGHUP reads the file again: sections, log-level and\n"
    "allowed-origins count at once, and files of keys are read again.\n"
    "Exit codes: 0 ended by a signal; 1 could not start, or ended by a second\n"
    "signal; 2 wrong usage.");
  command->callback(
    [config, &exit_code] { exit_code = run_serve(*config, config->read()); });
}

} // namespace callboard::cmd
