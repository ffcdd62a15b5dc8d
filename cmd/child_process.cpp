#include "child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace callboard::cmd {

namespace {

using clock = std::chrono::steady_clock;

// What is kept of standard error, to find its last line in.
constexpr size_t complaint_bytes_max = 4096;

class file {
public:
  explicit file(int fd = -1) : fd_{fd} {
  }

  file(file&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
  }

  file& operator=(file&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  ~file() {
    reset();
  }

  void reset() {
    if (fd_ >= 0)
      close(std::exchange(fd_, -1));
  }

  int get() const {
    return fd_;
  }

  bool is_open() const {
    return fd_ >= 0;
  }

private:
  int fd_;
};

struct pipe_ends {
  file read;
  file write;
};

// Makes a pipe; `ours` says which end must not block.
bool open_pipe(pipe_ends& x, bool ours_is_write) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0)
    return false;
  x.read = file{fds[0]};
  x.write = file{fds[1]};
  auto ours = ours_is_write ? fds[1] : fds[0];
  return fcntl(ours, F_SETFL, O_NONBLOCK) == 0;
}

// Returns this process's environment with `extra` over it.
std::vector<char*> merge_environment(const std::vector<std::string>& extra) {
  std::vector<char*> result;
  auto name_of = [](std::string_view x) { return x.substr(0, x.find('=')); };
  for (auto i = environ; *i != nullptr; ++i) {
    auto name = name_of(*i);
    auto is_same = [&](auto& x) { return name_of(x) == name; };
    // The token lets its holder in; commands have no need of it.
    if (name != "CALLBOARD_TOKEN"
        && std::none_of(extra.begin(), extra.end(), is_same))
      result.push_back(*i);
  }
  for (auto& x : extra)
    result.push_back(const_cast<char*>(x.c_str()));
  result.push_back(nullptr);
  return result;
}

// Appends what `from` has to `to`. Returns false at the end.
bool read_some(int from, std::string& to) {
  char bytes[16 * 1024];
  for (;;) {
    auto n = read(from, bytes, sizeof(bytes));
    if (n > 0) {
      to.append(bytes, static_cast<size_t>(n));
      return true;
    }
    if (n == 0 || errno != EINTR)
      return n < 0 && errno == EAGAIN;
  }
}

std::string last_line(std::string_view text) {
  auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos)
    return {};
  text = text.substr(0, end + 1);
  auto begin = text.rfind('\n');
  return std::string{text.substr(begin + 1)};
}

// Returns a descriptor that is readable once the process ended. By number,
// because the C library's header for it does not link from C++ everywhere.
int open_process(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

int spawn(const child_options& options, int in, int out, int err, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  // Our sockets, whose connections would outlive us in the child.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults, mask;
  sigemptyset(&mask);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF
                                          | POSIX_SPAWN_SETSIGMASK
                                          | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> words;
  for (auto& word : options.words)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  auto environment = merge_environment(options.environment);
  auto result = posix_spawnp(&pid, words[0], &actions, &attributes,
                             words.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return result;
}

} // namespace

child_result run_child(const child_options& options) {
  using end = child_result::end;
  child_result result;
  pipe_ends in, out, err;
  pid_t pid = 0;
  if (!open_pipe(in, true) || !open_pipe(out, false) || !open_pipe(err, false))
    result.number = errno;
  else
    result.number = spawn(options, in.read.get(), out.write.get(),
                          err.write.get(), pid);
  if (result.number != 0)
    return result;
  file process{open_process(pid)};
  in.read.reset();
  out.write.reset();
  err.write.reset();
  result.how = end::exited;
  std::string complaint;
  std::string_view input{options.input};
  auto deadline
    = clock::now()
      + std::chrono::duration_cast<clock::duration>(options.timeout);
  for (bool running = true; running && result.how == end::exited;) {
    if (input.empty())
      in.write.reset();
    // A descriptor of -1 is passed over.
    pollfd fds[] = {{process.get(), POLLIN, 0},
                    {options.stop_fd, POLLIN, 0},
                    {in.write.get(), POLLOUT, 0},
                    {out.read.get(), POLLIN, 0},
                    {err.read.get(), POLLIN, 0}};
    using std::chrono::milliseconds;
    auto left = std::chrono::ceil<milliseconds>(deadline - clock::now());
    auto n
      = poll(fds, std::size(fds),
             static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000)));
    if (n < 0 && errno != EINTR)
      result.how = end::stopped;
    if (n <= 0) {
      if (left.count() <= 0)
        result.how = end::timeout;
      continue;
    }
    if (fds[1].revents != 0)
      result.how = end::stopped;
    // What it had printed before it ended is read below, once more.
    running = fds[0].revents == 0;
    if (fds[2].revents != 0) {
      auto sent = write(in.write.get(), input.data(), input.size());
      if (sent > 0)
        input.remove_prefix(static_cast<size_t>(sent));
      else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        input = {};
    }
    // Without a descriptor for the process, its streams tell that it ended.
    if (!process.is_open())
      running = out.read.is_open() || err.read.is_open();
    if (fds[3].revents != 0 && !read_some(out.read.get(), result.output))
      out.read.reset();
    if (fds[4].revents != 0 && !read_some(err.read.get(), complaint))
      err.read.reset();
    if (complaint.size() > 2 * complaint_bytes_max)
      complaint.erase(0, complaint.size() - complaint_bytes_max);
    if (result.output.size() > options.output_bytes_max)
      result.how = end::too_much_output;
  }
  // Whoever of its group is left goes with it.
  kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  auto drain = [](file& from, std::string& to, size_t bytes_max) {
    size_t before = 0;
    do {
      before = to.size();
    } while (from.is_open() && to.size() <= bytes_max
             && read_some(from.get(), to) && to.size() > before);
  };
  if (result.how == end::exited) {
    drain(out.read, result.output, options.output_bytes_max);
    if (result.output.size() > options.output_bytes_max)
      result.how = end::too_much_output;
  }
  drain(err.read, complaint, 4 * complaint_bytes_max);
  result.complaint = last_line(complaint);
  if (result.how == end::exited && WIFSIGNALED(status)) {
    result.how = end::killed_by_signal;
    result.number = WTERMSIG(status);
  } else if (result.how == end::exited) {
    result.number = WEXITSTATUS(status);
  }
  return result;
}

} // namespace callboard::cmd
