// What one environment (main thread or worker) owns. There is no other state: the addon can be loaded in any number of
// worker threads.
#pragma once

#include <node_api.h>

#include <memory>
#include <set>
#include <vector>

#include "../core/object.h"

namespace bpfl {

struct Env {
	napi_env env = nullptr;
	napi_ref error_class = nullptr;  // BpfError, given by the JavaScript side
	// Open objects stay attached until they are closed or the environment ends, referenced or not.
	std::set<std::shared_ptr<Object>> objects;
	napi_async_cleanup_hook_handle cleanup = nullptr;
	bool ending = false;
	int closing_handles = 0;  // libuv handles whose close callback has not run

	static Env* of(napi_env env);
	static bool create(napi_env env);
	void close_objects();
	// Called when a libuv handle is finally closed.
	void handle_closed();
};

}  // namespace bpfl
