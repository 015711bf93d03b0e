// The clock that bpf_ktime_get_boot_ns reads, which JavaScript has no other way to.
#include <time.h>

#include "env.h"
#include "handles.h"

namespace bpfl {
namespace {

napi_value boot_clock(napi_env env, napi_callback_info) {
	timespec before = {}, real = {}, after = {};
	clock_gettime(CLOCK_BOOTTIME, &before);
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &after);
	// The middle of the two readings is the boot time of the real-time reading, to half their distance.
	const int64_t first = before.tv_sec * 1000000000LL + before.tv_nsec;
	const int64_t last = after.tv_sec * 1000000000LL + after.tv_nsec;
	napi_value result = nullptr;
	napi_create_object(env, &result);
	set_property(env, result, "bootNs", make_number(env, static_cast<double>(first + (last - first) / 2)));
	set_property(env, result, "realSeconds", make_number(env, static_cast<double>(real.tv_sec)));
	set_property(env, result, "realNanos", make_number(env, static_cast<double>(real.tv_nsec)));
	return result;
}

}  // namespace

void define_clock(napi_env env, napi_value exports) { define(env, exports, "bootClock", boot_clock); }

}  // namespace bpfl
