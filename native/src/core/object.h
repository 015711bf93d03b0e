// One BPF object: parsed, then loaded, then closed. Owns the libbpf object and everything attached or mapped from it.
// Used on one thread (the environment's), but for load and attach, which a pool thread runs between begin() and end():
// while such work runs, close() only marks the object and the last end() frees it.
#pragma once

#include <bpf/libbpf.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "failure.h"

namespace bpfl {

// Anything an object closes before itself.
class Closable {
public:
	virtual ~Closable() = default;
	virtual void close() = 0;
	virtual bool closed() const = 0;
	// Whether close() may run on any thread: detaching can wait tens of milliseconds for the kernel.
	virtual bool closes_anywhere() const { return false; }
};

enum class State { open, loading, loaded, failed, closed };

class Object {
public:
	static Failure open_file(const std::string& path, const std::string& name, const std::string& btf_path,
		std::shared_ptr<Object>* out);
	static Failure open_bytes(std::span<const uint8_t> bytes, const std::string& name, const std::string& btf_path,
		std::shared_ptr<Object>* out);
	~Object();
	Object(const Object&) = delete;
	Object& operator=(const Object&) = delete;

	State state() const { return state_; }
	bool closed() const { return state_ == State::closed; }
	bpf_object* raw() const { return object_; }
	const std::string& name() const { return name_; }

	Failure set_autoload(const std::string& program, bool autoload);
	Failure set_autocreate(const std::string& map, bool autocreate);
	Failure set_max_entries(const std::string& map, uint32_t entries);
	// bytes: the variable's size exactly.
	Failure set_global(const std::string& name, std::span<const uint8_t> bytes);
	// A whole number in two's complement; refused when it does not fit or the variable is no integer, bool or enum.
	Failure set_global(const std::string& name, int64_t value, bool is_unsigned_64 = false);

	// The three steps of a load: begin on the owning thread, run on any, finish on the owning thread.
	Failure begin_load(unsigned log_level);
	Failure run_load();
	void finish_load(const Failure& outcome);

	bpf_program* program(const std::string& name) const;
	bpf_map* map(const std::string& name) const;

	void begin() { busy_++; }
	void end();
	// Keeps the child, attached, until it is closed or the object is.
	void adopt(std::shared_ptr<Closable> child);
	void close();
	// The same in steps: begin_close() on the owning thread leaves what may close anywhere, for any thread to close (newest
	// first); end() on the owning thread then frees. Does nothing but begin() when the object is closed already.
	std::vector<std::shared_ptr<Closable>> begin_close();

	// libbpf's USDT manager is created on first use and is not thread safe.
	std::mutex usdt_mutex;

private:
	Object(bpf_object* object, std::string name);
	Failure require_open(const char* operation, const std::string& subject) const;
	void free_now();

	bpf_object* object_;
	std::string name_;
	State state_ = State::open;
	int busy_ = 0;
	std::vector<std::shared_ptr<Closable>> children_;
};

}  // namespace bpfl
