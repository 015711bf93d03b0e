#include "handles.h"
#include "ring_handle.h"

namespace bpfl {

namespace {

#define REQUIRE_RING()                                                                    \
	REQUIRE_HANDLE(RingHolder, holder, 0);                                                \
	RingHandle* const self = holder->ring.get();                                          \
	if (self->closed()) return throw_failure(env, failure("ring", EBADF, self->name(), "the ring is closed"))

napi_value ring_size(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_RING();
	return make_number(env, self->ring()->size());
}

// ringDrain(ring, into, maxRecords) → bytes
napi_value ring_drain(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_RING();
	REQUIRE_BYTES(into, 1);
	REQUIRE_UINT32(max_records, 2);
	return make_number(env, static_cast<double>(self->drain(into.data(), into.size(), max_records)));
}

napi_value ring_records(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_RING();
	return make_number(env, self->ring()->records());
}

napi_value ring_discarded(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_RING();
	return make_number(env, self->ring()->discarded());
}

napi_value ring_more(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_RING();
	return make_bool(env, self->ring()->more());
}

napi_value ring_available(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_RING();
	return make_number(env, static_cast<double>(self->ring()->available()));
}

napi_value ring_next_size(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_RING();
	return make_number(env, self->ring()->next_size());
}

// ringOnWakeup(ring, function | undefined)
napi_value ring_on_wakeup(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_RING();
	napi_valuetype type = napi_undefined;
	napi_typeof(env, args[1], &type);
	if (type != napi_undefined && type != napi_function) return throw_argument(env, 1, "a function or undefined");
	if (Failure refused = self->on_wakeup(type == napi_function ? args[1] : nullptr)) return throw_failure(env, refused);
	return make_undefined(env);
}

napi_value ring_close(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(RingHolder, holder, 0);
	holder->ring->close();
	return make_undefined(env);
}

}  // namespace

void define_ring(napi_env env, napi_value exports) {
	define(env, exports, "ringSize", ring_size);
	define(env, exports, "ringDrain", ring_drain);
	define(env, exports, "ringRecords", ring_records);
	define(env, exports, "ringDiscarded", ring_discarded);
	define(env, exports, "ringMore", ring_more);
	define(env, exports, "ringAvailable", ring_available);
	define(env, exports, "ringNextSize", ring_next_size);
	define(env, exports, "ringOnWakeup", ring_on_wakeup);
	define(env, exports, "ringClose", ring_close);
}

}  // namespace bpfl
