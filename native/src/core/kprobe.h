// Whether the kernel has kprobe events at all.
#pragma once

#include <stdint.h>

#include <string>

#include "failure.h"

namespace bpfl {

// *type: the number of the kprobe PMU. Without it libbpf would go by way of tracefs and fail with a puzzling ENOENT.
Failure kprobe_pmu(const std::string& operation, const std::string& subject, uint32_t* type);

}  // namespace bpfl
