#include "commands.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <caf/sec.hpp>
#include <msgpack.hpp>

#include <callboard/net/admin_gate.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/http_get.hpp>

#include "connection.hpp"
#include "terminal.hpp"
#include "top_view.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

// For one answer.
constexpr auto answer_time = 5s;

struct top_options {
  std::string url = "http://127.0.0.1:8081/";
  std::string key_file;
  caf::timespan interval = 1s;
  bool once = false;
  std::unique_ptr<settings> table;
};

/// What asks the node.
struct node_place {
  net::url url;
  std::string key;
};

/// The error of an answer that is not 200.
struct refusal {
  std::string error;
  std::string message;

  MSGPACK_DEFINE_MAP(error, message)
};

// Returns the body of an answer of status 200.
caf::expected<std::string> ask(const node_place& node,
                               const std::string& target) {
  auto answer = net::http_get(node.url, target, node.key, answer_time);
  if (!answer)
    return std::move(answer.error());
  if (answer->status == 200)
    return std::move(answer->body);
  refusal why;
  if (auto content = payload::from_json(answer->body))
    why = content->get_as<refusal>().value_or(refusal{});
  return caf::make_error(caf::sec::runtime_error,
                         "the node answered " + std::to_string(answer->status)
                           + ' ' + why.error + ": " + why.message);
}

caf::expected<top_sample> sample(const node_place& node) {
  using namespace std::chrono;
  auto facts = ask(node, "/api/node");
  if (!facts)
    return std::move(facts.error());
  auto cluster = ask(node, "/api/cluster");
  if (!cluster)
    return std::move(cluster.error());
  auto topics = ask(node, "/api/topics?limit=1000");
  if (!topics)
    return std::move(topics.error());
  auto read_facts = read_node(*facts);
  auto read_members = read_cluster(*cluster);
  auto read_page = read_topics(*topics);
  if (!read_facts || !read_members || !read_page)
    return caf::make_error(caf::sec::runtime_error,
                           "what answers there is no admin listener");
  top_sample result;
  result.node = std::move(*read_facts);
  result.cluster = std::move(*read_members);
  result.topics = std::move(*read_page);
  result.at_ms
    = duration_cast<milliseconds>(steady_clock::now().time_since_epoch())
        .count();
  return result;
}

int fail(const caf::error& why) {
  say(net::details(why).sentence);
  return exit_failed;
}

int print_once(const node_place& node) {
  auto now = sample(node);
  if (!now)
    return fail(now.error());
  auto text = top_view(*now, nullptr, 0);
  fwrite(text.data(), 1, text.size(), stdout);
  return fflush(stdout) == 0 ? exit_ok : exit_failed;
}

// Shows the node until a signal ends the program. A node that is gone may come
// back.
int show(const node_place& node, caf::timespan interval) {
  auto before = sample(node);
  if (!before)
    return fail(before.error());
  full_screen screen;
  full_screen::show(top_view(*before, nullptr, full_screen::lines() - 1));
  for (;;) {
    std::this_thread::sleep_for(interval);
    auto now = sample(node);
    if (!now) {
      full_screen::show(net::details(now.error()).sentence + '\n');
      continue;
    }
    full_screen::show(top_view(*now, &*before, full_screen::lines() - 1));
    before = std::move(now);
  }
}

int run_top(const top_options& options) {
  auto where = net::parse_url(options.url);
  if (!where)
    throw CLI::ValidationError{"--admin", net::details(where.error()).sentence};
  if (where->encrypted)
    throw CLI::ValidationError{"--admin",
                               "an admin listener speaks http, without TLS"};
  node_place node{std::move(*where), {}};
  if (!options.key_file.empty()) {
    auto key = net::read_admin_key(options.key_file);
    if (!key)
      return fail(key.error());
    node.key = std::move(*key);
  }
  if (options.once || !has_terminal())
    return print_once(node);
  return show(node, options.interval);
}

} // namespace

void add_top_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "top", "Show what a node does, by what its admin listener tells");
  auto options = std::make_shared<top_options>();
  auto& x = *options;
  x.table = std::make_unique<settings>(std::vector<setting>{
    text_setting("admin", "URL", "The node's admin listener", x.url),
    text_setting("key-file", "FILE", "File with its key, where it asks for one",
                 x.key_file),
    duration_setting("interval", "Time from one look to the next", x.interval,
                     100ms, 1h),
    switch_setting("once",
                   "Print one table and end, as it does where standard output "
                   "is no terminal",
                   x.once),
  });
  x.table->add_to(*command);
  command->footer("Ctrl-C ends it.\n"
                  "Exit codes: 0 done; 1 the node does not answer, or refuses; "
                  "2 wrong usage.");
  command->callback([options, &exit_code] {
    options->table->apply_flags();
    exit_code = run_top(*options);
  });
}

} // namespace callboard::cmd
