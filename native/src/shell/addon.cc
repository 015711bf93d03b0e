// Entry point: one call per environment.
#include "../core/capture.h"
#include "env.h"
#include "handles.h"

namespace bpfl {

void define(napi_env env, napi_value exports, const char* name, napi_callback method) {
	napi_value function = nullptr;
	if (napi_create_function(env, name, NAPI_AUTO_LENGTH, method, nullptr, &function) != napi_ok) return;
	napi_set_named_property(env, exports, name, function);
}

}  // namespace bpfl

NAPI_MODULE_INIT() {
	using namespace bpfl;
	if (!Env::create(env)) {
		napi_throw_error(env, nullptr, "bpf-native-loader: the environment refuses the addon");
		return nullptr;
	}
	install_capture();
	define_object(env, exports);
	define_program(env, exports);
	define_link(env, exports);
	define_map(env, exports);
	define_ring(env, exports);
	define_system(env, exports);
	define_clock(env, exports);
	define_heap(env, exports);
	return exports;
}
