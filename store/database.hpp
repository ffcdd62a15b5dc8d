#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <callboard/store/store_error.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace callboard {

class statement;

/// One connection to an SQLite file. Everything throws `store_error`. One
/// thread at a time.
class database {
public:
  enum class mode {
    /// The file must be there; nothing is written to it.
    read,
    /// The file must be there.
    write,
    /// The file is made if need be.
    create,
  };

  /// @param vfs the name of SQLite's way to the disk; empty: the usual one.
  database(const std::string& file, mode how, const std::string& vfs = {});

  database(const database&) = delete;

  database& operator=(const database&) = delete;

  /// Runs statements without parameters and rows.
  void run(const std::string& sql);

  /// Returns the one number that `sql` gives, 0 if it gives none.
  int64_t number(const std::string& sql);

  [[nodiscard]] statement prepare(std::string_view sql);

  [[nodiscard]] const std::string& file() const noexcept {
    return file_;
  }

  [[nodiscard]] sqlite3* handle() const noexcept {
    return handle_.get();
  }

  /// Returns how many rows the last statement has changed.
  [[nodiscard]] int64_t changes() const noexcept;

  /// Throws what SQLite's result `code` says.
  [[noreturn]] void fail(int code) const;

private:
  struct closer {
    void operator()(sqlite3* x) const noexcept;
  };

  std::string file_;
  std::unique_ptr<sqlite3, closer> handle_;
};

/// A prepared statement. Its connection outlives it.
class statement {
public:
  statement(const database& db, std::string_view sql);

  /// Sets all parameters: numbers, which may be missing, texts, and blobs.
  /// Texts and blobs must live until the statement is `reset`.
  template <class... Ts>
  statement& with(const Ts&... xs) {
    reset();
    int i = 0;
    (bind(++i, xs), ...);
    return *this;
  }

  struct blob {
    std::string_view bytes;
  };

  /// Goes to the next row.
  /// @returns false if there is none, and the statement is reset.
  bool step();

  /// Runs it to its end.
  void run();

  /// Ends it, and lets go of what it reads.
  void reset() noexcept;

  [[nodiscard]] int64_t number(int column) const noexcept;

  /// Valid until the next step.
  [[nodiscard]] std::string_view text(int column) const noexcept;

  [[nodiscard]] std::string_view bytes(int column) const noexcept;

  [[nodiscard]] bool is_null(int column) const noexcept;

private:
  struct closer {
    void operator()(sqlite3_stmt* x) const noexcept;
  };

  void bind(int i, int64_t x);

  void bind(int i, uint64_t x) {
    bind(i, static_cast<int64_t>(x));
  }

  void bind(int i, bool x) {
    bind(i, static_cast<int64_t>(x));
  }

  // NULL if there is none.
  void bind(int i, std::optional<int64_t> x);

  void bind(int i, std::string_view x);

  void bind(int i, const std::string& x) {
    bind(i, std::string_view{x});
  }

  void bind(int i, blob x);

  void check(int code) const;

  const database* db_;
  std::unique_ptr<sqlite3_stmt, closer> handle_;
};

/// Resets a statement that is read row by row, however that ends.
class row_reader {
public:
  explicit row_reader(statement& x) : rows_{x} {
  }

  ~row_reader() {
    rows_.reset();
  }

  row_reader(const row_reader&) = delete;

  row_reader& operator=(const row_reader&) = delete;

private:
  statement& rows_;
};

/// A transaction, which is taken back unless it is committed.
class transaction {
public:
  explicit transaction(database& db);

  ~transaction();

  transaction(const transaction&) = delete;

  transaction& operator=(const transaction&) = delete;

  void commit();

private:
  database& db_;
  bool open_ = true;
};

} // namespace callboard
