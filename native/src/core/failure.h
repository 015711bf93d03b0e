// What went wrong, as a value: the core returns it, the shell turns it into a JavaScript BpfError. No exceptions.
#pragma once

#include <string>
#include <utility>

namespace bpfl {

struct Failure {
	int error = 0;          // positive errno; 0 = success
	std::string operation;  // "open", "load", "attach", "map_update" …
	std::string subject;    // program or map, "" if none
	std::string detail;     // the telling lines
	std::string log;        // everything libbpf and the verifier said

	explicit operator bool() const { return error != 0; }
};

inline Failure ok() { return {}; }

inline Failure failure(std::string operation, int error, std::string subject, std::string detail = {}) {
	if (error < 0) error = -error;
	return {error, std::move(operation), std::move(subject), std::move(detail), {}};
}

// "EPERM"; libbpf's own numbers (4000 and up) as "LIBBPF_…"; unknown ones as "E<number>".
std::string errno_name(int error);

// "EPERM (Operation not permitted)" style sentence for a Failure: "attach x: EPERM: detail".
std::string failure_message(const Failure& failure);

}  // namespace bpfl
