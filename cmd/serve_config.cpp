#include "serve_config.hpp"

#include <cstdlib>
#include <vector>

#include "action_sections.hpp"
#include "cluster_settings.hpp"
#include "topic_sections.hpp"

namespace callboard::cmd {

serve_config::serve_config() : table_{serve_settings(options_)} {
}

void serve_config::add_to(CLI::App& command) {
  command
    .add_option("--config", file_flag_,
                "File with a NAME = VALUE a line, named like the options "
                "below\n(without dashes in front; or set CALLBOARD_CONFIG)")
    ->type_name("FILE");
  table_.add_to(command);
}

serve_options serve_config::read() {
  // What was set the last time and is not any more has its default again.
  options_ = {};
  auto name = file();
  std::vector<config_section> sections;
  if (!name.empty())
    sections = table_.apply_config_file(name);
  return complete(sections, name);
}

serve_options serve_config::read_text(std::string_view text,
                                      const std::string& file) {
  options_ = {};
  return complete(table_.apply_config(text, file), file);
}

serve_options
serve_config::complete(const std::vector<config_section>& sections,
                       const std::string& file) {
  options_.server.node.topics = topic_rules(sections, file);
  options_.server.node.action_rules = action_rules(sections, file);
  table_.apply_environment(
    [](const std::string& x) { return getenv(x.c_str()); });
  table_.apply_flags();
  if (options_.server.store_dir.empty() && needs_store(options_.server))
    if (auto wrong = check_durability(sections, file); !wrong.empty())
      throw CLI::ValidationError{"settings", wrong};
  if (options_.server.cluster.enabled())
    if (auto wrong = check_clustered(sections, file, options_.server.cluster);
        !wrong.empty())
      throw CLI::ValidationError{"settings", wrong};
  if (auto wrong = check(options_); !wrong.empty())
    throw CLI::ValidationError{"settings", wrong};
  return options_;
}

std::string serve_config::file() const {
  auto from_env = getenv("CALLBOARD_CONFIG");
  if (!file_flag_.empty() || from_env == nullptr)
    return file_flag_;
  return from_env;
}

} // namespace callboard::cmd
