#include "object.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "btf.h"
#include "capture.h"

namespace bpfl {

namespace {

std::string base_name(const std::string& path) {
	std::string name = path.substr(path.rfind('/') + 1);
	for (const char* suffix : {".o", ".bpf"}) {
		const size_t length = strlen(suffix);
		if (name.size() > length && name.compare(name.size() - length, length, suffix) == 0) name.resize(name.size() - length);
	}
	return name;
}

}  // namespace

Object::Object(bpf_object* object, std::string name) : object_(object), name_(std::move(name)) {}

Object::~Object() {
	if (object_ != nullptr) close();
}

Failure Object::open_file(const std::string& path, const std::string& name, const std::string& btf_path,
	std::shared_ptr<Object>* out) {
	if (access(path.c_str(), R_OK) != 0) return failure("open", errno, path);
	const std::string given = name.empty() ? base_name(path) : name;
	Capture capture;
	LIBBPF_OPTS(bpf_object_open_opts, options);
	options.object_name = given.c_str();
	if (!btf_path.empty()) options.btf_custom_path = btf_path.c_str();
	bpf_object* object = bpf_object__open_file(path.c_str(), &options);
	if (object == nullptr) return capture.fail("open", errno, path);
	out->reset(new Object(object, given));
	return ok();
}

Failure Object::open_bytes(std::span<const uint8_t> bytes, const std::string& name, const std::string& btf_path,
	std::shared_ptr<Object>* out) {
	const std::string given = name.empty() ? "object" : name;
	if (bytes.empty()) return failure("open", EINVAL, given, "no bytes");
	Capture capture;
	LIBBPF_OPTS(bpf_object_open_opts, options);
	options.object_name = given.c_str();
	if (!btf_path.empty()) options.btf_custom_path = btf_path.c_str();
	bpf_object* object = bpf_object__open_mem(bytes.data(), bytes.size(), &options);
	if (object == nullptr) return capture.fail("open", errno, given);
	out->reset(new Object(object, given));
	return ok();
}

Failure Object::require_open(const char* operation, const std::string& subject) const {
	switch (state_) {
		case State::open: return ok();
		case State::loading: return failure(operation, EBUSY, subject, "the object is being loaded");
		case State::closed: return failure(operation, EBADF, subject, "the object is closed");
		default: return failure(operation, EINVAL, subject, "the object was loaded already");
	}
}

bpf_program* Object::program(const std::string& name) const {
	return bpf_object__find_program_by_name(object_, name.c_str());
}

bpf_map* Object::map(const std::string& name) const { return bpf_object__find_map_by_name(object_, name.c_str()); }

Failure Object::set_autoload(const std::string& name, bool autoload) {
	if (Failure refused = require_open("set_autoload", name)) return refused;
	bpf_program* found = program(name);
	if (found == nullptr) return failure("set_autoload", ENOENT, name, "no such program");
	if (const int err = bpf_program__set_autoload(found, autoload)) return failure("set_autoload", err, name);
	return ok();
}

Failure Object::set_autocreate(const std::string& name, bool autocreate) {
	if (Failure refused = require_open("set_autocreate", name)) return refused;
	bpf_map* found = map(name);
	if (found == nullptr) return failure("set_autocreate", ENOENT, name, "no such map");
	if (const int err = bpf_map__set_autocreate(found, autocreate)) return failure("set_autocreate", err, name);
	return ok();
}

Failure Object::set_max_entries(const std::string& name, uint32_t entries) {
	if (Failure refused = require_open("set_max_entries", name)) return refused;
	bpf_map* found = map(name);
	if (found == nullptr) return failure("set_max_entries", ENOENT, name, "no such map");
	if (const int err = bpf_map__set_max_entries(found, entries)) return failure("set_max_entries", err, name);
	return ok();
}

Failure Object::set_global(const std::string& name, std::span<const uint8_t> bytes) {
	if (Failure refused = require_open("set_global", name)) return refused;
	Global global;
	if (Failure refused = find_global(object_, name, &global)) return refused;
	if (bytes.size() != global.size) {
		return failure("set_global", EINVAL, name,
			"the variable has " + std::to_string(global.size) + " bytes, " + std::to_string(bytes.size()) + " were given");
	}
	memcpy(global.bytes, bytes.data(), bytes.size());
	return ok();
}

Failure Object::set_global(const std::string& name, int64_t value, bool is_unsigned_64) {
	if (Failure refused = require_open("set_global", name)) return refused;
	Global global;
	if (Failure refused = find_global(object_, name, &global)) return refused;
	if (!global.integer || global.size > 8) return failure("set_global", EINVAL, name, "the variable is no integer: give bytes");
	bool fits = true;
	if (global.size < 8) {
		const int bits = static_cast<int>(global.size) * 8;
		const int64_t low = global.is_signed ? -(int64_t{1} << (bits - 1)) : 0;
		const int64_t high = global.is_signed ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
		fits = !is_unsigned_64 && value >= low && value <= high;
	} else {
		fits = global.is_signed ? !is_unsigned_64 : is_unsigned_64 || value >= 0;
	}
	if (!fits) {
		return failure("set_global", ERANGE, name,
			"the value does not fit into " + std::to_string(global.size) + (global.is_signed ? " signed" : " unsigned") + " bytes");
	}
	// The low bytes of a two's complement number in the host's order: BPF objects have the order of the host.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(global.bytes, &value, global.size);
#else
	memcpy(global.bytes, reinterpret_cast<const uint8_t*>(&value) + 8 - global.size, global.size);
#endif
	return ok();
}

Failure Object::begin_load(unsigned log_level) {
	if (Failure refused = require_open("load", name_)) return refused;
	if (log_level > 0) {
		bpf_program* each;
		bpf_object__for_each_program(each, object_) bpf_program__set_log_level(each, log_level);
	}
	state_ = State::loading;
	begin();
	return ok();
}

Failure Object::run_load() {
	Capture capture;
	// libbpf first loads without a log and repeats a refused program with one, in a buffer that grows as needed.
	const int err = bpf_object__load(object_);
	return err == 0 ? ok() : capture.fail("load", err, name_);
}

void Object::finish_load(const Failure& outcome) {
	if (state_ == State::loading) state_ = outcome ? State::failed : State::loaded;
	end();
}

void Object::end() {
	busy_--;
	if (busy_ == 0 && state_ == State::closed) free_now();
}

void Object::adopt(std::shared_ptr<Closable> child) {
	std::erase_if(children_, [](const std::shared_ptr<Closable>& each) { return each->closed(); });
	children_.push_back(std::move(child));
}

void Object::close() {
	for (const auto& each : begin_close()) each->close();
	end();
}

std::vector<std::shared_ptr<Closable>> Object::begin_close() {
	begin();
	state_ = State::closed;
	// Newest first: what was attached last is detached first.
	std::vector<std::shared_ptr<Closable>> children(children_.rbegin(), children_.rend());
	children_.clear();
	for (const auto& each : children) {
		if (!each->closes_anywhere()) each->close();
	}
	std::erase_if(children, [](const std::shared_ptr<Closable>& each) { return !each->closes_anywhere(); });
	return children;
}

void Object::free_now() {
	if (object_ == nullptr) return;
	bpf_object__close(object_);
	object_ = nullptr;
}

}  // namespace bpfl
