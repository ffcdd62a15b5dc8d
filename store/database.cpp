#include <callboard/store/database.hpp>

#include <sqlite3.h>

namespace callboard {

namespace {

// For what another process does in a moment, such as ending a backup.
constexpr int busy_ms = 2000;

store_trouble trouble_of(int code) noexcept {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return store_trouble::full;
    case SQLITE_CORRUPT:
      return store_trouble::corrupt;
    case SQLITE_NOTADB:
      return store_trouble::foreign;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return store_trouble::locked;
    default:
      return store_trouble::unusable;
  }
}

int flags_of(database::mode x) noexcept {
  constexpr int common = SQLITE_OPEN_NOMUTEX;
  switch (x) {
    case database::mode::read:
      return common | SQLITE_OPEN_READONLY;
    case database::mode::write:
      return common | SQLITE_OPEN_READWRITE;
    default:
      return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
}

} // namespace

// -- database -----------------------------------------------------------------

database::database(const std::string& file, mode how, const std::string& vfs)
  : file_{file} {
  sqlite3* made = nullptr;
  auto code = sqlite3_open_v2(file.c_str(), &made, flags_of(how),
                              vfs.empty() ? nullptr : vfs.c_str());
  handle_.reset(made);
  if (code != SQLITE_OK)
    fail(code);
  sqlite3_extended_result_codes(made, 1);
  sqlite3_busy_timeout(made, busy_ms);
}

void database::closer::operator()(sqlite3* x) const noexcept {
  sqlite3_close_v2(x);
}

void database::run(const std::string& sql) {
  auto code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    fail(code);
}

int64_t database::number(const std::string& sql) {
  auto x = prepare(sql);
  return x.step() ? x.number(0) : 0;
}

statement database::prepare(std::string_view sql) {
  return statement{*this, sql};
}

int64_t database::changes() const noexcept {
  return sqlite3_changes64(handle());
}

void database::fail(int code) const {
  std::string what = handle_ != nullptr ? sqlite3_errmsg(handle())
                                        : sqlite3_errstr(code);
  throw store_error{trouble_of(code), file_ + ": " + what};
}

// -- statement ----------------------------------------------------------------

statement::statement(const database& db, std::string_view sql) : db_{&db} {
  sqlite3_stmt* made = nullptr;
  auto code = sqlite3_prepare_v3(db.handle(), sql.data(),
                                 static_cast<int>(sql.size()),
                                 SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  handle_.reset(made);
  check(code);
}

void statement::closer::operator()(sqlite3_stmt* x) const noexcept {
  sqlite3_finalize(x);
}

bool statement::step() {
  auto code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  // The message is gone after the reset.
  try {
    db_->fail(code);
  } catch (...) {
    reset();
    throw;
  }
}

void statement::run() {
  while (step()) {
  }
}

void statement::reset() noexcept {
  sqlite3_reset(handle_.get());
}

int64_t statement::number(int column) const noexcept {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string_view statement::text(int column) const noexcept {
  auto* x
    = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  return {x != nullptr ? x : "",
          static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::string_view statement::bytes(int column) const noexcept {
  auto* x
    = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  return {x != nullptr ? x : "",
          static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

bool statement::is_null(int column) const noexcept {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

void statement::bind(int i, int64_t x) {
  check(sqlite3_bind_int64(handle_.get(), i, x));
}

void statement::bind(int i, std::optional<int64_t> x) {
  if (x)
    bind(i, *x);
  else
    check(sqlite3_bind_null(handle_.get(), i));
}

void statement::bind(int i, std::string_view x) {
  // A null pointer would stand for NULL.
  auto* begin = x.data() != nullptr ? x.data() : "";
  check(sqlite3_bind_text64(handle_.get(), i, begin, x.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}

void statement::bind(int i, blob x) {
  auto* begin = x.bytes.data() != nullptr ? x.bytes.data() : "";
  check(sqlite3_bind_blob64(handle_.get(), i, begin, x.bytes.size(),
                            SQLITE_STATIC));
}

void statement::check(int code) const {
  if (code != SQLITE_OK)
    db_->fail(code);
}

// -- transaction --------------------------------------------------------------

transaction::transaction(database& db) : db_{db} {
  db_.run("BEGIN IMMEDIATE");
}

transaction::~transaction() {
  // Some errors take it back by themselves; then this one does nothing.
  if (open_)
    sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() {
  db_.run("COMMIT");
  open_ = false;
}

} // namespace callboard
