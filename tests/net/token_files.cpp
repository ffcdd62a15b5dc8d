#include <callboard/net/token_files.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <callboard/net/base64url.hpp>
#include <callboard/net/client_error.hpp>

#include "net/token_fixture.hpp"
#include "support/scratch_folder.hpp"
#include "support/test.hpp"

using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct fixture {
  callboard::scratch_folder folder;

  std::string path(const char* name) const {
    return folder.path(name);
  }

  // Replaces a file in one step, as an operator should.
  void write(const char* name, std::string_view text) {
    auto fresh = path("fresh");
    std::ofstream{fresh} << text;
    std::filesystem::rename(fresh, path(name));
  }

  token_files make(std::string key_file, std::string jwks_file) {
    return {std::move(key_file), std::move(jwks_file),
            [this](const std::string& file, size_t keys, std::string why) {
              told.push_back(std::filesystem::path{file}.filename().string()
                             + ' ' + std::to_string(keys) + ' '
                             + (why.starts_with(file + ": ")
                                  ? why.substr(file.size() + 2)
                                  : why));
            }};
  }

  static std::string ids(token_files& x, std::chrono::milliseconds now) {
    std::string result;
    for (auto& key : *x.current(now))
      result += key.id().empty() ? "-" : key.id();
    return result;
  }

  static std::string set(std::initializer_list<const char*> names) {
    std::string result;
    for (auto name : names)
      result += (result.empty() ? R"({"kty":"oct","kid":")"
                                : R"(,{"kty":"oct","kid":")")
                + std::string{name} + R"(","k":")" + to_base64url(secret)
                + R"("})";
    return "{\"keys\":[" + result + "]}";
  }

  std::vector<std::string> told;
};

using lines = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(token_files_tests, fixture)

CAF_TEST(the keys of both files count) {
  write("key", ec_public_pem);
  write("jwks", set({"a", "b"}));
  auto files = make(path("key"), path("jwks"));
  CHECK(!files.load());
  CHECK_EQ(ids(files, 0ms), "-ab");
  CHECK_EQ(told, lines{});
}

CAF_TEST(a file that cannot be used is named) {
  auto sentence = [](const caf::error& x) { return details(x).sentence; };
  CHECK_EQ(sentence(make(path("none"), "").load()),
           path("none") + ": It cannot be read.");
  CHECK_EQ(sentence(make("", folder.path()).load()),
           folder.path() + ": It cannot be read.");
  write("key", "short");
  CHECK_EQ(sentence(make(path("key"), "").load()),
           path("key") + ": A secret for HS256 needs 32 bytes at least.");
  write("key", std::string(300'000, 'x'));
  CHECK_EQ(sentence(make(path("key"), "").load()),
           path("key") + ": It is larger than 256 KiB.");
}

CAF_TEST(a file is read again when it is another one) {
  write("jwks", set({"a"}));
  auto files = make("", path("jwks"));
  CHECK(!files.load());
  CHECK_EQ(ids(files, 5s), "a");
  write("jwks", set({"b", "c"}));
  // Not before a second has passed.
  CHECK_EQ(ids(files, 5999ms), "a");
  CHECK_EQ(told, lines{});
  CHECK_EQ(ids(files, 6s), "bc");
  CHECK_EQ(told, lines{"jwks 2 "});
  CHECK_EQ(ids(files, 60s), "bc");
  CHECK_EQ(told.size(), 1u);
}

CAF_TEST(who has the old keys keeps them) {
  write("jwks", set({"a"}));
  auto files = make("", path("jwks"));
  CHECK(!files.load());
  auto old = files.current(0ms);
  write("jwks", set({"b"}));
  CHECK_EQ(ids(files, 2s), "b");
  CHECK_EQ(old->front().id(), "a");
}

CAF_TEST(a bad file leaves the keys and is told once) {
  write("key", ec_public_pem);
  write("jwks", set({"a"}));
  auto files = make(path("key"), path("jwks"));
  CHECK(!files.load());
  write("jwks", "{");
  CHECK_EQ(ids(files, 2s), "-a");
  CHECK_EQ(told, lines{"jwks 1 It is not a JSON object."});
  CHECK_EQ(ids(files, 4s), "-a");
  CHECK_EQ(told.size(), 1u);
  std::filesystem::remove(path("jwks"));
  CHECK_EQ(ids(files, 6s), "-a");
  CHECK_EQ(ids(files, 8s), "-a");
  CHECK_EQ(told.size(), 2u);
  CHECK_EQ(told[1], "jwks 1 It cannot be read.");
  write("jwks", set({"b"}));
  CHECK_EQ(ids(files, 10s), "-b");
  CHECK_EQ(told[2], "jwks 1 ");
}

CAF_TEST(files that are read again count when they are all well) {
  write("key", ec_public_pem);
  write("jwks", set({"a"}));
  auto files = make(path("key"), path("jwks"));
  CHECK(!files.load());
  CHECK_EQ(ids(files, 0ms), "-a");
  write("jwks", set({"b"}));
  // Not at once: somebody else may find something wrong.
  auto commit = files.reload();
  REQUIRE(static_cast<bool>(commit));
  CHECK_EQ(ids(files, 10ms), "-a");
  (*commit)();
  CHECK_EQ(ids(files, 20ms), "-b");
  CHECK_EQ(told, lines{});
  // It is not another one by now.
  CHECK_EQ(ids(files, 2s), "-b");
  CHECK_EQ(told, lines{});
}

CAF_TEST(one bad file keeps all of them from being read again) {
  write("key", ec_public_pem);
  write("jwks", set({"a"}));
  auto files = make(path("key"), path("jwks"));
  CHECK(!files.load());
  write("jwks", set({"b"}));
  write("key", "short");
  auto commit = files.reload();
  REQUIRE(!commit);
  CHECK_EQ(details(commit.error()).sentence,
           path("key") + ": A secret for HS256 needs 32 bytes at least.");
  CHECK_EQ(ids(files, 0ms), "-b");
}

CAF_TEST_FIXTURE_SCOPE_END()
