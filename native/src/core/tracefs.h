// Classic tracepoints without a tracefs mount: the id is read through a detached mount that no namespace ever sees.
#pragma once

#include <string>

#include "failure.h"

namespace bpfl {

// *event_fd: an open perf event of the tracepoint, for the caller to close.
Failure open_tracepoint(const std::string& category, const std::string& name, int* event_fd);

}  // namespace bpfl
