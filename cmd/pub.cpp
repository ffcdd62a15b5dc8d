#include "commands.hpp"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include <unistd.h>

#include "connection.hpp"
#include "json_text.hpp"
#include "line_reader.hpp"

namespace callboard::cmd {

namespace {

// Publications that wait here at once; the client sends as many of them as
// the server's `inflightMax` allows.
constexpr size_t window = 1024;

// Longest line of standard input; the server's bound counts in the end.
constexpr size_t line_bytes_max = 64 * 1024 * 1024;

struct pub_options {
  connection server;
  std::string topic;
  std::string text;
  net::publish_options publish;
  bool verbose = false;
};

/// Publishes what it is given and waits for each acknowledgement.
class publisher {
public:
  publisher(const pub_options& options, net::client_options client_options)
    : options_{options},
      client_{std::move(client_options)},
      input_{STDIN_FILENO, line_bytes_max} {
  }

  int publish_one(payload x) {
    take_slot();
    publish(std::move(x), "");
    client_.post([this] { finished_ = true; });
    return run();
  }

  int publish_lines() {
    std::thread reader{[this] { read_lines(); }};
    auto result = run();
    {
      std::lock_guard guard{mutex_};
      stopped_ = true;
    }
    freed_.notify_one();
    input_.stop();
    reader.join();
    return result;
  }

private:
  int run() {
    client_.start();
    auto why = client_.run();
    fflush(stdout);
    if (!why)
      return failures_ == 0 ? exit_ok : exit_failed;
    print_error(why);
    if (failures_ + acknowledged_ > 1)
      say(std::to_string(acknowledged_) + " publications were accepted");
    return exit_failed;
  }

  // Runs on the reader's thread.
  void read_lines() {
    std::string line;
    for (size_t number = 1;; ++number) {
      auto where = "line " + std::to_string(number) + ": ";
      switch (input_.next(line)) {
        case line_reader::result::line:
          if (line.find_first_not_of(" \t\r") == std::string::npos)
            break;
          if (auto x = payload::from_json(line)) {
            if (!take_slot())
              return;
            client_.post([this, where, x = std::move(*x)]() mutable {
              publish(std::move(x), where);
            });
          } else {
            reject(where + "this is not JSON");
          }
          break;
        case line_reader::result::too_long:
          reject(where + "this is longer than 64MiB");
          break;
        case line_reader::result::failed:
          reject("standard input cannot be read");
          [[fallthrough]];
        case line_reader::result::end:
          client_.post([this] {
            finished_ = true;
            stop_when_done();
          });
          return;
      }
    }
  }

  void reject(std::string sentence) {
    client_.post([this, sentence = std::move(sentence)] {
      ++failures_;
      say(sentence);
    });
  }

  // Waits until one more may be on its way; false: it is over.
  bool take_slot() {
    std::unique_lock guard{mutex_};
    freed_.wait(guard, [this] { return stopped_ || taken_ < window; });
    ++taken_;
    return !stopped_;
  }

  void free_slot() {
    {
      std::lock_guard guard{mutex_};
      --taken_;
    }
    freed_.notify_one();
  }

  void publish(payload x, const std::string& where) {
    ++waiting_;
    client_.publish(options_.topic, std::move(x), options_.publish,
                    [this, where](caf::expected<net::position> at) {
                      --waiting_;
                      on_answer(at, where);
                      free_slot();
                      stop_when_done();
                    });
  }

  void on_answer(const caf::expected<net::position>& at,
                 const std::string& where) {
    if (!at) {
      ++failures_;
      // Why the whole client ended is told once, by `run`.
      if (client_.state() == net::client_state::disconnected)
        return;
      if (!where.empty())
        fputs(where.c_str(), stderr);
      print_error(at.error());
      return;
    }
    ++acknowledged_;
    if (!options_.verbose)
      return;
    std::string line{"{\"epoch\":"};
    append_json(line, at->epoch);
    line += ",\"offset\":" + std::to_string(at->offset) + '}';
    puts(line.c_str());
  }

  void stop_when_done() {
    if (finished_ && waiting_ == 0)
      client_.stop();
  }

  const pub_options& options_;
  net::client client_;
  line_reader input_;
  size_t waiting_ = 0;
  size_t acknowledged_ = 0;
  size_t failures_ = 0;
  // Nothing comes any more.
  bool finished_ = false;
  // Shared with the reader's thread.
  std::mutex mutex_;
  std::condition_variable freed_;
  size_t taken_ = 0;
  bool stopped_ = false;
};

} // namespace

void add_pub_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "pub", "Publish to a topic, and wait until it is accepted");
  auto options = std::make_shared<pub_options>();
  auto& x = *options;
  x.server.add(text_setting("id", "ID",
                            "1 to 64 bytes; the server accepts the same id "
                            "once within 5 minutes",
                            x.publish.id));
  x.server.add(text_setting("key", "KEY",
                            "1 to 64 bytes; groups give events with the same "
                            "key to the same member, one after the other",
                            x.publish.key));
  x.server.add_to(*command);
  command->add_option("TOPIC", x.topic, "Where to publish")->required();
  command
    ->add_option("PAYLOAD", x.text,
                 "JSON, or - for standard input: a line a message")
    ->required();
  command->add_flag("-v,--verbose", x.verbose,
                    "Print the position of each publication as a JSON line");
  command->callback([options, &exit_code] {
    auto client_options = options->server.resolve();
    client_options.reconnect = false;
    auto from_input = options->text == "-";
    if (from_input && !options->publish.id.empty())
      throw CLI::ValidationError{"--id", "is for one message, not for -"};
    if (options->publish.id.size() > publication_id_bytes_max)
      throw CLI::ValidationError{"--id", "is longer than 64 bytes"};
    if (options->publish.key.size() > publication_key_bytes_max)
      throw CLI::ValidationError{"--key", "is longer than 64 bytes"};
    auto one = from_input ? payload{} : payload_argument(options->text);
    publisher publisher{*options, std::move(client_options)};
    exit_code = from_input ? publisher.publish_lines()
                           : publisher.publish_one(std::move(one));
  });
}

} // namespace callboard::cmd
