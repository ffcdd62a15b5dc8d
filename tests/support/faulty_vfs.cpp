#include "support/faulty_vfs.hpp"

#include <sqlite3.h>

namespace callboard {

namespace {

std::atomic<bool> failed = false;

/// A file of ours, with SQLite's own behind it in the same memory.
struct faulty_file {
  sqlite3_file base;

  sqlite3_file* real() noexcept {
    return reinterpret_cast<sqlite3_file*>(this + 1);
  }
};

sqlite3_file* real(sqlite3_file* x) noexcept {
  return reinterpret_cast<faulty_file*>(x)->real();
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
  return code != SQLITE_OK ? code
                           : real(x)->pMethods->xWrite(real(x), from, n, at);
}

int truncate_file(sqlite3_file* x, sqlite3_int64 size) {
  auto code = fault();
  return code != SQLITE_OK ? code : real(x)->pMethods->xTruncate(real(x), size);
}

int sync_file(sqlite3_file* x, int flags) {
  auto code = fault();
  return code != SQLITE_OK ? code : real(x)->pMethods->xSync(real(x), flags);
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
  auto code = usual->xOpen(usual, name, real(x), flags, out_flags);
  x->pMethods = real(x)->pMethods != nullptr ? &methods : nullptr;
  return code;
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
    return result;
  }();
  sqlite3_vfs_register(&made, 0);
}

bool faulty_vfs::take_failed() noexcept {
  return failed.exchange(false);
}

} // namespace callboard
