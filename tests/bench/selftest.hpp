#pragma once

#include <string>

/// Counts a failure and says what it is, unless `holds`.
void check_that(bool holds, const std::string& what);

/// Tests how the dialects of other servers take bytes apart.
void test_dialects();
