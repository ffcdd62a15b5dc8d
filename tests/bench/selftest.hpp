#pragma once

#include <string>

class child;

/// Counts a failure and says what it is, unless `holds`.
void check_that(bool holds, const std::string& what);

/// Tests the connections that do not behave: those that say nothing, and those
/// that stop reading.
/// @param url of a baseline.
void test_bystanders(const std::string& url);

/// Tests what becomes of requests at a rate that a server has not answered when
/// the measured time ends.
/// @param server is stopped for a while.
void test_late_answers(const child& server);

/// Tests how the dialects of other servers take bytes apart.
void test_dialects();
