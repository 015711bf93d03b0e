// The C heap of the process: libbpf parses the kernel's types on pool threads, and what glibc keeps for those threads
// afterwards (tens of megabytes) nobody uses again.
#include <malloc.h>

#include "env.h"
#include "guards.h"
#include "handles.h"

namespace bpfl {
namespace {

napi_value limit_heap_arenas(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_UINT32(count, 0);
#ifdef __GLIBC__
	return make_bool(env, mallopt(M_ARENA_MAX, static_cast<int>(count)) == 1);
#else
	(void)count;
	return make_bool(env, false);
#endif
}

}  // namespace

void define_heap(napi_env env, napi_value exports) { define(env, exports, "limitHeapArenas", limit_heap_arenas); }

}  // namespace bpfl
