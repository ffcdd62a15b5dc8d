#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <callboard/actors/limits.hpp>
#include <callboard/actors/lingering_table.hpp>
#include <callboard/actors/options.hpp>
#include <callboard/actors/token_bucket.hpp>

namespace callboard {

/// What a connection gets that is let in, or why it is not.
struct user_place {
  /// The limit that is reached; nothing: it has its place.
  std::optional<limit_kind> refused;
  /// What all connections of the user publish from; null: without a limit, or
  /// without a user.
  std::shared_ptr<shared_token_bucket> publishes;
};

/// Counts a node's connections by user and by tenant, also where nothing limits
/// them yet. The one that loops share
/// is called on their threads.
class user_register {
public:
  virtual ~user_register() = default;

  /// Takes a place for one connection more.
  /// @param user empty: it does not count towards any user.
  /// @param tenant empty: nor towards any tenant.
  /// @param now_ms steady time.
  virtual user_place
  enter(const std::string& user, const std::string& tenant, int64_t now_ms)
    = 0;

  /// Gives the place back.
  virtual void
  leave(const std::string& user, const std::string& tenant, int64_t now_ms)
    = 0;

  /// Goes by other limits from now on. Nobody loses a place.
  virtual void set_limits(const client_limits& x) = 0;

  /// Returns what the connections of a user, who has one, publish from by now;
  /// null: without a limit, or nobody has that name.
  virtual std::shared_ptr<shared_token_bucket>
  publishes_of(const std::string& user, int64_t now_ms) = 0;
};

/// A register for one thread at a time. What a user has published is remembered
/// behind the last connection, until it is made up for: to connect again brings
/// nobody a new burst.
class user_table final : public user_register {
public:
  /// Users without a connection who are remembered.
  static constexpr size_t lingering_max = 65'536;

  explicit user_table(const client_limits& limits);

  user_place enter(const std::string& user, const std::string& tenant,
                   int64_t now_ms) override;

  void leave(const std::string& user, const std::string& tenant,
             int64_t now_ms) override;

  void set_limits(const client_limits& x) override;

  std::shared_ptr<shared_token_bucket> publishes_of(const std::string& user,
                                                    int64_t now_ms) override;

  /// Returns how many users and tenants there are, those remembered included.
  [[nodiscard]] size_t users() const noexcept {
    return users_.size();
  }

  [[nodiscard]] size_t tenants() const noexcept {
    return tenants_.size();
  }

private:
  struct entry {
    size_t connections = 0;
    std::shared_ptr<shared_token_bucket> publishes;

    [[nodiscard]] bool used() const noexcept {
      return connections > 0;
    }

    [[nodiscard]] bool at_rest(int64_t now_ms) const noexcept {
      return publishes == nullptr || publishes->full(now_ms);
    }
  };

  using table = lingering_table<std::string, entry>;

  static void leave(table& from, const std::string& name, int64_t now_ms);

  size_t user_max_ = 0;
  size_t tenant_max_ = 0;
  rate_limit publishes_;
  table users_;
  table tenants_;
};

} // namespace callboard
