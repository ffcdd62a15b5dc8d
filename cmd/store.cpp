#include "commands.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>
#include <callboard/store/maintenance.hpp>

#include "connection.hpp"
#include "json_text.hpp"
#include "units.hpp"

namespace callboard::cmd {

namespace {

struct store_options {
  std::string folder;
  std::string file;
  std::string pattern;
  bool groups = false;
};

// Returns the file that a command is about.
std::string file_of(const store_options& x) {
  return x.file.empty() ? store_file_of(x.folder) : x.file;
}

int check(const store_options& x) {
  auto found = check_store_file(file_of(x));
  for (auto& problem : found.problems)
    say(problem);
  if (found.problems.size() == store_findings::problems_max)
    say("there may be more");
  if (!found.problems.empty())
    return exit_failed;
  auto groups = found.groups == 0
                  ? std::string{}
                  : ", places of " + std::to_string(found.groups) + " groups";
  printf("well: %llu events in %llu topics%s, %s\n",
         static_cast<unsigned long long>(found.events),
         static_cast<unsigned long long>(found.topics), groups.c_str(),
         format_size(static_cast<size_t>(found.bytes)).c_str());
  return exit_ok;
}

int compact(const store_options& x) {
  auto result = compact_store(x.folder);
  printf("%s before, %s after\n",
         format_size(static_cast<size_t>(result.bytes_before)).c_str(),
         format_size(static_cast<size_t>(result.bytes_after)).c_str());
  return exit_ok;
}

// Appends a member of a JSON object, unless it is empty.
void append_member(std::string& line, std::string_view name,
                   const std::string& value) {
  if (value.empty())
    return;
  line += ",\"";
  line += name;
  line += "\":";
  append_json(line, value);
}

// Returns whether all that was printed went out.
bool printed() {
  auto result = fflush(stdout) == 0 && ferror(stdout) == 0;
  if (!result)
    say("standard output takes no more");
  return result;
}

int export_places(const store_options& x) {
  std::string line;
  export_store_places(file_of(x), x.pattern, [&line](const saved_place& place) {
    auto& where = place.where;
    line = "{\"topic\":";
    append_json(line, place.topic);
    line += ",\"epoch\":";
    append_json(line, place.epoch);
    line += ",\"group\":";
    append_json(line, where.group);
    line += ",\"place\":" + std::to_string(where.place)
            + ",\"reach\":" + std::to_string(where.reach) + ",\"open\":[";
    for (auto& event : where.open)
      line += (line.back() == '[' ? "" : ",") + std::to_string(event.offset);
    line += "]}\n";
    fwrite(line.data(), 1, line.size(), stdout);
  });
  return printed() ? exit_ok : exit_failed;
}

int export_events(const store_options& x) {
  if (x.groups)
    return export_places(x);
  std::string line;
  export_store_file(file_of(x), x.pattern, [&line](const publication& event) {
    line = "{\"topic\":";
    append_json(line, event.topic);
    line += ",\"epoch\":";
    append_json(line, event.epoch);
    line += ",\"offset\":" + std::to_string(event.offset) + ",\"timestamp\":"
            + std::to_string(event.timestamp) + ",\"sender\":";
    append_json(line, event.sender);
    append_member(line, "id", event.id);
    append_member(line, "trace", event.trace);
    append_member(line, "key", event.key);
    append_member(line, "origin", event.origin);
    if (event.attempts > 0)
      line += ",\"attempt\":" + std::to_string(event.attempts);
    line += ",\"payload\":";
    append_json(line, event.payload.view());
    line += "}\n";
    fwrite(line.data(), 1, line.size(), stdout);
  });
  return printed() ? exit_ok : exit_failed;
}

int back_up(const store_options& x) {
  auto bytes = back_up_store_file(store_file_of(x.folder), x.file);
  printf("%s, %s\n", x.file.c_str(),
         format_size(static_cast<size_t>(bytes)).c_str());
  return exit_ok;
}

// Takes the folder from the environment, if it is not among the words.
void resolve(store_options& x, bool needs_folder) {
  if (auto* from_env = getenv("CALLBOARD_STORE_DIR");
      x.folder.empty() && from_env != nullptr)
    x.folder = from_env;
  if (needs_folder && x.folder.empty())
    throw CLI::ValidationError{
      "store", "which store? Set --store-dir PATH, or CALLBOARD_STORE_DIR"};
  if (auto wrong = x.pattern.empty()
                     ? subject_error::none
                     : check_full_name(true, x.pattern, check_pattern);
      wrong != subject_error::none && wrong != subject_error::reserved)
    throw CLI::ValidationError{"--topic", std::string{to_sentence(wrong)}};
}

} // namespace

void add_store_command(CLI::App& app, int& exit_code) {
  auto store = app.add_subcommand(
    "store", "Look after the store that `serve --store-dir` keeps");
  store->require_subcommand(1);
  store->footer("Exit codes: 0 done, and well; 1 failed, or not well; 2 wrong "
                "usage.");
  auto add = [store, &exit_code](const char* name, const char* help,
                                 int (*run)(const store_options&)) {
    auto x = std::make_shared<store_options>();
    auto command = store->add_subcommand(name, help);
    command
      ->add_option("--store-dir", x->folder,
                   "The store's folder (or set CALLBOARD_STORE_DIR)")
      ->type_name("PATH");
    command->callback([x, run, &exit_code] {
      resolve(*x, run == compact || run == back_up || x->file.empty());
      exit_code = run(*x);
    });
    return std::pair{command, x};
  };
  auto [check_command, check_x]
    = add("check", "Read all of it, and tell what is wrong", check);
  check_command->add_option("FILE", check_x->file,
                            "A copy to check in place of the store");
  add("compact", "Give unused room back to the disk; the node must not run",
      compact);
  auto [export_command, export_x]
    = add("export", "Print the events, a JSON line each", export_events);
  export_command->add_option("FILE", export_x->file,
                             "A copy to read in place of the store");
  export_command
    ->add_option("--topic", export_x->pattern,
                 "Only of topics that match this topic or pattern")
    ->type_name("PATTERN");
  export_command->add_flag("--groups", export_x->groups,
                           "Not the events, but where groups stand");
  auto [backup_command, backup_x]
    = add("backup", "Copy it to a file while the node runs or not", back_up);
  backup_command
    ->add_option("FILE", backup_x->file, "A file that does not exist yet")
    ->required();
}

} // namespace callboard::cmd
