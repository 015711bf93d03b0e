// One attachment. close() detaches; the object closes the links that are still open before itself.
#pragma once

#include <bpf/libbpf.h>

#include <atomic>
#include <memory>
#include <string>

#include "object.h"

namespace bpfl {

class Link final : public Closable {
public:
	// Owned by a libbpf link.
	Link(std::string program, bpf_link* link) : program_(std::move(program)), link_(link) {}
	// A file descriptor of a kernel link.
	Link(std::string program, int link_fd) : program_(std::move(program)), link_fd_(link_fd) {}
	// Attached to a sockmap the old way: detached by (map, program, type). map_fd is owned, prog_fd too.
	Link(std::string program, int map_fd, int prog_fd, bpf_attach_type type)
		: program_(std::move(program)), target_fd_(map_fd), prog_fd_(prog_fd), type_(type) {}
	// A classic tc filter, which outlives the process if nobody detaches it.
	Link(std::string program, const bpf_tc_hook& hook, const bpf_tc_opts& options)
		: program_(std::move(program)), hook_(hook), tc_(options), is_tc_(true) {}
	~Link() override { close(); }

	const std::string& program() const { return program_; }
	bool closed() const override { return closed_; }
	bool closes_anywhere() const override { return true; }
	void close() override;

private:
	std::string program_;
	std::atomic<bool> closed_ = false;  // whoever sets it detaches
	bpf_link* link_ = nullptr;
	int link_fd_ = -1;
	int target_fd_ = -1;
	int prog_fd_ = -1;
	bpf_attach_type type_ = BPF_CGROUP_INET_INGRESS;
	bpf_tc_hook hook_{};
	bpf_tc_opts tc_{};
	bool is_tc_ = false;
};

struct UprobeTarget {
	std::string path;
	std::string symbol;   // "" = offset alone
	uint64_t offset = 0;  // in the file, or from the symbol
	int pid = -1;         // -1: every process
	bool retprobe = false;
	uint64_t cookie = 0;
};

struct UsdtTarget {
	std::string path;
	std::string provider;
	std::string name;
	int pid = -1;
	uint64_t cookie = 0;
};

struct TcTarget {
	int ifindex = 0;
	bool ingress = true;
	uint32_t priority = 0;  // 0 = the kernel chooses
	uint32_t handle = 0;
};

// All of these may run on any thread while the object is kept by Object::begin.
Failure attach_by_section(bpf_program* program, std::shared_ptr<Link>* out);
Failure attach_tracepoint(bpf_program* program, const std::string& category, const std::string& name,
	std::shared_ptr<Link>* out);
Failure attach_kprobe(bpf_program* program, const std::string& symbol, bool retprobe, std::shared_ptr<Link>* out);
Failure attach_uprobe(bpf_program* program, const UprobeTarget& target, std::shared_ptr<Link>* out);
Failure attach_usdt(Object* object, bpf_program* program, const UsdtTarget& target, std::shared_ptr<Link>* out);
Failure attach_cgroup(bpf_program* program, const std::string& path, std::shared_ptr<Link>* out);
Failure attach_map(bpf_program* program, int map_fd, const std::string& map_name, std::shared_ptr<Link>* out);
Failure attach_tc(bpf_program* program, const TcTarget& target, std::shared_ptr<Link>* out);

}  // namespace bpfl
