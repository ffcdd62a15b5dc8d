#include <callboard/net/user_limits.hpp>

#include <mutex>

namespace callboard::net {

namespace {

/// A `user_table` with a lock, which is held when a connection comes or goes.
class shared_user_table final : public user_register {
public:
  explicit shared_user_table(const client_limits& limits) : table_{limits} {
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

  void set_limits(const client_limits& x) override {
    std::lock_guard lock{mutex_};
    table_.set_limits(x);
  }

  std::shared_ptr<shared_token_bucket> publishes_of(const std::string& user,
                                                    int64_t now_ms) override {
    std::lock_guard lock{mutex_};
    return table_.publishes_of(user, now_ms);
  }

private:
  std::mutex mutex_;
  user_table table_;
};

} // namespace

std::shared_ptr<user_register> make_user_register(const client_limits& x) {
  return std::make_shared<shared_user_table>(x);
}

} // namespace callboard::net
