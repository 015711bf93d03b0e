#include "env.h"

namespace bpfl {

namespace {

void end(napi_async_cleanup_hook_handle, void* data) {
	auto* self = static_cast<Env*>(data);
	self->ending = true;
	self->close_objects();
	if (self->closing_handles == 0) napi_remove_async_cleanup_hook(self->cleanup);
}

}  // namespace

Env* Env::of(napi_env env) {
	void* data = nullptr;
	napi_get_instance_data(env, &data);
	return static_cast<Env*>(data);
}

bool Env::create(napi_env env) {
	auto* self = new Env{};
	self->env = env;
	const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Env*>(data); };
	if (napi_set_instance_data(env, self, destroy, nullptr) != napi_ok) {
		delete self;
		return false;
	}
	return napi_add_async_cleanup_hook(env, end, self, &self->cleanup) == napi_ok;
}

void Env::close_objects() {
	napi_handle_scope scope;
	if (napi_open_handle_scope(env, &scope) != napi_ok) return;
	const auto open = std::move(objects);
	objects.clear();
	for (const auto& object : open) object->close();
	napi_close_handle_scope(env, scope);
}

void Env::handle_closed() {
	closing_handles--;
	if (ending && closing_handles == 0) napi_remove_async_cleanup_hook(cleanup);
}

}  // namespace bpfl
