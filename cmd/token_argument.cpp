#include "token_argument.hpp"

#include <CLI/CLI.hpp>

#include "text_file.hpp"

namespace callboard::cmd {

std::string resolve_token(const std::string& given) {
  if (!given.starts_with('@'))
    return given;
  auto text = read_file(given.substr(1));
  if (!text)
    throw CLI::ValidationError{"--token", given.substr(1) + " cannot be read"};
  text->resize(text->find_last_not_of(" \t\r\n") + 1);
  return *text;
}

} // namespace callboard::cmd
