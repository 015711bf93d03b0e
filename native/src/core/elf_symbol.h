// Where in an ELF file a probe goes. Reads with pread in small pieces: libraries can be hundreds of megabytes.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "failure.h"

namespace bpfl {

// File offset of a defined function; the dynamic symbols first, then the full table. "name@VERSION" is accepted and
// only the name compared.
Failure find_symbol(const std::string& path, const std::string& symbol, uint64_t* offset);

// File offsets of a USDT probe's places; empty when the file has none or is no ELF file of this machine's class.
std::vector<uint64_t> usdt_offsets(const std::string& path, const std::string& provider, const std::string& name);

}  // namespace bpfl
