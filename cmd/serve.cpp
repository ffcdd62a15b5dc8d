#include "commands.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <spdlog/spdlog.h>

#include <callboard/net/client_error.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/server.hpp>

#include "cluster_settings.hpp"
#include "connection.hpp"
#include "logging.hpp"
#include "page_files.hpp"
#include "privileges.hpp"
#include "reload.hpp"
#include "serve_config.hpp"
#include "service_notify.hpp"

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
  if (auto address = x.cluster_address(); !address.empty())
    printf("nodes join by %s\n", address.c_str());
  if (isatty(STDOUT_FILENO))
    printf("open that page in two tabs, or try:\n"
           "  callboard sub %s greetings\n"
           "  callboard pub %s greetings '\"hello\"'\n",
           url.c_str(), url.c_str());
  if (auto admin = x.admin_url(); !admin.empty() && isatty(STDOUT_FILENO))
    printf("  callboard top --admin %s\n", admin.c_str());
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

// Gives up root, once the port is bound, the keys are read and the store has a
// folder. What is read again later must be for `who` to read.
caf::error become(const account& who, const serve_options& options) {
  if (auto& folder = options.server.store_dir; !folder.empty())
    if (auto failed = make_folder(folder, who))
      return failed;
  if (auto failed = drop_privileges(who))
    return failed;
  auto is_unreadable = [](const std::string& file) {
    return !file.empty() && access(file.c_str(), R_OK) != 0;
  };
  // These are read for each connection.
  auto& cluster = options.server.cluster;
  for (auto& file :
       {cluster.certificate_file, cluster.key_file, cluster.ca_file})
    if (is_unreadable(file))
      return caf::make_error(caf::sec::runtime_error,
                             "the user " + who.name + " cannot read " + file);
  logger("cmd")->info("root_given_up user={} uid={} gid={}", who.name, who.user,
                      who.group);
  auto& tls = options.server.tls;
  for (auto& file :
       {options.tokens.key_file, options.tokens.jwks_file, tls.certificate_file,
        tls.key_file, tls.client_ca_file, options.server.admin.key_file})
    if (is_unreadable(file))
      logger("cmd")->warn("changes of a file cannot be read file=\"{}\" "
                          "user={}",
                          file, who.name);
  return {};
}

// Lets operators look at the log's level, and change it until it is set anew.
void set_admin_log(net::admin_options& x) {
  x.log_level = get_log_level;
  x.set_log_level = [](const std::string& level) {
    for (auto* known : {"debug", "info", "warn", "error", "off"})
      if (level == known) {
        set_log_level(level);
        return true;
      }
    return false;
  };
}

// Has the server become the user that was named, if one was.
caf::error set_user(const serve_options& options, net::server_options& server) {
  if (options.user.user.empty())
    return {};
  auto who = find_account(options.user);
  if (!who)
    return who.error();
  server.on_bound = [who = *who, &options] { return become(who, options); };
  return {};
}

// Says what an operator may not have meant.
void warn_of_openness(const serve_options& options) {
  if (!options.tokens.has_keys() && !options.server.tls.client_required)
    logger("cmd")->warn("open to everybody: neither token-key nor token-jwks "
                        "is set");
  if (is_root())
    logger("cmd")->warn("runs as root: user is not set");
}

// Reloads on a thread of its own, because topics may take a while: signals
// are heeded meanwhile.
class reloader {
public:
  explicit reloader(std::function<void()> reload) : reload_{std::move(reload)} {
  }

  reloader(const reloader&) = delete;

  reloader& operator=(const reloader&) = delete;

  ~reloader() {
    end();
  }

  // Begins to reload, or has the one that is under way begin anew at its end.
  void begin() {
    if (wanted_.fetch_add(1) > 0)
      return;
    end();
    thread_ = std::thread{[this] {
      auto seen = 0;
      do {
        seen = wanted_;
        reload_();
      } while (!wanted_.compare_exchange_strong(seen, 0));
    }};
  }

  // Waits for the last one.
  void end() {
    if (thread_.joinable())
      thread_.join();
  }

private:
  std::function<void()> reload_;
  // Reloads that were asked for since the thread had nothing to do.
  std::atomic<int> wanted_ = 0;
  std::thread thread_;
};

// What the server tells the thread that waits for signals.
struct server_news {
  std::atomic<bool> ready = false;
  std::atomic<bool> failed = false;
};

// Waits for the signal that ends the server, and reloads meanwhile.
// @param on_ready is called when the server takes clients.
// @returns 0 if the server has failed.
int serve_signals(signals& signals, const server_news& news, reloader& reloads,
                  const std::function<void()>& on_ready) {
  auto told = false;
  while (!news.failed) {
    if (news.ready && !std::exchange(told, true))
      on_ready();
    auto signal = signals.wait();
    if (signals::is_end(signal))
      return signal;
    if (signal == SIGHUP)
      reloads.begin();
  }
  return 0;
}

// Runs a server until a signal ends it. Called before the process has a second
// thread.
int run_serve(serve_config& places, serve_options options) {
  signals signals;
  // Threads have it from the one that starts them.
  if (!options.user.user.empty() && !forbid_new_privileges()) {
    say("user: this kernel cannot forbid new privileges");
    return exit_failed;
  }
  set_up_logging(options.log_level, options.log_format);
  raise_descriptor_limit(options.server.node.connections_max);
  caf::actor_system_config config;
  // The loops do the work; CAF's scheduler gets what is not bound to one.
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-threads", 1);
  configure(config, options.server.cluster);
  caf::actor_system system{config};
  auto server_options = options.server;
  // Connections of the cluster are CAF's, and nobody counts them.
  server_options.audits_descriptors = !server_options.cluster.enabled();
  if (options.page)
    server_options.page = page_files();
  auto fail = [](const caf::error& x) {
    say(net::details(x).sentence);
    flush_logging();
    return exit_failed;
  };
  if (auto failed = set_rights(options.tokens, server_options.rights))
    return fail(failed);
  if (auto failed = set_user(options, server_options))
    return fail(failed);
  set_admin_log(server_options.admin);
  auto news = std::make_shared<server_news>();
  server_options.on_ready = [news, waiter = pthread_self()] {
    news->ready = true;
    signals::wake(waiter);
  };
  auto server = net::server::start(system, std::move(server_options));
  if (!server)
    return fail(server.error());
  warn_of_openness(options);
  print_ready(**server);
  auto socket = getenv("NOTIFY_SOCKET");
  service_notify manager{socket != nullptr ? socket : ""};
  auto status = "listening on " + (*server)->url();
  // It joins, or gives that up, soon after the timeout.
  auto joining_max = std::chrono::ceil<std::chrono::microseconds>(
    2 * options.server.cluster.timeout);
  if (!news->ready)
    manager.waits(joining_max, "joining the cluster");
  // The node's head ends only when there is no going on.
  auto head = caf::actor_cast<caf::strong_actor_ptr>((*server)->handle());
  head->get()->attach_functor([news, waiter = pthread_self()] {
    news->failed = true;
    signals::wake(waiter);
  });
  head = nullptr;
  std::atomic<bool> ends = false;
  reloader reloads{[&] {
    // Who has yet to start cannot reload, as the manager sees it.
    auto tells = news->ready.load();
    if (tells)
      manager.reloading(std::chrono::steady_clock::now());
    reload(**server, system, places, options);
    if (tells && !ends)
      manager.ready(status);
  }};
  auto signal = serve_signals(signals, *news, reloads,
                              [&] { manager.ready(status); });
  ends = true;
  if (signal == 0) {
    logger("cmd")->critical("failed reason=\"the pool manager ended\"");
    flush_logging();
    return exit_failed;
  }
  logger("cmd")->info("draining signal={}",
                      signal == SIGINT ? "SIGINT" : "SIGTERM");
  manager.stopping();
  drain(**server, signals);
  // What a reload may still wait for goes now.
  (*server)->stop();
  reloads.end();
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
    "presence, overflow, durability, replicas, payload-bytes-max,\n"
    "publish-rate, publish-burst and publishers for topics by pattern, of\n"
    "which the first that matches counts:\n"
    "  [topic chat/+]\n"
    "  history-size = 100\n"
    "and in the same way rate, burst and breaker for actions:\n"
    "  [action transfer]\n"
    "  breaker = on\n"
    "SIGTERM and SIGINT end the server within --drain-timeout; a second one\n"
    "ends it at once. SIGHUP reads the file again: sections, most limits,\n"
    "log-level and allowed-origins count at once, and files of keys are read\n"
    "again.\n"
    "Exit codes: 0 ended by a signal; 1 could not start, or ended by a second\n"
    "signal; 2 wrong usage.");
  command->callback(
    [config, &exit_code] { exit_code = run_serve(*config, config->read()); });
}

} // namespace callboard::cmd
