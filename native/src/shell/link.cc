#include "../core/link.h"

#include "async.h"
#include "handles.h"

namespace bpfl {

namespace {

using Attach = std::function<Failure(bpf_program*, std::shared_ptr<Link>*)>;

// Attaches on a pool thread. The Promise gives the link's handle; an object closed meanwhile takes the link with it.
napi_value attach(napi_env env, ProgramHandle* self, Attach how) {
	REQUIRE_OPEN(self->object, "attach", self->name);
	if (self->object->state() != State::loaded) {
		return throw_failure(env, failure("attach", EINVAL, self->name, "the object is not loaded"));
	}
	auto link = std::make_shared<std::shared_ptr<Link>>();
	const std::shared_ptr<Object> object = self->object;
	return start(env, {.name = "attach",
		.object = object,
		.run = [program = self->program, how = std::move(how), link] { return how(program, link.get()); },
		.done =
			[object, link](const Failure&) {
				if (!*link) return;
				if (object->closed()) (*link)->close();
				else object->adopt(*link);
			},
		.result = [object, link](napi_env result_env) { return wrap(result_env, new LinkHandle{*link, object}); }});
}

napi_value attach_section(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	return attach(env, self, attach_by_section);
}

napi_value attach_tracepoint_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_STRING(category, 1);
	REQUIRE_STRING(name, 2);
	return attach(env, self, [category, name](bpf_program* program, std::shared_ptr<Link>* out) {
		return attach_tracepoint(program, category, name, out);
	});
}

napi_value attach_kprobe_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(3);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_STRING(symbol, 1);
	REQUIRE_BOOL(retprobe, 2);
	return attach(env, self, [symbol, retprobe](bpf_program* program, std::shared_ptr<Link>* out) {
		return attach_kprobe(program, symbol, retprobe, out);
	});
}

// attachUprobe(program, path, symbol, offset, pid, retprobe, cookie)
napi_value attach_uprobe_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(7);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_STRING(path, 1);
	REQUIRE_STRING(symbol, 2);
	REQUIRE_INTEGER(offset, 3);
	REQUIRE_INTEGER(pid, 4);
	REQUIRE_BOOL(retprobe, 5);
	REQUIRE_BIGINT(cookie, 6);
	if (offset < 0) return throw_argument(env, 3, "an offset that is not negative");
	const UprobeTarget target{path, symbol, static_cast<uint64_t>(offset), static_cast<int>(pid), retprobe, cookie};
	return attach(env, self, [target](bpf_program* program, std::shared_ptr<Link>* out) {
		return attach_uprobe(program, target, out);
	});
}

// attachUsdt(program, path, provider, name, pid, cookie)
napi_value attach_usdt_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(6);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_STRING(path, 1);
	REQUIRE_STRING(provider, 2);
	REQUIRE_STRING(name, 3);
	REQUIRE_INTEGER(pid, 4);
	REQUIRE_BIGINT(cookie, 5);
	const UsdtTarget target{path, provider, name, static_cast<int>(pid), cookie};
	return attach(env, self, [target, object = self->object](bpf_program* program, std::shared_ptr<Link>* out) {
		return attach_usdt(object.get(), program, target, out);
	});
}

napi_value attach_cgroup_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_STRING(path, 1);
	return attach(env, self, [path](bpf_program* program, std::shared_ptr<Link>* out) {
		return attach_cgroup(program, path, out);
	});
}

napi_value attach_map_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(2);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_HANDLE(MapHandle, map, 1);
	REQUIRE_OPEN(map->object, "attach", map->name);
	if (Failure refused = ensure_shape(map)) return throw_failure(env, refused);
	return attach(env, self,
		[fd = share_fd(*map), name = map->name](bpf_program* program, std::shared_ptr<Link>* out) {
			return attach_map(program, *fd, name, out);
		});
}

// attachTc(program, ifindex, ingress, priority, handle)
napi_value attach_tc_method(napi_env env, napi_callback_info info) {
	ARGUMENTS(5);
	REQUIRE_HANDLE(ProgramHandle, self, 0);
	REQUIRE_UINT32(ifindex, 1);
	REQUIRE_BOOL(ingress, 2);
	REQUIRE_UINT32(priority, 3);
	REQUIRE_UINT32(handle, 4);
	const TcTarget target{static_cast<int>(ifindex), ingress, priority, handle};
	return attach(env, self, [target](bpf_program* program, std::shared_ptr<Link>* out) {
		return attach_tc(program, target, out);
	});
}

napi_value link_closed(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(LinkHandle, self, 0);
	return make_bool(env, self->link->closed());
}

napi_value link_close(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(LinkHandle, self, 0);
	self->link->close();
	return make_undefined(env);
}

napi_value link_close_async(napi_env env, napi_callback_info info) {
	ARGUMENTS(1);
	REQUIRE_HANDLE(LinkHandle, self, 0);
	const auto detach = [link = self->link] {
		link->close();
		return ok();
	};
	return start(env, {.name = "close", .object = self->object, .run = detach, .closing = true});
}

}  // namespace

void define_link(napi_env env, napi_value exports) {
	define(env, exports, "attachSection", attach_section);
	define(env, exports, "attachTracepoint", attach_tracepoint_method);
	define(env, exports, "attachKprobe", attach_kprobe_method);
	define(env, exports, "attachUprobe", attach_uprobe_method);
	define(env, exports, "attachUsdt", attach_usdt_method);
	define(env, exports, "attachCgroup", attach_cgroup_method);
	define(env, exports, "attachMap", attach_map_method);
	define(env, exports, "attachTc", attach_tc_method);
	define(env, exports, "linkClosed", link_closed);
	define(env, exports, "linkClose", link_close);
	define(env, exports, "linkCloseAsync", link_close_async);
}

}  // namespace bpfl
