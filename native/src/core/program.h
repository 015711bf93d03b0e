// What the kernel tells about a loaded program, iterators, test runs, and the programs of the whole machine.
#pragma once

#include <bpf/libbpf.h>
#include <stdint.h>

#include <span>
#include <string>
#include <vector>

#include "failure.h"

namespace bpfl {

struct ProgramFacts {
	uint32_t id = 0;
	uint64_t run_count = 0;
	uint64_t run_time_ns = 0;
	uint64_t recursion_misses = 0;
	uint32_t verified_instructions = 0;
	uint64_t memlock_bytes = 0;
	uint32_t translated_bytes = 0;
	uint32_t jited_bytes = 0;
};

Failure program_facts(bpf_program* program, ProgramFacts* out);

// Runs an iterator to its end. map_fd: -1, or the map that a map element iterator walks.
Failure run_iterator(bpf_program* program, int map_fd, std::vector<uint8_t>* out);

struct TestRun {
	std::span<const uint8_t> data;
	std::span<const uint8_t> context;
	uint32_t repeat = 0;
	uint32_t retval = 0;       // out
	uint32_t duration_ns = 0;  // out: average of one run
	std::vector<uint8_t> out;
};

Failure test_run(bpf_program* program, TestRun* run);

struct ListedProgram {
	uint32_t id = 0;
	std::string name;
	std::string type;
};

Failure list_programs(std::vector<ListedProgram>* out);

// The kernel's short names: "tracing", "hash" …; "type <n>" for those that this libbpf does not know.
std::string program_type_name(uint32_t type);
std::string map_type_name(uint32_t type);

}  // namespace bpfl
