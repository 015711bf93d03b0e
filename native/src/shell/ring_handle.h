// A ring with its wake-up hook: a uv_poll_t on the ring's epoll descriptor, stopped after each call until the next
// drain (the latch).
#pragma once

#include <node_api.h>

#include "../core/object.h"
#include "../core/ring.h"

// The few functions of libuv that are used. Its header is no part of the Node-API headers; these are stable since 1.0
// (uv_handle_size, uv_handle_set_data since 1.19).
extern "C" {
struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;
size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void* uv_handle_get_data(const uv_handle_s* handle);
int uv_poll_init(uv_loop_s* loop, uv_poll_s* handle, int fd);
int uv_poll_start(uv_poll_s* handle, int events, void (*callback)(uv_poll_s*, int status, int events));
int uv_poll_stop(uv_poll_s* handle);
void uv_close(uv_handle_s* handle, void (*callback)(uv_handle_s*));
}

namespace bpfl {

class RingHandle final : public Closable {
public:
	RingHandle(napi_env env, std::unique_ptr<Ring> ring, std::string name)
		: env_(env), ring_(std::move(ring)), name_(std::move(name)) {}
	~RingHandle() override { close(); }

	Ring* ring() { return ring_.get(); }
	const std::string& name() const { return name_; }
	size_t drain(uint8_t* into, size_t capacity, uint64_t max_records);
	// callback: a function, or nullptr to stop.
	Failure on_wakeup(napi_value callback);
	bool closed() const override { return ring_ == nullptr; }
	void close() override;

private:
	static void readable(uv_poll_s* handle, int status, int events);
	void stop();
	void arm();

	napi_env env_;
	std::unique_ptr<Ring> ring_;
	std::string name_;
	uv_poll_s* poll_ = nullptr;
	bool armed_ = false;
	napi_ref callback_ = nullptr;
	napi_async_context context_ = nullptr;
};

}  // namespace bpfl
