#include <callboard/cmd/text_file.hpp>

#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include <callboard/cmd/settings.hpp>
#include <callboard/cmd/token_argument.hpp>

#include "support/scratch_folder.hpp"
#include "support/test.hpp"

using namespace callboard::cmd;

namespace {

struct fixture {
  callboard::scratch_folder folder;

  std::string write(const std::string& text) {
    auto path = folder.path("file");
    std::ofstream{path, std::ios::binary} << text;
    return path;
  }

  // Returns what is thrown.
  template <class F>
  static std::string error_of(F&& f) {
    try {
      f();
    } catch (const CLI::ValidationError& x) {
      return x.what();
    }
    return "nothing";
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a file is read as it is) {
  for (size_t size : {0, 1, 4095, 4096, 4097, 8192, 100'000}) {
    std::string text;
    for (size_t i = 0; i < size; ++i)
      text += static_cast<char>(i % 251);
    auto found = read_file(write(text));
    CAF_REQUIRE(found.has_value());
    CHECK(*found == text);
  }
}

CAF_TEST(what is no file cannot be read) {
  CHECK(!read_file(folder.path()));
  CHECK(!read_file(folder.path("none")));
}

CAF_TEST(who needs a file says so) {
  settings none{std::vector<setting>{}};
  for (auto& path : {folder.path(), folder.path("none")}) {
    CHECK_EQ(error_of([&] { std::ignore = none.apply_config_file(path); }),
             path + ": cannot be read");
    CHECK_EQ(error_of([&] { resolve_token('@' + path); }),
             "--token: " + path + " cannot be read");
  }
  CHECK_EQ(error_of([&] {
             std::ignore = none.apply_config_file(write("# nothing\n"));
           }),
           "nothing");
  CHECK_EQ(resolve_token('@' + write("t \r\n")), "t");
}

END_FIXTURE_SCOPE()
