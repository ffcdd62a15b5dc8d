#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace callboard::cmd {

/// Runs jobs on a fixed number of threads; a bounded number of them may wait.
class job_pool {
public:
  job_pool(size_t threads, size_t waiting_max);

  job_pool(const job_pool&) = delete;

  job_pool& operator=(const job_pool&) = delete;

  /// Waits for the jobs that run; those that wait are dropped.
  ~job_pool();

  /// Takes a job.
  /// @returns false if too many wait.
  bool submit(std::function<void()> job);

private:
  void work();

  size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  size_t idle_ = 0;
  std::vector<std::thread> threads_;
};

} // namespace callboard::cmd
