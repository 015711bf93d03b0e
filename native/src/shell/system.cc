#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "../core/feature.h"
#include "../core/program.h"
#include "async.h"
#include "env.h"
#include "handles.h"

namespace bpfl {

StatsHandle::~StatsHandle() {
	if (fd >= 0) close(fd);
}

namespace {

// setErrorClass(class): called as new class(message, operation, errno, errnoNumber, subject, log)
napi_value set_error_class(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	napi_valuetype type = napi_undefined;
	napi_typeof(env, args[0], &type);
	if (type != napi_function) return throw_argument(env, 0, "a class");
	Env* self = Env::of(env);
	if (self->error_class != nullptr) napi_delete_reference(env, self->error_class);
	napi_create_reference(env, args[0], 1, &self->error_class);
	return make_undefined(env);
}

// closeAll(): for the process's exit event, because process.exit() in the main thread runs no cleanup hook.
napi_value close_all(napi_env env, napi_callback_info) {
	Env::of(env)->close_objects();
	return make_undefined(env);
}

// probeFeature(kind, type, category, name, helper) → Promise
napi_value probe_feature_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(5);
	REQUIRE_STRING(kind, 0);
	REQUIRE_STRING(type, 1);
	REQUIRE_STRING(category, 2);
	REQUIRE_STRING(name, 3);
	REQUIRE_UINT32(helper, 4);
	auto verdict = std::make_shared<Verdict>();
	return start(env, {.name = "probe",
		.object = nullptr,
		.run = [feature = Feature{kind, type, category, name, static_cast<int>(helper)},
				   verdict] { return probe_feature(feature, verdict.get()); },
		.result =
			[verdict](napi_env result_env) {
				napi_value item;
				napi_create_object(result_env, &item);
				const bool yes = verdict->supported;
				set_property(result_env, item, "supported", make_bool(result_env, yes));
				set_property(result_env, item, "errno", make_string(result_env, yes ? "" : errno_name(verdict->reason.error)));
				set_property(result_env, item, "message", make_string(result_env, yes ? "" : failure_message(verdict->reason)));
				return item;
			}});
}

napi_value enable_stats(napi_env env, napi_callback_info) {
	const int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (fd < 0) return throw_failure(env, failure("enable_stats", errno, ""));
	return wrap(env, new StatsHandle{fd});
}

napi_value stats_close(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(StatsHandle, self, 0);
	if (self->fd >= 0) close(self->fd);
	self->fd = -1;
	return make_undefined(env);
}

napi_value list_programs_method(napi_env env, napi_callback_info) {
	std::vector<ListedProgram> programs;
	if (Failure refused = list_programs(&programs)) return throw_failure(env, refused);
	napi_value list;
	napi_create_array_with_length(env, programs.size(), &list);
	for (uint32_t i = 0; i < programs.size(); i++) {
		napi_value item;
		napi_create_object(env, &item);
		set_property(env, item, "id", make_number(env, programs[i].id));
		set_property(env, item, "name", make_string(env, programs[i].name));
		set_property(env, item, "type", make_string(env, programs[i].type));
		napi_set_element(env, list, i, item);
	}
	return list;
}

napi_value libbpf_version(napi_env env, napi_callback_info) { return make_string(env, libbpf_version_string()); }

}  // namespace

void define_system(napi_env env, napi_value exports) {
	define(env, exports, "setErrorClass", set_error_class);
	define(env, exports, "closeAll", close_all);
	define(env, exports, "probeFeature", probe_feature_method);
	define(env, exports, "enableStats", enable_stats);
	define(env, exports, "statsClose", stats_close);
	define(env, exports, "listPrograms", list_programs_method);
	define(env, exports, "libbpfVersion", libbpf_version);
}

}  // namespace bpfl
