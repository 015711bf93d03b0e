// Work that may block runs on libuv's pool; its Promise settles on the environment's thread.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>

#include "../core/failure.h"
#include "../core/object.h"

namespace bpfl {

struct Task {
	const char* name = "";
	// Kept alive (Object::begin/end) while the task runs; may be null.
	std::shared_ptr<Object> object;
	std::function<Failure()> run;                          // on a pool thread, no JavaScript
	std::function<void(const Failure&)> done = nullptr;    // on the environment's thread, always
	std::function<napi_value(napi_env)> result = nullptr;  // after success; null: undefined
	bool closing = false;  // the task closes: a closed object is what it wants
};

// Returns the Promise.
napi_value start(napi_env env, Task task);

}  // namespace bpfl
