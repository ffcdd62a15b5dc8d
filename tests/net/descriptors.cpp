#include <callboard/net/descriptors.hpp>

#include <cstdint>
#include <fstream>
#include <string>

#include <sys/resource.h>

#include "support/test.hpp"

using namespace callboard::net;

namespace {

/// Returns how many descriptors the kernel's table has room for.
size_t table_size() {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  size_t result = 0;
  while (status >> word)
    if (word == "FDSize:")
      status >> result;
  return result;
}

/// Lets the process have `n` descriptors and no more, as long as it lives.
class limit {
public:
  explicit limit(rlim_t n) {
    getrlimit(RLIMIT_NOFILE, &before_);
    auto now = before_;
    now.rlim_cur = n;
    setrlimit(RLIMIT_NOFILE, &now);
  }

  ~limit() {
    setrlimit(RLIMIT_NOFILE, &before_);
  }

private:
  rlimit before_;
};

} // namespace

CAF_TEST(nothing is reserved for nobody) {
  auto before = table_size();
  reserve_descriptors(0);
  CAF_CHECK_EQUAL(table_size(), before);
}

CAF_TEST(room is made and nothing stays open) {
  auto before = open_descriptors();
  auto wanted = 2 * table_size();
  limit enough{wanted};
  reserve_descriptors(wanted);
  CAF_CHECK(table_size() >= wanted);
  CAF_CHECK(open_descriptors() == before);
}

CAF_TEST(no more than the limit) {
  auto most = 2 * table_size();
  limit some{most};
  reserve_descriptors(SIZE_MAX);
  CAF_CHECK_EQUAL(table_size(), most);
}
