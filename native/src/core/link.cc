#include "link.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "elf_symbol.h"
#include "kprobe.h"
#include "tracefs.h"

namespace bpfl {

namespace {

constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);  // BPF_TCX_INGRESS and _EGRESS, Linux 6.6
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);

Failure require_loaded(bpf_program* program) {
	if (bpf_program__fd(program) >= 0) return ok();
	return failure("attach", EINVAL, bpf_program__name(program), "the program is not loaded");
}

Failure keep(bpf_program* program, bpf_link* link, int error, const Capture& capture, std::shared_ptr<Link>* out) {
	if (link == nullptr) return capture.fail("attach", error, bpf_program__name(program));
	*out = std::make_shared<Link>(bpf_program__name(program), link);
	return ok();
}

// The first probe on a page that is not cached made one ext4 warn in the kernel log: read the page before.
Failure touch_page(const std::string& path, uint64_t offset, const char* program) {
	const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0) return failure("attach", errno, program, path + ": " + strerror(errno));
	char byte;
	const ssize_t got = pread(fd, &byte, 1, static_cast<off_t>(offset));
	const int error = errno;
	close(fd);
	if (got < 0) return failure("attach", error, program, path + " cannot be read");
	if (got == 0) return failure("attach", EINVAL, program, "offset " + std::to_string(offset) + " lies behind the end of " + path);
	return ok();
}

}  // namespace

void Link::close() {
	if (closed_.exchange(true)) return;
	if (link_ != nullptr) bpf_link__destroy(link_);
	if (link_fd_ >= 0) ::close(link_fd_);
	if (target_fd_ >= 0) {
		bpf_prog_detach2(prog_fd_, target_fd_, type_);
		::close(target_fd_);
		::close(prog_fd_);
	}
	if (is_tc_) {
		Capture quiet;
		tc_.flags = tc_.prog_fd = tc_.prog_id = 0;
		bpf_tc_detach(&hook_, &tc_);
	}
}

Failure attach_by_section(bpf_program* program, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	const std::string section = bpf_program__section_name(program);
	const char* name = bpf_program__name(program);
	for (const char* prefix : {"tracepoint/", "tp/"}) {
		if (section.rfind(prefix, 0) != 0) continue;
		const size_t from = strlen(prefix);
		const size_t slash = section.find('/', from);
		if (slash == std::string::npos) return failure("attach", EINVAL, name, "section '" + section + "' names no tracepoint");
		return attach_tracepoint(program, section.substr(from, slash - from), section.substr(slash + 1), out);
	}
	if (section.rfind("kprobe/", 0) == 0 || section.rfind("kretprobe/", 0) == 0) {
		uint32_t pmu = 0;
		if (Failure refused = kprobe_pmu("attach", name, &pmu)) return refused;
	}
	Capture capture;
	bpf_link* link = bpf_program__attach(program);
	if (link == nullptr && errno == EOPNOTSUPP && capture.text().empty()) {
		return failure("attach", EOPNOTSUPP, name, "section '" + section + "' does not say where to attach");
	}
	return keep(program, link, errno, capture, out);
}

Failure attach_tracepoint(bpf_program* program, const std::string& category, const std::string& name,
	std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	int event = -1;
	if (Failure refused = open_tracepoint(category, name, &event)) {
		refused.subject = bpf_program__name(program);
		return refused;
	}
	Capture capture;
	bpf_link* link = bpf_program__attach_perf_event(program, event);
	const int error = errno;
	if (link == nullptr) close(event);
	return keep(program, link, error, capture, out);
}

Failure attach_kprobe(bpf_program* program, const std::string& symbol, bool retprobe, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	uint32_t pmu = 0;
	if (Failure refused = kprobe_pmu("attach", bpf_program__name(program), &pmu)) return refused;
	Capture capture;
	bpf_link* link = bpf_program__attach_kprobe(program, retprobe, symbol.c_str());
	return keep(program, link, errno, capture, out);
}

Failure attach_uprobe(bpf_program* program, const UprobeTarget& target, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	const char* name = bpf_program__name(program);
	uint64_t offset = target.offset;
	if (!target.symbol.empty()) {
		uint64_t start = 0;
		if (Failure refused = find_symbol(target.path, target.symbol, &start)) {
			refused.operation = "attach";
			refused.subject = name;
			return refused;
		}
		offset += start;
	}
	if (Failure refused = touch_page(target.path, offset, name)) return refused;
	Capture capture;
	LIBBPF_OPTS(bpf_uprobe_opts, options);
	options.retprobe = target.retprobe;
	options.bpf_cookie = target.cookie;
	bpf_link* link = bpf_program__attach_uprobe_opts(program, target.pid, target.path.c_str(), offset, &options);
	return keep(program, link, errno, capture, out);
}

Failure attach_usdt(Object* object, bpf_program* program, const UsdtTarget& target, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	const char* name = bpf_program__name(program);
	for (const uint64_t offset : usdt_offsets(target.path, target.provider, target.name)) {
		if (Failure refused = touch_page(target.path, offset, name)) return refused;
	}
	Capture capture;
	LIBBPF_OPTS(bpf_usdt_opts, options);
	options.usdt_cookie = target.cookie;
	std::scoped_lock lock(object->usdt_mutex);
	bpf_link* link = bpf_program__attach_usdt(program, target.pid, target.path.c_str(), target.provider.c_str(),
		target.name.c_str(), &options);
	return keep(program, link, errno, capture, out);
}

Failure attach_cgroup(bpf_program* program, const std::string& path, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	const char* name = bpf_program__name(program);
	const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return failure("attach", errno, name, path + ": " + strerror(errno));
	Capture capture;
	bpf_link* link = bpf_program__attach_cgroup(program, fd);
	const int error = errno;
	close(fd);
	return keep(program, link, error, capture, out);
}

Failure attach_map(bpf_program* program, int map_fd, const std::string& map_name, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	const char* name = bpf_program__name(program);
	const int prog_fd = bpf_program__fd(program);
	bpf_attach_type type = bpf_program__expected_attach_type(program);
	if (bpf_program__type(program) == BPF_PROG_TYPE_SK_MSG) type = BPF_SK_MSG_VERDICT;
	Capture capture;
	const int link_fd = bpf_link_create(prog_fd, map_fd, type, nullptr);
	if (link_fd >= 0) {
		*out = std::make_shared<Link>(name, link_fd);
		return ok();
	}
	// Links to sockmaps came with Linux 6.10; before, an attachment that ends with the map.
	if (errno != EINVAL && errno != EOPNOTSUPP) return capture.fail("attach", errno, name);
	if (bpf_prog_attach(prog_fd, map_fd, type, 0) != 0) {
		Failure refused = capture.fail("attach", errno, name);
		if (refused.detail.empty()) refused.detail = "map " + map_name + " refuses the program";
		return refused;
	}
	*out = std::make_shared<Link>(name, fcntl(map_fd, F_DUPFD_CLOEXEC, 0), fcntl(prog_fd, F_DUPFD_CLOEXEC, 0), type);
	return ok();
}

Failure attach_tc(bpf_program* program, const TcTarget& target, std::shared_ptr<Link>* out) {
	if (Failure refused = require_loaded(program)) return refused;
	const char* name = bpf_program__name(program);
	const int prog_fd = bpf_program__fd(program);
	Capture capture;
	if (target.priority == 0 && target.handle == 0) {
		// A tcx link (6.6) ends with its file descriptor, even when the process is killed. A clsact filter does not.
		const int link_fd = bpf_link_create(prog_fd, target.ifindex, target.ingress ? kTcxIngress : kTcxEgress, nullptr);
		if (link_fd >= 0) {
			*out = std::make_shared<Link>(name, link_fd);
			return ok();
		}
		if (errno != EINVAL && errno != EOPNOTSUPP) {
			return failure("attach", errno, name, "interface " + std::to_string(target.ifindex) + ": " + strerror(errno));
		}
	}
	LIBBPF_OPTS(bpf_tc_hook, hook);
	hook.ifindex = target.ifindex;
	hook.attach_point = target.ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
	const int created = bpf_tc_hook_create(&hook);
	if (created != 0 && created != -EEXIST) return capture.fail("attach", created, name);
	LIBBPF_OPTS(bpf_tc_opts, options);
	options.prog_fd = prog_fd;
	options.priority = target.priority;
	options.handle = target.handle;
	if (const int err = bpf_tc_attach(&hook, &options)) return capture.fail("attach", err, name);
	*out = std::make_shared<Link>(name, hook, options);
	return ok();
}

}  // namespace bpfl
