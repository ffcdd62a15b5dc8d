#include "job_pool.hpp"

namespace callboard::cmd {

job_pool::job_pool(size_t threads, size_t waiting_max)
  : waiting_max_{waiting_max} {
  for (size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] { work(); });
}

job_pool::~job_pool() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (auto& x : threads_)
    x.join();
}

bool job_pool::submit(std::function<void()> job) {
  {
    std::lock_guard guard{mutex_};
    if (waiting_.size() >= waiting_max_ + idle_)
      return false;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void job_pool::work() {
  std::unique_lock guard{mutex_};
  for (;;) {
    ++idle_;
    changed_.wait(guard, [this] { return stopped_ || !waiting_.empty(); });
    --idle_;
    if (stopped_)
      return;
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    job();
    job = nullptr;
    guard.lock();
  }
}

} // namespace callboard::cmd
