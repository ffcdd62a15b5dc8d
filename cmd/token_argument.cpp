#include "token_argument.hpp"

#include <fstream>
#include <iterator>

#include <CLI/CLI.hpp>

namespace callboard::cmd {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::string result{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad() || !in.is_open())
    return std::nullopt;
  return result;
}

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
