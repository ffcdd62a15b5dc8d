#include "commands.hpp"

#include <cstdio>

#include <caf/sec.hpp>

#include "connection.hpp"
#include "json_text.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

struct sub_options {
  connection server;
  std::vector<std::string> topics;
  // Without a name: no group.
  net::member_options member{{}, false};
  size_t count = 0;
  caf::timespan timeout{0};
  bool reconnect = true;
  bool verbose = false;
};

/// Prints events until it has enough of them, or its time is over.
class subscriber {
public:
  subscriber(sub_options& options, net::client_options client_options)
    : options_{options},
      client_{std::move(client_options), telling_handlers([this](auto& why) {
                print_error(why);
                exit_code_ = exit_failed;
                client_.stop();
              })},
      timer_{client_.context()},
      signals_{client_.context(), SIGINT, SIGTERM} {
  }

  int run() {
    for (auto& topic : options_.topics)
      subscribe(topic);
    if (options_.timeout.count() > 0) {
      timer_.expires_after(options_.timeout);
      timer_.async_wait([this](const net::error_code& ec) {
        if (!ec)
          on_timeout();
      });
    }
    signals_.async_wait([this](const net::error_code& ec, int) {
      if (!ec)
        client_.stop();
    });
    client_.start();
    auto why = client_.run();
    fflush(stdout);
    if (why) {
      print_error(why);
      return exit_failed;
    }
    return exit_code_;
  }

private:
  void subscribe(const std::string& topic) {
    auto done = [this, topic](caf::expected<net::position> at) {
      // Why the whole client ended is told by `run`.
      if (!at && client_.state() != net::client_state::disconnected) {
        print_error(at.error());
        exit_code_ = exit_failed;
        client_.stop();
      } else if (at && options_.verbose) {
        say("subscribed to " + topic);
      }
    };
    if (options_.member.group.empty())
      client_.subscribe(
        topic, [this](const net::event_view& x) { on_event(x); }, done);
    else
      client_.join(
        topic, options_.member,
        [this](const net::event_view& x) { return on_event(x); }, done);
  }

  // Returns whether it was printed.
  bool on_event(const net::event_view& x) {
    if (options_.count > 0 && seen_ == options_.count)
      return false;
    line_ = "{\"topic\":";
    append_json(line_, x.topic);
    line_ += ",\"offset\":" + std::to_string(x.offset) + ",\"sender\":";
    append_json(line_, x.sender);
    line_ += ",\"payload\":";
    append_json(line_, x.body);
    if (!x.pattern.empty()) {
      line_ += ",\"pattern\":";
      append_json(line_, x.pattern);
    }
    if (!x.epoch.empty()) {
      line_ += ",\"epoch\":";
      append_json(line_, x.epoch);
    }
    if (!x.key.empty()) {
      line_ += ",\"key\":";
      append_json(line_, x.key);
    }
    if (x.attempt > 0)
      line_ += ",\"attempt\":" + std::to_string(x.attempt);
    if (!x.origin.empty()) {
      line_ += ",\"origin\":";
      append_json(line_, x.origin);
    }
    line_ += "}\n";
    fwrite(line_.data(), 1, line_.size(), stdout);
    flush_later();
    if (++seen_ == options_.count)
      client_.stop();
    return true;
  }

  // Writes once for all events that came together.
  void flush_later() {
    if (std::exchange(flush_posted_, true))
      return;
    client_.post([this] {
      flush_posted_ = false;
      fflush(stdout);
    });
  }

  void on_timeout() {
    if (options_.count > 0) {
      say("the time is over after " + std::to_string(seen_) + " of "
          + std::to_string(options_.count) + " events");
      exit_code_ = exit_failed;
    }
    client_.stop();
  }

  sub_options& options_;
  net::client client_;
  net::asio::steady_timer timer_;
  net::asio::signal_set signals_;
  std::string line_;
  size_t seen_ = 0;
  bool flush_posted_ = false;
  int exit_code_ = exit_ok;
};

} // namespace

void add_sub_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "sub", "Print the events of topics and patterns, a JSON line each");
  auto options = std::make_shared<sub_options>();
  auto& x = *options;
  auto count = count_setting("count", "End after so many events", x.count, 1,
                             1'000'000'000);
  count.standard = "none";
  x.server.add(std::move(count));
  auto timeout = duration_setting(
    "timeout", "End after this time; exit code 1 if --count is not reached",
    x.timeout, 1ms, 24h * 365);
  timeout.standard = "none";
  x.server.add(std::move(timeout));
  x.server.add(switch_setting("no-reconnect", "End when the connection is lost",
                              x.reconnect, false));
  x.server.add(text_setting("group", "NAME",
                            "Share the events with the other members of this "
                            "group; 1 to 64 bytes",
                            x.member.group));
  x.server.add(switch_setting("ack",
                              "Confirm each event of the group, so that "
                              "another member gets what is not printed",
                              x.member.ack));
  x.server.add_to(*command);
  command->add_option("TOPIC", x.topics, "Topics, or patterns with + and #")
    ->required();
  command->add_flag("-v,--verbose", x.verbose,
                    "Tell on standard error when a subscription stands");
  command->callback([options, &exit_code] {
    auto client_options = options->server.resolve();
    client_options.reconnect = options->reconnect;
    if (options->member.group.size() > group_name_bytes_max)
      throw CLI::ValidationError{"--group", "is longer than 64 bytes"};
    if (options->member.ack && options->member.group.empty())
      throw CLI::ValidationError{"--ack", "is for --group"};
    exit_code = subscriber{*options, std::move(client_options)}.run();
  });
}

} // namespace callboard::cmd
