// Runs a fuzz target without libFuzzer: `fuzz_NAME CORPUS RUNS`. Every file of
// the corpus first, then RUNS mutations of them. The same seed each time, so
// that a failure is found again; the input at fault is printed.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <signal.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using bytes = std::vector<uint8_t>;

constexpr size_t input_bytes_max = 4096;

const bytes* current = nullptr;

/// Prints the input that a target died of; only calls what a signal handler
/// may.
void print_current() {
  static const char digits[] = "0123456789abcdef";
  static const char title[] = "\nthe input in hex: ";
  auto put = [](const char* data, size_t size) {
    [[maybe_unused]] auto res = write(STDERR_FILENO, data, size);
  };
  if (current == nullptr)
    return;
  put(title, sizeof(title) - 1);
  for (auto x : *current) {
    const char pair[] = {digits[x >> 4], digits[x & 15]};
    put(pair, 2);
  }
  put("\n", 1);
}

void on_signal(int signum) {
  print_current();
  signal(signum, SIG_DFL);
  raise(signum);
}

void run(const bytes& input) {
  // A copy of the exact size, so that a sanitizer sees a read past its end.
  auto copy = input;
  copy.shrink_to_fit();
  current = &input;
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  current = nullptr;
}

class mutator {
public:
  explicit mutator(const std::vector<bytes>& corpus) : corpus_(corpus) {
    // nop
  }

  bytes next() {
    auto result = corpus_[below(corpus_.size())];
    for (auto n = below(6) + 1; n > 0; --n)
      change(result);
    if (result.size() > input_bytes_max)
      result.resize(input_bytes_max);
    return result;
  }

private:
  size_t below(size_t bound) {
    return rng_() % bound;
  }

  void change(bytes& xs) {
    auto at = below(xs.size() + 1);
    auto pos = xs.begin() + static_cast<ptrdiff_t>(at);
    switch (below(xs.empty() ? 2 : 6)) {
      case 0: // insert one byte
        xs.insert(pos, static_cast<uint8_t>(below(256)));
        break;
      case 1: { // insert a piece of another input
        auto& other = corpus_[below(corpus_.size())];
        auto from = below(other.size() + 1);
        auto size = below(other.size() - from + 1);
        auto first = other.begin() + static_cast<ptrdiff_t>(from);
        xs.insert(pos, first, first + static_cast<ptrdiff_t>(size));
        break;
      }
      case 2: // truncate
        xs.resize(at);
        break;
      case 3: // flip one bit
        xs[at % xs.size()] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 4: { // an interesting byte
        constexpr uint8_t values[] = {0x00, 0x7f, 0x80, 0xc0, 0xdf, 0xff};
        xs[at % xs.size()] = values[below(std::size(values))];
        break;
      }
      default: { // erase a range
        auto size = below(xs.size() - at + 1);
        xs.erase(pos, pos + static_cast<ptrdiff_t>(size));
      }
    }
  }

  const std::vector<bytes>& corpus_;
  std::mt19937_64 rng_{1};
};

std::vector<bytes> read_corpus(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.is_regular_file())
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<bytes> result;
  for (auto& path : paths) {
    std::ifstream in{path, std::ios::binary};
    std::istreambuf_iterator<char> first{in}, last;
    result.emplace_back(first, last);
  }
  return result;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3 || !std::filesystem::is_directory(argv[1])) {
    std::cerr << "usage: " << argv[0] << " CORPUS RUNS\n";
    return 2;
  }
  auto corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::cerr << argv[1] << " holds no input to start from\n";
    return 2;
  }
  for (auto signum : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
    signal(signum, on_signal);
  run({});
  for (auto& input : corpus)
    run(input);
  auto runs = std::strtoul(argv[2], nullptr, 10);
  mutator inputs{corpus};
  for (unsigned long i = 0; i < runs; ++i)
    run(inputs.next());
  std::cout << corpus.size() << " inputs and " << runs << " mutations\n";
  return 0;
}
