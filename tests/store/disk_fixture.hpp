#pragma once

#include <callboard/store/disk_store.hpp>

#include <fstream>
#include <string>

#include "support/faulty_vfs.hpp"
#include "support/store_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// A store in a folder, and a disk that fails when it is told to.
struct disk_fixture : disk_env {
  ~disk_fixture() override {
    stop();
    faulty_vfs::left = -1;
  }

  /// Returns the store's trouble, or "up".
  std::string state() {
    auto x = store().status();
    if (x.up)
      return x.trouble.empty() ? "up" : "up, but " + x.trouble;
    return x.trouble;
  }

  bool says(const std::string& what) {
    auto x = state();
    auto found = x.find(what) != std::string::npos;
    if (!found)
      CAF_MESSAGE("it says: " << x);
    return found;
  }

  void fill(uint64_t events) {
    load("a");
    append("a", 1, events);
    store().finish();
    stop();
  }

  void overwrite(size_t at, const std::string& bytes) {
    std::fstream out{file(), std::ios::in | std::ios::out | std::ios::binary};
    out.seekp(static_cast<std::streamoff>(at));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(out.good());
  }

  std::string content() {
    std::ifstream in{file(), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// Nothing is served, and nothing hangs.
  void check_serves_nothing() {
    CHECK_EQ(load("a"), "a failed");
    CHECK_EQ(append("a", 1, 2), "failed 2");
    CHECK_EQ(read("a", 1), "7: failed");
  }
};

} // namespace callboard
