#include "feature.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <span>

#include "capture.h"
#include "kprobe.h"
#include "tracefs.h"

namespace bpfl {

namespace {

// r0 = 0; exit
const bpf_insn kReturnZero[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
};

struct File {
	int fd = -1;
	~File() {
		if (fd >= 0) close(fd);
	}
};

Verdict no(int error, const std::string& subject, std::string detail) {
	return {false, failure("probe", error, subject, std::move(detail))};
}

Verdict yes() { return {true, {}}; }

int load(bpf_prog_type type, bpf_attach_type attach, int btf_id, std::span<const bpf_insn> instructions, std::string* log) {
	char text[4096] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, options);
	options.expected_attach_type = attach;
	options.attach_btf_id = static_cast<uint32_t>(btf_id > 0 ? btf_id : 0);
	options.log_buf = text;
	options.log_size = sizeof(text);
	options.log_level = 1;
	const int fd = bpf_prog_load(type, "bpfl_probe", "GPL", instructions.data(), instructions.size(), &options);
	const int error = errno;
	if (fd < 0) *log = text;
	errno = error;
	return fd;
}

int load_smallest(bpf_prog_type type, bpf_attach_type attach, int btf_id, std::string* log) {
	const int fd = load(type, attach, btf_id, kReturnZero, log);
	const int error = errno;
	*log = telling_lines(*log);
	errno = error;
	return fd;
}

// Where a program of this type must say at load what it will be attached to.
bpf_attach_type attach_type_of(bpf_prog_type type) {
	switch (type) {
		case BPF_PROG_TYPE_CGROUP_SOCK_ADDR: return BPF_CGROUP_INET4_CONNECT;
		case BPF_PROG_TYPE_CGROUP_SOCKOPT: return BPF_CGROUP_GETSOCKOPT;
		case BPF_PROG_TYPE_SK_LOOKUP: return BPF_SK_LOOKUP;
		case BPF_PROG_TYPE_TRACING: return BPF_TRACE_RAW_TP;
		default: return BPF_CGROUP_INET_INGRESS;
	}
}

// libbpf 1.1 looks for words that kernels from 6.12 on no longer write, and then takes every helper for allowed.
Verdict probe_helper(bpf_prog_type type, int helper, const std::string& subject) {
	if (type == BPF_PROG_TYPE_LSM || type == BPF_PROG_TYPE_EXT || type == BPF_PROG_TYPE_STRUCT_OPS) {
		return no(EOPNOTSUPP, subject, "helpers of this program type cannot be probed");
	}
	int btf_id = 0;
	if (type == BPF_PROG_TYPE_TRACING) {
		btf_id = libbpf_find_vmlinux_btf_id("sched_switch", BPF_TRACE_RAW_TP);
		if (btf_id <= 0) return no(btf_id, subject, "the kernel's BTF has no sched_switch to probe with");
	}
	const bpf_insn call[] = {
		{.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = helper},
		kReturnZero[0],
		kReturnZero[1],
	};
	std::string log;
	File program{load(type, attach_type_of(type), btf_id, call, &log)};
	if (program.fd >= 0) return yes();
	for (const char* refusal : {"unknown func", "invalid func", "cannot use helper", "unknown helper"}) {
		if (log.find(refusal) != std::string::npos) return no(EOPNOTSUPP, subject, telling_lines(log));
	}
	// Refused for its missing arguments: then the helper itself was accepted.
	return log.empty() ? no(errno, subject, "load refused") : yes();
}

Verdict probe_btf(const std::string& name, bpf_attach_type attach, bool also_attach) {
	Capture capture;
	const int id = libbpf_find_vmlinux_btf_id(name.c_str(), attach);
	if (id <= 0) return no(id == 0 ? ENOENT : id, name, "the kernel's BTF has no such " + std::string(also_attach ? "function" : "tracepoint"));
	std::string log;
	File program{load_smallest(BPF_PROG_TYPE_TRACING, attach, id, &log)};
	if (program.fd < 0) return no(errno, name, "load refused" + (log.empty() ? "" : ": " + log));
	if (!also_attach) return yes();
	File link{bpf_raw_tracepoint_open(nullptr, program.fd)};
	return link.fd >= 0 ? yes() : no(errno, name, std::string("attach refused: ") + strerror(errno));
}

Verdict probe_perf(const std::string& subject, bpf_prog_type type, int event_fd) {
	File event{event_fd};
	std::string log;
	File program{load_smallest(type, BPF_CGROUP_INET_INGRESS, 0, &log)};
	if (program.fd < 0) return no(errno, subject, "load refused" + (log.empty() ? "" : ": " + log));
	if (ioctl(event.fd, PERF_EVENT_IOC_SET_BPF, program.fd) != 0) {
		return no(errno, subject, std::string("attach refused: ") + strerror(errno));
	}
	return yes();
}

Verdict probe_kprobe(const std::string& symbol) {
	perf_event_attr attr{};
	attr.size = sizeof(attr);
	if (Failure refused = kprobe_pmu("probe", symbol, &attr.type)) return {false, refused};
	attr.config1 = reinterpret_cast<uint64_t>(symbol.c_str());
	const long fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) return no(errno, symbol, std::string("perf_event_open: ") + strerror(errno));
	return probe_perf(symbol, BPF_PROG_TYPE_KPROBE, static_cast<int>(fd));
}

// The number behind a short name, by asking libbpf for the names of all numbers. -1: unknown.
template <typename Name>
int number_of(const std::string& wanted, Name name) {
	for (int i = 1; i < 128; i++) {
		const char* each = name(i);
		if (each != nullptr && wanted == each) return i;
	}
	return -1;
}

int program_type_of(const std::string& name) {
	return number_of(name, [](int i) { return libbpf_bpf_prog_type_str(static_cast<bpf_prog_type>(i)); });
}

int map_type_of(const std::string& name) {
	return number_of(name, [](int i) { return libbpf_bpf_map_type_str(static_cast<bpf_map_type>(i)); });
}

Verdict from_libbpf(int answer, const std::string& subject) {
	if (answer == 1) return yes();
	if (answer == 0) return no(EOPNOTSUPP, subject, "the kernel refuses it");
	return no(answer, subject, "it cannot be probed: " + std::string(strerror(-answer)));
}

}  // namespace

Failure probe_feature(const Feature& feature, Verdict* out) {
	Capture capture;
	if (feature.kind == "program" || feature.kind == "helper") {
		const int type = program_type_of(feature.type);
		if (type < 0) return failure("probe", EINVAL, feature.type, "no such program type");
		const auto prog_type = static_cast<bpf_prog_type>(type);
		*out = feature.kind == "program"
			? from_libbpf(libbpf_probe_bpf_prog_type(prog_type, nullptr), feature.type)
			: probe_helper(prog_type, feature.helper, feature.type + " helper " + std::to_string(feature.helper));
	} else if (feature.kind == "map") {
		const int type = map_type_of(feature.type);
		if (type < 0) return failure("probe", EINVAL, feature.type, "no such map type");
		*out = from_libbpf(libbpf_probe_bpf_map_type(static_cast<bpf_map_type>(type), nullptr), feature.type);
	} else if (feature.kind == "tp_btf") {
		*out = probe_btf(feature.name, BPF_TRACE_RAW_TP, false);
	} else if (feature.kind == "fentry") {
		*out = probe_btf(feature.name, BPF_TRACE_FENTRY, true);
	} else if (feature.kind == "kprobe") {
		*out = probe_kprobe(feature.name);
	} else if (feature.kind == "tracepoint") {
		int event = -1;
		if (Failure refused = open_tracepoint(feature.category, feature.name, &event)) {
			*out = {false, refused};
		} else {
			*out = probe_perf(feature.category + "/" + feature.name, BPF_PROG_TYPE_TRACEPOINT, event);
		}
	} else {
		return failure("probe", EINVAL, feature.kind, "no such kind of feature");
	}
	return ok();
}

}  // namespace bpfl
