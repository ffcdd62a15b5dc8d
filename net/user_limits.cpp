#include <callboard/net/user_limits.hpp>

#include <mutex>

namespace callboard::net {

namespace {

/// A `user_table` with a lock, which is held when a connection comes or goes.
class shared_user_table final : public user_register {
public:
  explicit shared_user_table(const node_options& options) : table_{options} {
  }

  user_place enter(const std::string& user, const std::string& tenant,
                   int64_t now_ms) override {
    std::lock_guard lock{mutex_};
    return table_.enter(user, tenant, now_ms);
  }

  void leave(const std::string& user, const std::string& tenant,
             int64_t now_ms) override {
    std::lock_guard lock{mutex_};
    table_.leave(user, tenant, now_ms);
  }

private:
  std::mutex mutex_;
  user_table table_;
};

} // namespace

std::shared_ptr<user_register> make_user_register(const node_options& options) {
  if (!user_table::is_needed(options))
    return nullptr;
  return std::make_shared<shared_user_table>(options);
}

} // namespace callboard::net
