#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <callboard/store/database.hpp>

namespace callboard {

/// Tells a store's file from other SQLite files ("cbod").
inline constexpr int64_t store_application_id = 0x63626F64;

/// The names of the file and of the lock in a store's folder.
inline constexpr char store_file_name[] = "callboard.db";
inline constexpr char store_lock_name[] = "callboard.lock";

/// Returns the statements that take a file from one version of the schema to
/// the next; the first ones make it.
std::span<const char* const> store_migrations() noexcept;

/// Throws unless `db` is a store of this version.
void check_store(database& db);

/// Makes `db`, if it is empty, or brings it to the newest version. A file that
/// is something else is not touched.
/// @param steps `store_migrations()`; others in tests.
void migrate_store(database& db, std::span<const char* const> steps);

} // namespace callboard
