#include "env.h"

namespace bpfl {

namespace {

void end(napi_async_cleanup_hook_handle, void* data) {
	auto* self = static_cast<Env*>(data);
	self->ending = true;
	const auto objects = std::move(self->objects);
	self->objects.clear();
	for (const auto& object : objects) object->close();
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

void Env::handle_closed() {
	closing_handles--;
	if (ending && closing_handles == 0) napi_remove_async_cleanup_hook(cleanup);
}

}  // namespace bpfl
