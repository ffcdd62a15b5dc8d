#include "text_file.hpp"

#include <array>
#include <fstream>

namespace callboard::cmd {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::string result;
  std::array<char, 4096> buffer{};
  // Unlike an iterator over its buffer, `read` does not throw on an error.
  do {
    in.read(buffer.data(), buffer.size());
    result.append(buffer.data(), static_cast<size_t>(in.gcount()));
  } while (in);
  if (in.bad() || !in.is_open())
    return std::nullopt;
  return result;
}

} // namespace callboard::cmd
