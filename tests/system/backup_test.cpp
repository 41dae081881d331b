// Backup and restore, as an operator runs them.
#include "tests/system/safety_support.hpp"

#include <catch2/catch.hpp>
