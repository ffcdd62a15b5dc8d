#include <callboard/net/token_files.hpp>

#include <fstream>

#include <sys/stat.h>

#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

caf::error wrong(const std::string& path, const std::string& sentence) {
  return caf::make_error(caf::sec::invalid_argument, path + ": " + sentence);
}

} // namespace

token_files::token_files(std::string key_file, std::string jwks_file,
                         observer told)
  : told_{std::move(told)} {
  if (!key_file.empty())
    files_.push_back({std::move(key_file), read_token_keys, {}, {}});
  if (!jwks_file.empty())
    files_.push_back({std::move(jwks_file), read_jwks, {}, {}});
}

caf::error token_files::load() {
  std::lock_guard guard{mutex_};
  for (auto& x : files_)
    if (auto failed = read(x))
      return failed;
  merge();
  return {};
}

std::shared_ptr<const token_keys>
token_files::current(std::chrono::milliseconds now) {
  std::lock_guard guard{mutex_};
  if (now < next_look_)
    return keys_;
  next_look_ = now + interval;
  auto changed = false;
  for (auto& x : files_) {
    if (stamp_of(x.path) == x.seen)
      continue;
    auto failed = read(x);
    changed |= !failed;
    told_(x.path, x.keys.size(),
          failed ? details(failed).sentence : std::string{});
  }
  if (changed)
    merge();
  return keys_;
}

caf::expected<std::function<void()>> token_files::reload() {
  std::vector<file> fresh;
  {
    std::lock_guard guard{mutex_};
    fresh = files_;
  }
  for (auto& x : fresh)
    if (auto failed = read(x))
      return failed;
  std::function<void()> commit = [this, fresh] {
    std::lock_guard guard{mutex_};
    files_ = fresh;
    merge();
  };
  return commit;
}

token_files::stamp token_files::stamp_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0)
    return {};
  return {found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec,
          static_cast<uint64_t>(found.st_size), found.st_ino};
}

caf::error token_files::read(file& x) {
  // Before its bytes: what is written meanwhile is seen the next time.
  x.seen = stamp_of(x.path);
  std::ifstream in{x.path, std::ios::binary};
  std::string text(token_file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (!in.is_open() || in.bad())
    return wrong(x.path, "It cannot be read.");
  auto keys = x.read(text);
  if (!keys)
    return wrong(x.path, details(keys.error()).sentence);
  x.keys = std::move(*keys);
  return {};
}

void token_files::merge() {
  auto all = std::make_shared<token_keys>();
  for (auto& x : files_)
    all->insert(all->end(), x.keys.begin(), x.keys.end());
  keys_ = std::move(all);
}

} // namespace callboard::net
