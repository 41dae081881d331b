// `drplatform verify`: the audit of the database, told to an operator or to a program.
#pragma once

#include "config/load.hpp"

namespace dr {

/// Audits the configured database as of one instant, beside a running server or without one; changes nothing. Says on
/// stderr how far it is, and on stdout, as text or as one JSON object, what it looked at and what differs. Returns the
/// program's exit code: 0 when all is well, 1 when differences were found, 78 when it cannot run.
int verify(const loaded_settings& loaded, bool as_json);

} // namespace dr
