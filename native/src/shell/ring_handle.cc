#include "ring_handle.h"

#include <errno.h>
#include <stdlib.h>

#include "env.h"
#include "guards.h"

namespace bpfl {

namespace {

constexpr int kUvPoll = 8;  // uv_handle_type UV_POLL
constexpr int kUvReadable = 1;

uv_handle_s* as_handle(uv_poll_s* poll) { return reinterpret_cast<uv_handle_s*>(poll); }

}  // namespace

size_t RingHandle::drain(uint8_t* into, size_t capacity, uint64_t max_records) {
	// Wake-ups up to here are answered by this drain; one that comes during it stays pending and is reported after.
	const bool rearm = poll_ != nullptr && !armed_;
	if (rearm) ring_->clear_wakeups();
	const size_t bytes = ring_->drain(into, capacity, max_records);
	if (rearm) arm();
	return bytes;
}

Failure RingHandle::on_wakeup(napi_value callback) {
	if (callback == nullptr) {
		stop();
		return ok();
	}
	if (Failure refused = ring_->open_epoll()) return refused;
	napi_ref reference = nullptr;
	if (napi_create_reference(env_, callback, 1, &reference) != napi_ok) return failure("ring_wakeup", ENOMEM, name_);
	if (callback_ != nullptr) napi_delete_reference(env_, callback_);
	callback_ = reference;
	if (poll_ != nullptr) return ok();
	uv_loop_s* loop = nullptr;
	if (napi_get_uv_event_loop(env_, &loop) != napi_ok) {
		stop();
		return failure("ring_wakeup", EOPNOTSUPP, name_, "no event loop");
	}
	if (napi_async_init(env_, nullptr, make_string(env_, "bpf-native-loader:wakeup"), &context_) != napi_ok) context_ = nullptr;
	auto* poll = static_cast<uv_poll_s*>(calloc(1, uv_handle_size(kUvPoll)));
	if (poll == nullptr) {
		stop();
		return failure("ring_wakeup", ENOMEM, name_);
	}
	if (const int err = uv_poll_init(loop, poll, ring_->epoll_fd())) {
		free(poll);
		stop();
		return failure("ring_wakeup", err, name_);
	}
	poll_ = poll;
	uv_handle_set_data(as_handle(poll_), this);
	arm();
	return ok();
}

void RingHandle::arm() {
	if (uv_poll_start(poll_, kUvReadable, readable) == 0) armed_ = true;
}

void RingHandle::readable(uv_poll_s* handle, int, int) {
	auto* self = static_cast<RingHandle*>(uv_handle_get_data(as_handle(handle)));
	uv_poll_stop(handle);
	self->armed_ = false;
	napi_env env = self->env_;
	napi_handle_scope scope;
	if (napi_open_handle_scope(env, &scope) != napi_ok) return;
	napi_value callback = nullptr, receiver = nullptr;
	napi_get_reference_value(env, self->callback_, &callback);
	napi_get_global(env, &receiver);
	// The callback may close this ring: nothing of it is touched afterwards.
	const napi_status status = napi_make_callback(env, self->context_, receiver, callback, 0, nullptr, nullptr);
	if (status == napi_pending_exception) {
		napi_value error = nullptr;
		napi_get_and_clear_last_exception(env, &error);
		napi_fatal_exception(env, error);
	}
	napi_close_handle_scope(env, scope);
}

void RingHandle::stop() {
	if (poll_ != nullptr) {
		Env::of(env_)->closing_handles++;
		uv_handle_set_data(as_handle(poll_), Env::of(env_));
		uv_close(as_handle(poll_), [](uv_handle_s* handle) {
			auto* env = static_cast<Env*>(uv_handle_get_data(handle));
			free(handle);
			env->handle_closed();
		});
		poll_ = nullptr;
		armed_ = false;
	}
	if (callback_ != nullptr) napi_delete_reference(env_, callback_);
	callback_ = nullptr;
	if (context_ != nullptr) napi_async_destroy(env_, context_);
	context_ = nullptr;
}

void RingHandle::close() {
	if (ring_ == nullptr) return;
	stop();
	ring_.reset();
}

}  // namespace bpfl
