#include "async.h"
#include "handles.h"

#include "../core/program.h"

namespace bpfl {

namespace {

napi_value program_info(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_OPEN(self->object, "program_info", self->name);
	napi_value item;
	napi_create_object(env, &item);
	set_property(env, item, "section", make_string(env, bpf_program__section_name(self->program)));
	set_property(env, item, "type", make_string(env, program_type_name(bpf_program__type(self->program))));
	set_property(env, item, "autoload", make_bool(env, bpf_program__autoload(self->program)));
	return item;
}

napi_value program_fd(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_OPEN(self->object, "program_fd", self->name);
	const int fd = bpf_program__fd(self->program);
	if (fd < 0) return throw_failure(env, failure("program_fd", EINVAL, self->name, "the program is not loaded"));
	return make_number(env, fd);
}

napi_value program_stats(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_OPEN(self->object, "program_info", self->name);
	ProgramFacts facts;
	if (Failure refused = program_facts(self->program, &facts)) return throw_failure(env, refused);
	napi_value item;
	napi_create_object(env, &item);
	set_property(env, item, "id", make_number(env, facts.id));
	set_property(env, item, "runCount", make_number(env, static_cast<double>(facts.run_count)));
	set_property(env, item, "runTimeNs", make_number(env, static_cast<double>(facts.run_time_ns)));
	set_property(env, item, "recursionMisses", make_number(env, static_cast<double>(facts.recursion_misses)));
	set_property(env, item, "verifiedInstructions", make_number(env, facts.verified_instructions));
	set_property(env, item, "memlockBytes", make_number(env, static_cast<double>(facts.memlock_bytes)));
	set_property(env, item, "translatedBytes", make_number(env, facts.translated_bytes));
	set_property(env, item, "jitedBytes", make_number(env, facts.jited_bytes));
	return item;
}

// runIterator(program, map | undefined) → Promise<Uint8Array>
napi_value program_run_iterator(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_OPEN(self->object, "iterate", self->name);
	std::shared_ptr<const int> map_fd;
	if (!is_undefined(env, args[1])) {
		REQUIRE_HANDLE(MapHandle, map, 1);
		REQUIRE_OPEN(map->object, "iterate", map->name);
		if (Failure refused = ensure_shape(map)) return throw_failure(env, refused);
		map_fd = share_fd(*map);
	}
	auto bytes = std::make_shared<std::vector<uint8_t>>();
	return start(env, {.name = "iterate",
		.object = self->object,
		.run = [program = self->program, map_fd, bytes] { return run_iterator(program, map_fd ? *map_fd : -1, bytes.get()); },
		.result = [bytes](napi_env result_env) { return make_bytes(result_env, bytes->data(), bytes->size()); }});
}

// testRun(program, data | undefined, context | undefined, repeat)
napi_value program_test_run(napi_env env, napi_callback_info info) {
	ARGUMENTS(4);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	OPTIONAL_BYTES(data, 1);
	OPTIONAL_BYTES(context, 2);
	REQUIRE_UINT32(repeat, 3);
	REQUIRE_OPEN(self->object, "test_run", self->name);
	TestRun run{.data = data, .context = context, .repeat = repeat, .out = {}};
	if (Failure refused = test_run(self->program, &run)) return throw_failure(env, refused);
	napi_value item;
	napi_create_object(env, &item);
	set_property(env, item, "retval", make_number(env, run.retval));
	set_property(env, item, "durationNs", make_number(env, run.duration_ns));
	set_property(env, item, "data", make_bytes(env, run.out.data(), run.out.size()));
	return item;
}

}  // namespace

void define_program(napi_env env, napi_value exports) {
	define(env, exports, "programInfo", program_info);
	define(env, exports, "programFd", program_fd);
	define(env, exports, "programStats", program_stats);
	define(env, exports, "programRunIterator", program_run_iterator);
	define(env, exports, "programTestRun", program_test_run);
}

}  // namespace bpfl
