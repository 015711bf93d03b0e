#include "mapping.h"

#include <errno.h>
#include <sys/mman.h>

namespace bpfl {

Failure Mapping::open(napi_env env, const MapShape& shape, std::shared_ptr<Mapping>* out) {
	void* bytes = nullptr;
	if (Failure refused = map_mmap(shape, &bytes)) return refused;
	const size_t size = map_mapped_size(shape);
	// The memory is unmapped when the buffer is collected; detaching makes it unreachable before.
	const auto release = [](napi_env, void* data, void* hint) { munmap(data, reinterpret_cast<size_t>(hint)); };
	napi_value buffer = nullptr;
	if (napi_create_external_arraybuffer(env, bytes, size, release, reinterpret_cast<void*>(size), &buffer) != napi_ok) {
		munmap(bytes, size);
		return failure("map_mmap", EOPNOTSUPP, shape.name, "this runtime allows no external buffers");
	}
	auto mapping = std::make_shared<Mapping>();
	mapping->env_ = env;
	if (napi_create_reference(env, buffer, 1, &mapping->reference_) != napi_ok) return failure("map_mmap", ENOMEM, shape.name);
	*out = std::move(mapping);
	return ok();
}

Mapping::~Mapping() { close(); }

napi_value Mapping::array_buffer() const {
	napi_value buffer = nullptr;
	napi_get_reference_value(env_, reference_, &buffer);
	return buffer;
}

void Mapping::close() {
	if (reference_ == nullptr) return;
	napi_handle_scope scope;
	if (napi_open_handle_scope(env_, &scope) == napi_ok) {
		if (napi_value buffer = array_buffer()) napi_detach_arraybuffer(env_, buffer);
		napi_close_handle_scope(env_, scope);
	}
	napi_delete_reference(env_, reference_);
	reference_ = nullptr;
}

}  // namespace bpfl
