#include "async.h"
#include "env.h"
#include "handles.h"

#include "../core/btf.h"
#include "../core/program.h"

namespace bpfl {

namespace {

// open(source: string | Uint8Array, name, btfPath) → handle
napi_value open(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_STRING(name, 1);
	REQUIRE_STRING(btf_path, 2);
	std::shared_ptr<Object> object;
	std::span<uint8_t> bytes;
	std::string path;
	if (get_bytes(env, args[0], &bytes)) {
		if (Failure refused = Object::open_bytes(bytes, name, btf_path, &object)) return throw_failure(env, refused);
	} else if (get_string(env, args[0], &path)) {
		if (Failure refused = Object::open_file(path, name, btf_path, &object)) return throw_failure(env, refused);
	} else {
		return throw_argument(env, 0, "a path or a Uint8Array");
	}
	Env::of(env)->objects.insert(object);
	return wrap(env, new ObjectHandle{object});
}

napi_value object_name(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	return make_string(env, self->object->name());
}

napi_value object_state(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	switch (self->object->state()) {
		case State::closed: return make_string(env, "closed");
		case State::loaded: return make_string(env, "loaded");
		default: return make_string(env, "open");
	}
}

napi_value object_programs(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_OPEN(self->object, "programs", self->object->name());
	napi_value list;
	napi_create_array(env, &list);
	uint32_t i = 0;
	bpf_program* each;
	bpf_object__for_each_program(each, self->object->raw()) {
		napi_value item;
		napi_create_object(env, &item);
		set_property(env, item, "name", make_string(env, bpf_program__name(each)));
		set_property(env, item, "section", make_string(env, bpf_program__section_name(each)));
		set_property(env, item, "type", make_string(env, program_type_name(bpf_program__type(each))));
		set_property(env, item, "autoload", make_bool(env, bpf_program__autoload(each)));
		napi_set_element(env, list, i++, item);
	}
	return list;
}

napi_value object_maps(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_OPEN(self->object, "maps", self->object->name());
	napi_value list;
	napi_create_array(env, &list);
	uint32_t i = 0;
	bpf_map* each;
	bpf_object__for_each_map(each, self->object->raw()) {
		napi_value item;
		napi_create_object(env, &item);
		set_property(env, item, "name", make_string(env, bpf_map__name(each)));
		set_property(env, item, "type", make_string(env, map_type_name(bpf_map__type(each))));
		set_property(env, item, "keySize", make_number(env, bpf_map__key_size(each)));
		set_property(env, item, "valueSize", make_number(env, bpf_map__value_size(each)));
		set_property(env, item, "maxEntries", make_number(env, bpf_map__max_entries(each)));
		napi_set_element(env, list, i++, item);
	}
	return list;
}

napi_value settled(napi_env env, const Failure& outcome) {
	return outcome ? throw_failure(env, outcome) : make_undefined(env);
}

// setGlobal(object, name, number | bigint | boolean | Uint8Array)
napi_value object_set_global(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_STRING(name, 1);
	Object& object = *self->object;
	napi_valuetype type = napi_undefined;
	napi_typeof(env, args[2], &type);
	bool truth = false;
	int64_t number = 0;
	uint64_t big = 0;
	bool lossless = false;
	std::span<uint8_t> bytes;
	if (type == napi_boolean && get_bool(env, args[2], &truth)) return settled(env, object.set_global(name, int64_t{truth}));
	if (type == napi_number && get_integer(env, args[2], &number)) return settled(env, object.set_global(name, number));
	if (type == napi_bigint) {
		if (napi_get_value_bigint_int64(env, args[2], &number, &lossless) == napi_ok && lossless) {
			return settled(env, object.set_global(name, number));
		}
		if (get_bigint(env, args[2], &big)) return settled(env, object.set_global(name, static_cast<int64_t>(big), true));
		return settled(env, failure("set_global", ERANGE, name, "the value does not fit into 8 bytes"));
	}
	if (get_bytes(env, args[2], &bytes)) return settled(env, object.set_global(name, bytes));
	return throw_argument(env, 2, "a safe integer, a bigint, a boolean or a Uint8Array");
}

napi_value object_set_autoload(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_STRING(name, 1);
	REQUIRE_BOOL(value, 2);
	return settled(env, self->object->set_autoload(name, value));
}

napi_value object_set_autocreate(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_STRING(name, 1);
	REQUIRE_BOOL(value, 2);
	return settled(env, self->object->set_autocreate(name, value));
}

napi_value object_set_max_entries(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_STRING(name, 1);
	REQUIRE_UINT32(value, 2);
	return settled(env, self->object->set_max_entries(name, value));
}

// load(object, logLevel) → Promise
napi_value object_load(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_UINT32(log_level, 1);
	const std::shared_ptr<Object> object = self->object;
	if (Failure refused = object->begin_load(log_level)) return throw_failure(env, refused);
	return start(env, {.name = "load",
		.object = object,
		.run = [object] { return object->run_load(); },
		.done = [object](const Failure& outcome) { object->finish_load(outcome); }});
}

napi_value object_program(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_STRING(name, 1);
	REQUIRE_OPEN(self->object, "program", name);
	bpf_program* program = self->object->program(name);
	if (program == nullptr) return throw_failure(env, failure("program", ENOENT, name, "no such program"));
	return wrap(env, new ProgramHandle{self->object, program, name});
}

napi_value object_map(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_STRING(name, 1);
	REQUIRE_OPEN(self->object, "map", name);
	bpf_map* map = self->object->map(name);
	if (map == nullptr) return throw_failure(env, failure("map", ENOENT, name, "no such map"));
	return wrap(env, new MapHandle{self->object, map, bpf_map__name(map), {}, nullptr, nullptr});
}

napi_value make_member(napi_env env, const Member& member) {
	napi_value item;
	napi_create_object(env, &item);
	set_property(env, item, "name", make_string(env, member.name));
	set_property(env, item, "offset", make_number(env, member.offset));
	set_property(env, item, "size", make_number(env, member.size));
	set_property(env, item, "type", make_string(env, member.type));
	if (member.bit_size > 0) {
		set_property(env, item, "bitOffset", make_number(env, member.bit_offset));
		set_property(env, item, "bitSize", make_number(env, member.bit_size));
	}
	return item;
}

napi_value object_btf(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	REQUIRE_OPEN(self->object, "btf", self->object->name());
	Layout layout;
	if (Failure refused = read_layout(self->object->raw(), &layout)) return throw_failure(env, refused);
	napi_value result, structs, enums;
	napi_create_object(env, &result);
	napi_create_array(env, &structs);
	napi_create_array(env, &enums);
	for (uint32_t i = 0; i < layout.structs.size(); i++) {
		napi_value item, members;
		napi_create_object(env, &item);
		napi_create_array(env, &members);
		set_property(env, item, "name", make_string(env, layout.structs[i].name));
		set_property(env, item, "size", make_number(env, layout.structs[i].size));
		for (uint32_t j = 0; j < layout.structs[i].members.size(); j++) {
			napi_set_element(env, members, j, make_member(env, layout.structs[i].members[j]));
		}
		set_property(env, item, "members", members);
		napi_set_element(env, structs, i, item);
	}
	for (uint32_t i = 0; i < layout.enums.size(); i++) {
		napi_value item, values;
		napi_create_object(env, &item);
		napi_create_array(env, &values);
		set_property(env, item, "name", make_string(env, layout.enums[i].name));
		for (uint32_t j = 0; j < layout.enums[i].values.size(); j++) {
			napi_value value;
			napi_create_object(env, &value);
			set_property(env, value, "name", make_string(env, layout.enums[i].values[j].first));
			set_property(env, value, "value", make_number(env, layout.enums[i].values[j].second));
			napi_set_element(env, values, j, value);
		}
		set_property(env, item, "values", values);
		napi_set_element(env, enums, i, item);
	}
	set_property(env, result, "structs", structs);
	set_property(env, result, "enums", enums);
	return result;
}

napi_value object_close(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	self->object->close();
	Env::of(env)->objects.erase(self->object);
	return make_undefined(env);
}

// Detaches on a pool thread. The object is closed for everybody at once.
napi_value object_close_async(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ObjectHandle, self, 0);
	const std::shared_ptr<Object> object = self->object;
	Env::of(env)->objects.erase(object);
	const auto children = object->begin_close();
	const auto detach = [children] {
		for (const auto& each : children) each->close();
		return ok();
	};
	return start(env, {.name = "close",
		.object = object,
		.run = detach,
		.done = [object](const Failure&) { object->end(); },
		.closing = true});
}

}  // namespace

void define_object(napi_env env, napi_value exports) {
	define(env, exports, "open", open);
	define(env, exports, "objectName", object_name);
	define(env, exports, "objectState", object_state);
	define(env, exports, "objectPrograms", object_programs);
	define(env, exports, "objectMaps", object_maps);
	define(env, exports, "objectSetGlobal", object_set_global);
	define(env, exports, "objectSetAutoload", object_set_autoload);
	define(env, exports, "objectSetAutocreate", object_set_autocreate);
	define(env, exports, "objectSetMaxEntries", object_set_max_entries);
	define(env, exports, "objectLoad", object_load);
	define(env, exports, "objectProgram", object_program);
	define(env, exports, "objectMap", object_map);
	define(env, exports, "objectBtf", object_btf);
	define(env, exports, "objectClose", object_close);
	define(env, exports, "objectCloseAsync", object_close_async);
}

}  // namespace bpfl
