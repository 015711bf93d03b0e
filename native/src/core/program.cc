#include "program.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"

namespace bpfl {

namespace {

// Locked memory stands only in the descriptor's fdinfo.
uint64_t memlock_of(int fd) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	FILE* file = fopen(path, "re");
	if (file == nullptr) return 0;
	char line[128];
	unsigned long long bytes = 0;
	while (fgets(line, sizeof(line), file) != nullptr) {
		if (sscanf(line, "memlock: %llu", &bytes) == 1) break;
	}
	fclose(file);
	return bytes;
}

}  // namespace

Failure program_facts(bpf_program* program, ProgramFacts* out) {
	const char* name = bpf_program__name(program);
	const int fd = bpf_program__fd(program);
	if (fd < 0) return failure("program_info", EINVAL, name, "the program is not loaded");
	bpf_prog_info info{};
	uint32_t length = sizeof(info);
	if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0) return failure("program_info", errno, name);
	out->id = info.id;
	out->run_count = info.run_cnt;
	out->run_time_ns = info.run_time_ns;
	out->recursion_misses = info.recursion_misses;
	out->verified_instructions = info.verified_insns;
	out->translated_bytes = info.xlated_prog_len;
	out->jited_bytes = info.jited_prog_len;
	out->memlock_bytes = memlock_of(fd);
	return ok();
}

Failure run_iterator(bpf_program* program, int map_fd, std::vector<uint8_t>* out) {
	const char* name = bpf_program__name(program);
	if (bpf_program__fd(program) < 0) return failure("iterate", EINVAL, name, "the program is not loaded");
	Capture capture;
	LIBBPF_OPTS(bpf_iter_attach_opts, options);
	bpf_iter_link_info target{};
	if (map_fd >= 0) {
		target.map.map_fd = static_cast<uint32_t>(map_fd);
		options.link_info = &target;
		options.link_info_len = sizeof(target);
	}
	bpf_link* link = bpf_program__attach_iter(program, &options);
	if (link == nullptr) return capture.fail("iterate", errno, name);
	const int fd = bpf_iter_create(bpf_link__fd(link));
	int error = fd < 0 ? errno : 0;
	size_t used = 0;
	while (error == 0) {
		if (out->size() - used < 4096) out->resize(out->size() * 2 + (64 << 10));
		const ssize_t got = read(fd, out->data() + used, out->size() - used);
		if (got == 0) break;
		if (got > 0) {
			used += static_cast<size_t>(got);
		} else if (errno != EAGAIN && errno != EINTR) {  // EAGAIN: the kernel gives up the CPU in a long walk
			error = errno;
		}
	}
	out->resize(used);
	if (fd >= 0) close(fd);
	bpf_link__destroy(link);
	return error == 0 ? ok() : failure("iterate", error, name);
}

Failure test_run(bpf_program* program, TestRun* run) {
	const char* name = bpf_program__name(program);
	const int fd = bpf_program__fd(program);
	if (fd < 0) return failure("test_run", EINVAL, name, "the program is not loaded");
	std::vector<uint8_t> context(run->context.begin(), run->context.end());
	LIBBPF_OPTS(bpf_test_run_opts, options);
	if (!run->data.empty()) {
		run->out.resize(run->data.size() + 512);  // programs may add headers
		options.data_in = run->data.data();
		options.data_size_in = static_cast<uint32_t>(run->data.size());
		options.data_out = run->out.data();
		options.data_size_out = static_cast<uint32_t>(run->out.size());
	}
	if (!context.empty()) {
		options.ctx_in = context.data();
		options.ctx_size_in = static_cast<uint32_t>(context.size());
	}
	options.repeat = static_cast<int>(run->repeat);
	if (bpf_prog_test_run_opts(fd, &options) != 0) return failure("test_run", errno, name);
	run->out.resize(run->data.empty() ? 0 : options.data_size_out);
	run->retval = options.retval;
	run->duration_ns = options.duration;
	return ok();
}

Failure list_programs(std::vector<ListedProgram>* out) {
	uint32_t id = 0;
	while (bpf_prog_get_next_id(id, &id) == 0) {
		const int fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0) {
			if (errno == ENOENT) continue;  // gone meanwhile
			return failure("list_programs", errno, "");
		}
		bpf_prog_info info{};
		uint32_t length = sizeof(info);
		const int err = bpf_obj_get_info_by_fd(fd, &info, &length);
		const int error = errno;
		close(fd);
		if (err != 0) return failure("list_programs", error, "");
		out->push_back({info.id, std::string(info.name, strnlen(info.name, sizeof(info.name))), program_type_name(info.type)});
	}
	return errno == ENOENT ? ok() : failure("list_programs", errno, "");
}

std::string program_type_name(uint32_t type) {
	const char* name = libbpf_bpf_prog_type_str(static_cast<bpf_prog_type>(type));
	return name == nullptr ? "type " + std::to_string(type) : name;
}

std::string map_type_name(uint32_t type) {
	const char* name = libbpf_bpf_map_type_str(static_cast<bpf_map_type>(type));
	return name == nullptr ? "type " + std::to_string(type) : name;
}

}  // namespace bpfl
