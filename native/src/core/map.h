// Operations on a loaded map by its file descriptor.
#pragma once

#include <bpf/libbpf.h>
#include <stdint.h>

#include <string>
#include <vector>

#include "failure.h"

namespace bpfl {

struct MapShape {
	int fd = -1;
	uint32_t type = 0;
	uint32_t key_size = 0;
	uint32_t value_size = 0;    // one CPU's
	uint32_t max_entries = 0;
	uint32_t flags = 0;
	uint32_t cpus = 1;          // values per key
	uint32_t stored_size = 0;   // bytes that a lookup returns: padded to 8 and times cpus for per-CPU maps
	std::string name;
};

struct Entries {
	uint32_t count = 0;
	std::vector<uint8_t> keys;
	std::vector<uint8_t> values;
};

// Valid once the object is loaded.
Failure shape_of(const bpf_map* map, MapShape* out);

// found = false: the key is absent, which is no failure.
Failure map_get(const MapShape& map, const void* key, void* value, bool* found);
Failure map_set(const MapShape& map, const void* key, const void* value, uint64_t flags);
Failure map_delete(const MapShape& map, const void* key, bool* found);
Failure map_keys(const MapShape& map, Entries* out);
// Every entry, or at most `limit`. take: also deletes what it returns.
Failure map_entries(const MapShape& map, bool take, uint32_t limit, Entries* out);

// Bytes of the shared mapping of an array map or global data section, rounded up to pages.
size_t map_mapped_size(const MapShape& map);
// *out: the mapping; munmap with map_mapped_size.
Failure map_mmap(const MapShape& map, void** out);

}  // namespace bpfl
