#include "async.h"

#include "guards.h"

namespace bpfl {

namespace {

struct Running {
	Task task;
	napi_async_work work = nullptr;
	napi_deferred deferred = nullptr;
	Failure outcome;
};

void execute(napi_env, void* data) {
	auto* running = static_cast<Running*>(data);
	running->outcome = running->task.run();
}

void complete(napi_env env, napi_status status, void* data) {
	std::unique_ptr<Running> running(static_cast<Running*>(data));
	Task& task = running->task;
	Failure& outcome = running->outcome;
	if (status == napi_cancelled) outcome = failure(task.name, ECANCELED, "");
	if (task.done) task.done(outcome);
	if (!outcome && !task.closing && task.object && task.object->closed()) {
		outcome = failure(task.name, ECANCELED, task.object->name(), "the object was closed meanwhile");
	}
	if (outcome) {
		napi_reject_deferred(env, running->deferred, make_error(env, outcome));
	} else {
		napi_value value = task.result ? task.result(env) : make_undefined(env);
		napi_resolve_deferred(env, running->deferred, value == nullptr ? make_undefined(env) : value);
	}
	if (task.object) task.object->end();
	napi_delete_async_work(env, running->work);
}

}  // namespace

napi_value start(napi_env env, Task task) {
	auto* running = new Running{};
	running->task = std::move(task);
	napi_value promise = nullptr;
	if (napi_create_promise(env, &running->deferred, &promise) != napi_ok) {
		delete running;
		return nullptr;
	}
	if (running->task.object) running->task.object->begin();
	const napi_value name = make_string(env, std::string("bpf-native-loader:") + running->task.name);
	if (napi_create_async_work(env, nullptr, name, execute, complete, running, &running->work) != napi_ok ||
		napi_queue_async_work(env, running->work) != napi_ok) {
		complete(env, napi_cancelled, running);
	}
	return promise;
}

}  // namespace bpfl
