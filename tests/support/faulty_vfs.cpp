#include "support/faulty_vfs.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <vector>

#include <sqlite3.h>

namespace callboard {

namespace {

std::atomic<bool> failed = false;

/// A file of ours, with SQLite's own behind it in the same memory.
struct faulty_file {
  sqlite3_file base;
  // Null for a temporary file.
  const char* name;

  sqlite3_file* real() noexcept {
    return reinterpret_cast<sqlite3_file*>(this + 1);
  }
};

sqlite3_file* real(sqlite3_file* x) noexcept {
  return reinterpret_cast<faulty_file*>(x)->real();
}

/// What a write, or a truncation, has overwritten.
struct lost_bytes {
  sqlite3_int64 at;
  std::string bytes;
  sqlite3_int64 file_size;
};

std::mutex unsynced_mutex;

// By file, what the disk may still have in place of what was written.
std::map<std::string, std::vector<lost_bytes>> unsynced;

// Notes what a change of `n` bytes at `at` is about to overwrite.
void note_change(sqlite3_file* x, sqlite3_int64 at, sqlite3_int64 n) {
  auto* name = reinterpret_cast<faulty_file*>(x)->name;
  if (name == nullptr)
    return;
  lost_bytes lost{at, {}, 0};
  real(x)->pMethods->xFileSize(real(x), &lost.file_size);
  if (at < lost.file_size) {
    lost.bytes.resize(static_cast<size_t>(std::min(n, lost.file_size - at)));
    real(x)->pMethods->xRead(real(x), lost.bytes.data(),
                             static_cast<int>(lost.bytes.size()), at);
  }
  std::lock_guard guard{unsynced_mutex};
  unsynced[name].push_back(std::move(lost));
}

void note_sync(sqlite3_file* x) {
  auto* name = reinterpret_cast<faulty_file*>(x)->name;
  std::lock_guard guard{unsynced_mutex};
  if (name != nullptr)
    unsynced.erase(name);
}

// Takes back what was written to a file since its last sync.
void undo(const std::string& name, std::string& content) {
  std::lock_guard guard{unsynced_mutex};
  auto& changes = unsynced[name];
  for (auto i = changes.rbegin(); i != changes.rend(); ++i) {
    content.resize(static_cast<size_t>(i->file_size));
    content.replace(static_cast<size_t>(i->at), i->bytes.size(), i->bytes);
  }
}

// Returns what to fail with; SQLITE_OK: not.
int fault() noexcept {
  auto left = faulty_vfs::left.load();
  if (left < 0)
    return SQLITE_OK;
  if (left > 0) {
    --faulty_vfs::left;
    return SQLITE_OK;
  }
  failed = true;
  return faulty_vfs::code;
}

// -- methods of files ---------------------------------------------------------

int close_file(sqlite3_file* x) {
  return real(x)->pMethods->xClose(real(x));
}

int read_file(sqlite3_file* x, void* to, int n, sqlite3_int64 at) {
  return real(x)->pMethods->xRead(real(x), to, n, at);
}

int write_file(sqlite3_file* x, const void* from, int n, sqlite3_int64 at) {
  auto code = fault();
  if (code != SQLITE_OK)
    return code;
  note_change(x, at, n);
  return real(x)->pMethods->xWrite(real(x), from, n, at);
}

int truncate_file(sqlite3_file* x, sqlite3_int64 size) {
  auto code = fault();
  if (code != SQLITE_OK)
    return code;
  sqlite3_int64 before = 0;
  real(x)->pMethods->xFileSize(real(x), &before);
  note_change(x, size, before - size);
  return real(x)->pMethods->xTruncate(real(x), size);
}

int sync_file(sqlite3_file* x, int flags) {
  auto code = fault();
  if (code != SQLITE_OK)
    return code;
  code = real(x)->pMethods->xSync(real(x), flags);
  if (code == SQLITE_OK)
    note_sync(x);
  return code;
}

int file_size(sqlite3_file* x, sqlite3_int64* size) {
  return real(x)->pMethods->xFileSize(real(x), size);
}

int lock_file(sqlite3_file* x, int how) {
  return real(x)->pMethods->xLock(real(x), how);
}

int unlock_file(sqlite3_file* x, int how) {
  return real(x)->pMethods->xUnlock(real(x), how);
}

int check_lock(sqlite3_file* x, int* result) {
  return real(x)->pMethods->xCheckReservedLock(real(x), result);
}

int control_file(sqlite3_file* x, int what, void* argument) {
  return real(x)->pMethods->xFileControl(real(x), what, argument);
}

int sector_size(sqlite3_file* x) {
  return real(x)->pMethods->xSectorSize(real(x));
}

int characteristics(sqlite3_file* x) {
  return real(x)->pMethods->xDeviceCharacteristics(real(x));
}

int map_memory(sqlite3_file* x, int page, int size, int extend,
               void volatile** out) {
  return real(x)->pMethods->xShmMap(real(x), page, size, extend, out);
}

int lock_memory(sqlite3_file* x, int offset, int n, int flags) {
  return real(x)->pMethods->xShmLock(real(x), offset, n, flags);
}

void memory_barrier(sqlite3_file* x) {
  real(x)->pMethods->xShmBarrier(real(x));
}

int unmap_memory(sqlite3_file* x, int remove) {
  return real(x)->pMethods->xShmUnmap(real(x), remove);
}

const sqlite3_io_methods methods = {2,
                                    close_file,
                                    read_file,
                                    write_file,
                                    truncate_file,
                                    sync_file,
                                    file_size,
                                    lock_file,
                                    unlock_file,
                                    check_lock,
                                    control_file,
                                    sector_size,
                                    characteristics,
                                    map_memory,
                                    lock_memory,
                                    memory_barrier,
                                    unmap_memory};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* x, int flags,
              int* out_flags) {
  auto* usual = static_cast<sqlite3_vfs*>(vfs->pAppData);
  reinterpret_cast<faulty_file*>(x)->name = name;
  auto code = usual->xOpen(usual, name, real(x), flags, out_flags);
  x->pMethods = real(x)->pMethods != nullptr ? &methods : nullptr;
  return code;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  auto* usual = static_cast<sqlite3_vfs*>(vfs->pAppData);
  std::lock_guard guard{unsynced_mutex};
  unsynced.erase(name);
  return usual->xDelete(usual, name, sync_folder);
}

} // namespace

void faulty_vfs::install() {
  static sqlite3_vfs made = [] {
    auto* usual = sqlite3_vfs_find(nullptr);
    auto result = *usual;
    result.szOsFile += static_cast<int>(sizeof(faulty_file));
    result.zName = "faulty";
    result.pAppData = usual;
    result.xOpen = open_file;
    result.xDelete = delete_file;
    return result;
  }();
  sqlite3_vfs_register(&made, 0);
}

void faulty_vfs::copy_synced(const std::string& from, const std::string& to) {
  namespace fs = std::filesystem;
  fs::remove_all(to);
  fs::create_directories(to);
  for (auto& x : fs::directory_iterator{from}) {
    // The memory that connections share is no file for the disk.
    auto name = x.path().filename().string();
    if (name.ends_with("-shm") || name.ends_with(".lock"))
      continue;
    std::ifstream in{x.path(), std::ios::binary};
    std::string content{std::istreambuf_iterator<char>{in}, {}};
    undo(x.path().string(), content);
    std::ofstream{to + '/' + name, std::ios::binary} << content;
  }
}

bool faulty_vfs::take_failed() noexcept {
  return failed.exchange(false);
}

} // namespace callboard
