#include "map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace bpfl {

namespace {

constexpr int kNotSupported = 524;  // the kernel's ENOTSUPP
constexpr uint32_t kBatch = 1024;   // entries a batch call asks for at first

bool is_per_cpu(uint32_t type) {
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
		type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

void append(std::vector<uint8_t>* to, const uint8_t* from, size_t length) { to->insert(to->end(), from, from + length); }

// The way of kernels and map types without batch operations: key after key.
Failure entries_one_by_one(const MapShape& map, bool take, uint32_t limit, Entries* out) {
	std::vector<uint8_t> key(map.key_size), next(map.key_size), value(map.stored_size);
	bool first = out->count == 0 || take;
	if (!first) memcpy(key.data(), out->keys.data() + out->keys.size() - map.key_size, map.key_size);
	// A key deleted by somebody else makes next_key start over; the bound keeps that from going on for ever.
	uint64_t steps = uint64_t{map.max_entries} * 2 + 16;
	while (out->count < limit && steps-- > 0) {
		if (bpf_map_get_next_key(map.fd, first ? nullptr : key.data(), next.data()) != 0) {
			if (errno == ENOENT) return ok();
			return failure("map_entries", errno, map.name);
		}
		key.swap(next);
		first = take;
		if (bpf_map_lookup_elem(map.fd, key.data(), value.data()) != 0) {
			if (errno == ENOENT) continue;
			return failure("map_entries", errno, map.name);
		}
		if (take && bpf_map_delete_elem(map.fd, key.data()) != 0) {
			if (errno == ENOENT) continue;
			return failure("map_entries", errno, map.name);
		}
		append(&out->keys, key.data(), map.key_size);
		append(&out->values, value.data(), map.stored_size);
		out->count++;
	}
	return ok();
}

}  // namespace

Failure shape_of(const bpf_map* map, MapShape* out) {
	out->fd = bpf_map__fd(map);
	out->name = bpf_map__name(map);
	if (out->fd < 0) return failure("map", EBADF, out->name, "the map was not created");
	out->type = bpf_map__type(map);
	out->key_size = bpf_map__key_size(map);
	out->value_size = bpf_map__value_size(map);
	out->max_entries = bpf_map__max_entries(map);
	out->flags = bpf_map__map_flags(map);
	out->cpus = 1;
	out->stored_size = out->value_size;
	if (is_per_cpu(out->type)) {
		const int cpus = libbpf_num_possible_cpus();
		if (cpus < 0) return failure("map", cpus, out->name, "the number of CPUs is unknown");
		out->cpus = static_cast<uint32_t>(cpus);
		out->stored_size = ((out->value_size + 7) & ~7u) * out->cpus;
	}
	return ok();
}

Failure map_get(const MapShape& map, const void* key, void* value, bool* found) {
	*found = bpf_map_lookup_elem(map.fd, key, value) == 0;
	if (*found || errno == ENOENT) return ok();
	return failure("map_get", errno, map.name);
}

Failure map_set(const MapShape& map, const void* key, const void* value, uint64_t flags) {
	if (bpf_map_update_elem(map.fd, key, value, flags) == 0) return ok();
	return failure("map_update", errno, map.name);
}

Failure map_delete(const MapShape& map, const void* key, bool* found) {
	*found = bpf_map_delete_elem(map.fd, key) == 0;
	if (*found || errno == ENOENT) return ok();
	return failure("map_delete", errno, map.name);
}

Failure map_keys(const MapShape& map, Entries* out) {
	std::vector<uint8_t> next(map.key_size);
	uint64_t steps = uint64_t{map.max_entries} * 2 + 16;
	while (steps-- > 0) {
		const uint8_t* last = out->count == 0 ? nullptr : out->keys.data() + out->keys.size() - map.key_size;
		if (bpf_map_get_next_key(map.fd, last, next.data()) != 0) {
			if (errno == ENOENT) return ok();
			return failure("map_keys", errno, map.name);
		}
		append(&out->keys, next.data(), map.key_size);
		out->count++;
	}
	return ok();
}

Failure map_entries(const MapShape& map, bool take, uint32_t limit, Entries* out) {
	if (map.key_size == 0) return failure("map_entries", EOPNOTSUPP, map.name, "a map without keys cannot be listed");
	// Hash maps put a 4-byte bucket number here, all others a key.
	const size_t cursor_size = std::max<size_t>(map.key_size, 4);
	std::vector<uint8_t> cursor(cursor_size), next(cursor_size);
	uint32_t chunk = std::min({kBatch, limit, std::max(map.max_entries, 1u)});
	bool first = true;
	while (out->count < limit) {
		uint32_t count = std::min(chunk, limit - out->count);
		std::vector<uint8_t> keys(size_t{count} * map.key_size), values(size_t{count} * map.stored_size);
		LIBBPF_OPTS(bpf_map_batch_opts, options);
		void* from = first ? nullptr : cursor.data();
		const int err = take
			? bpf_map_lookup_and_delete_batch(map.fd, from, next.data(), keys.data(), values.data(), &count, &options)
			: bpf_map_lookup_batch(map.fd, from, next.data(), keys.data(), values.data(), &count, &options);
		const int error = err == 0 ? 0 : errno;
		if (error == ENOSPC) {
			// A bucket holds more than was asked for. Ask for more, or finish singly when the limit forbids it.
			if (chunk >= limit - out->count) return entries_one_by_one(map, take, limit, out);
			chunk = std::min(chunk * 2, limit);
			continue;
		}
		if (error != 0 && error != ENOENT) {
			if (first && (error == EINVAL || error == EOPNOTSUPP || error == kNotSupported || error == EPERM)) {
				return entries_one_by_one(map, take, limit, out);
			}
			return failure("map_entries", error, map.name);
		}
		append(&out->keys, keys.data(), size_t{count} * map.key_size);
		append(&out->values, values.data(), size_t{count} * map.stored_size);
		out->count += count;
		if (error == ENOENT) return ok();
		cursor.swap(next);
		first = false;
	}
	return ok();
}

size_t map_mapped_size(const MapShape& map) {
	const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	const size_t bytes = size_t{(map.value_size + 7) & ~7u} * map.max_entries;
	return (bytes + page - 1) / page * page;
}

Failure map_mmap(const MapShape& map, void** out) {
	if (!(map.flags & BPF_F_MMAPABLE)) return failure("map_mmap", EINVAL, map.name, "the map has no BPF_F_MMAPABLE");
	if (map.flags & BPF_F_RDONLY_PROG) return failure("map_mmap", EPERM, map.name, "read-only data is frozen at load");
	void* mapped = mmap(nullptr, map_mapped_size(map), PROT_READ | PROT_WRITE, MAP_SHARED, map.fd, 0);
	if (mapped == MAP_FAILED) return failure("map_mmap", errno, map.name);
	*out = mapped;
	return ok();
}

}  // namespace bpfl
