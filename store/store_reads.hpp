#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/event_store.hpp>
#include <callboard/store/database.hpp>
#include <callboard/store/event_run.hpp>

namespace callboard {

/// Throws that the file contradicts itself.
/// @param what a sentence.
[[noreturn]] void fail_corrupt(const database& db, const std::string& what);

/// Appends the events of a row: first, last, check sum and data.
void read_row(const database& db, const statement& row,
              const event_origin& origin, std::vector<publication_ptr>& out);

/// Reads events of a topic; for any connection.
/// @param opening the number of this run of the node.
/// @returns nothing if there is no such topic in this epoch.
std::vector<publication_ptr> read_events(database& db, const store_query& what,
                                         uint64_t opening);

} // namespace callboard
