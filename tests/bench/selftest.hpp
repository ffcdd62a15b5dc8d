#pragma once

#include <string>

/// Counts a failure and says what it is, unless `holds`.
void check_that(bool holds, const std::string& what);

/// Tests the connections that do not behave: those that say nothing, and those
/// that stop reading.
/// @param url of a baseline.
void test_bystanders(const std::string& url);

/// Tests how the dialects of other servers take bytes apart.
void test_dialects();
