// What this kernel allows, found out by doing it: the smallest program is loaded and, where loading says little,
// attached. Nothing stays.
#pragma once

#include <string>

#include "failure.h"

namespace bpfl {

struct Feature {
	std::string kind;      // program, map, helper, tp_btf, fentry, kprobe, tracepoint
	std::string type;      // program, map, helper: the kernel's short type name
	std::string category;  // tracepoint
	std::string name;      // tp_btf, fentry, kprobe, tracepoint
	int helper = 0;
};

struct Verdict {
	bool supported = false;
	Failure reason;  // when not supported
};

// A Failure only for a question that makes no sense (unknown kind or type).
Failure probe_feature(const Feature& feature, Verdict* out);

}  // namespace bpfl
