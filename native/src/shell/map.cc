#include "../core/map.h"

#include <fcntl.h>
#include <unistd.h>

#include "../core/program.h"
#include "handles.h"
#include "mapping.h"
#include "ring_handle.h"

namespace bpfl {

Failure ensure_shape(MapHandle* map) {
	if (map->shape.fd >= 0) return ok();
	if (map->object->state() != State::loaded) return failure("map", EINVAL, map->name, "the object is not loaded");
	return shape_of(map->map, &map->shape);
}

std::shared_ptr<const int> share_fd(const MapHandle& map) {
	return {new int(fcntl(map.shape.fd, F_DUPFD_CLOEXEC, 0)), [](const int* fd) {
				if (*fd >= 0) close(*fd);
				delete fd;
			}};
}

namespace {

#define REQUIRE_MAP(operation)                                                            \
	REQUIRE_HANDLE(MapHandle, self, 0);                                                   \
	REQUIRE_OPEN(self->object, operation, self->name);                                    \
	if (Failure refused = ensure_shape(self)) return throw_failure(env, refused)

#define REQUIRE_SIZED(bytes, index, wanted, operation)                                    \
	REQUIRE_BYTES(bytes, index);                                                          \
	if (bytes.size() != (wanted)) return throw_size(env, operation, self->name, #bytes, wanted, bytes.size())

napi_value throw_size(napi_env env, const char* operation, const std::string& map, const char* what, size_t wanted, size_t given) {
	return throw_failure(env, failure(operation, EINVAL, map,
		std::string("the ") + what + " has " + std::to_string(wanted) + " bytes, " + std::to_string(given) + " were given"));
}

napi_value map_info(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(MapHandle, self, 0);
	REQUIRE_OPEN(self->object, "map", self->name);
	napi_value item;
	napi_create_object(env, &item);
	set_property(env, item, "name", make_string(env, self->name));
	set_property(env, item, "type", make_string(env, map_type_name(bpf_map__type(self->map))));
	set_property(env, item, "keySize", make_number(env, bpf_map__key_size(self->map)));
	set_property(env, item, "valueSize", make_number(env, bpf_map__value_size(self->map)));
	set_property(env, item, "maxEntries", make_number(env, bpf_map__max_entries(self->map)));
	return item;
}

napi_value map_fd(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_MAP("map");
	return make_number(env, self->shape.fd);
}

napi_value map_cpus(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_MAP("map");
	return make_number(env, self->shape.cpus);
}

napi_value map_get_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_MAP("map_get");
	REQUIRE_SIZED(key, 1, self->shape.key_size, "map_get");
	napi_value buffer = nullptr, array = nullptr;
	void* value = nullptr;
	if (napi_create_arraybuffer(env, self->shape.stored_size, &value, &buffer) != napi_ok) return nullptr;
	bool found = false;
	if (Failure refused = map_get(self->shape, key.data(), value, &found)) return throw_failure(env, refused);
	if (!found) return make_undefined(env);
	napi_create_typedarray(env, napi_uint8_array, self->shape.stored_size, buffer, 0, &array);
	return array;
}

// mapSet(map, key, value, flags: 0 any, 1 noexist, 2 exist)
napi_value map_set_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(4);
	REQUIRE_MAP("map_update");
	REQUIRE_SIZED(key, 1, self->shape.key_size, "map_update");
	REQUIRE_SIZED(value, 2, self->shape.stored_size, "map_update");
	REQUIRE_UINT32(flags, 3);
	if (Failure refused = map_set(self->shape, key.data(), value.data(), flags)) return throw_failure(env, refused);
	return make_undefined(env);
}

napi_value map_delete_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_MAP("map_delete");
	REQUIRE_SIZED(key, 1, self->shape.key_size, "map_delete");
	bool found = false;
	if (Failure refused = map_delete(self->shape, key.data(), &found)) return throw_failure(env, refused);
	return make_bool(env, found);
}

napi_value map_keys_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_MAP("map_keys");
	Entries entries;
	if (Failure refused = map_keys(self->shape, &entries)) return throw_failure(env, refused);
	napi_value list;
	napi_create_array_with_length(env, entries.count, &list);
	for (uint32_t i = 0; i < entries.count; i++) {
		const uint32_t size = self->shape.key_size;
		napi_set_element(env, list, i, make_bytes(env, entries.keys.data() + size_t{i} * size, size));
	}
	return list;
}

// mapEntries(map, take, limit)
napi_value map_entries_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_MAP("map_entries");
	REQUIRE_BOOL(take, 1);
	REQUIRE_UINT32(limit, 2);
	Entries entries;
	if (Failure refused = map_entries(self->shape, take, limit, &entries)) return throw_failure(env, refused);
	napi_value item;
	napi_create_object(env, &item);
	set_property(env, item, "count", make_number(env, entries.count));
	set_property(env, item, "keys", make_bytes(env, entries.keys.data(), entries.keys.size()));
	set_property(env, item, "values", make_bytes(env, entries.values.data(), entries.values.size()));
	return item;
}

napi_value map_mmap_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_MAP("map_mmap");
	if (!self->mapping || self->mapping->closed()) {
		if (Failure refused = Mapping::open(env, self->shape, &self->mapping)) return throw_failure(env, refused);
		self->object->adopt(self->mapping);
	}
	return self->mapping->array_buffer();
}

napi_value map_ring(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_MAP("ring");
	if (self->shape.type != BPF_MAP_TYPE_RINGBUF) {
		return throw_failure(env, failure("ring", EINVAL, self->name, "the map is no ring buffer"));
	}
	if (self->ring && !self->ring->closed()) {
		return throw_failure(env, failure("ring", EBUSY, self->name, "the ring has a reader already"));
	}
	std::unique_ptr<Ring> ring;
	if (Failure refused = Ring::open(self->shape.fd, self->shape.max_entries, self->name, &ring)) {
		return throw_failure(env, refused);
	}
	self->ring = std::make_shared<RingHandle>(env, std::move(ring), self->name);
	self->object->adopt(self->ring);
	return wrap(env, new RingHolder{self->ring});
}

napi_value map_close(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(MapHandle, self, 0);
	if (self->ring) self->ring->close();
	if (self->mapping) self->mapping->close();
	return make_undefined(env);
}

}  // namespace

void define_map(napi_env env, napi_value exports) {
	define(env, exports, "mapInfo", map_info);
	define(env, exports, "mapFd", map_fd);
	define(env, exports, "mapCpus", map_cpus);
	define(env, exports, "mapGet", map_get_method);
	define(env, exports, "mapSet", map_set_method);
	define(env, exports, "mapDelete", map_delete_method);
	define(env, exports, "mapKeys", map_keys_method);
	define(env, exports, "mapEntries", map_entries_method);
	define(env, exports, "mapMmap", map_mmap_method);
	define(env, exports, "mapRing", map_ring);
	define(env, exports, "mapClose", map_close);
}

}  // namespace bpfl
