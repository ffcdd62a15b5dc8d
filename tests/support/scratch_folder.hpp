#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "support/test.hpp"

namespace callboard {

/// A folder of its own, which goes with it.
class scratch_folder {
public:
  scratch_folder() {
    auto name
      = (std::filesystem::temp_directory_path() / "callboard-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      CAF_FAIL("there is no room for a temporary folder");
    path_ = name;
  }

  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  scratch_folder(const scratch_folder&) = delete;

  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

  /// Returns the path of a file in it.
  [[nodiscard]] std::string path(const std::string& name) const {
    return path_ + '/' + name;
  }

private:
  std::string path_;
};

} // namespace callboard
