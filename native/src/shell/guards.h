// The first lines of every method: take the arguments, check them, return a TypeError before anything happens.
#pragma once

#include <node_api.h>
#include <stdint.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../core/failure.h"

namespace bpfl {

// One type tag a kind of handle: a handle of another kind, or of another addon, is refused.
template <typename T>
struct Tag;

// The one place that makes errors. All return nullptr so that a method can return what they return.
napi_value throw_failure(napi_env env, const Failure& failure);
napi_value make_error(napi_env env, const Failure& failure);
napi_value throw_argument(napi_env env, int index, const char* expected);

bool get_string(napi_env env, napi_value value, std::string* out);
bool get_uint32(napi_env env, napi_value value, uint32_t* out);
bool get_integer(napi_env env, napi_value value, int64_t* out);  // a safe integer
bool get_bool(napi_env env, napi_value value, bool* out);
bool get_bytes(napi_env env, napi_value value, std::span<uint8_t>* out);
bool get_bigint(napi_env env, napi_value value, uint64_t* out);
bool is_undefined(napi_env env, napi_value value);

napi_value make_string(napi_env env, const std::string& text);
napi_value make_number(napi_env env, double number);
napi_value make_bool(napi_env env, bool value);
napi_value make_bytes(napi_env env, const void* bytes, size_t length);
napi_value make_undefined(napi_env env);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);

template <typename T>
T* unwrap(napi_env env, napi_value value) {
	bool is = false;
	void* data = nullptr;
	if (napi_check_object_type_tag(env, value, &Tag<T>::value, &is) != napi_ok || !is) return nullptr;
	if (napi_unwrap(env, value, &data) != napi_ok) return nullptr;
	return static_cast<T*>(data);
}

// The handle owns `native`.
template <typename T>
napi_value wrap(napi_env env, T* native) {
	napi_value object;
	const auto release = [](napi_env, void* data, void*) { delete static_cast<T*>(data); };
	if (napi_create_object(env, &object) != napi_ok || napi_type_tag_object(env, object, &Tag<T>::value) != napi_ok ||
		napi_wrap(env, object, native, release, nullptr, nullptr) != napi_ok) {
		delete native;
		return nullptr;
	}
	return object;
}

}  // namespace bpfl

#define ARGUMENTS(count)                                                                  \
	napi_value args[count];                                                               \
	size_t argc = count;                                                                  \
	if (napi_get_cb_info(env, info, &argc, args, nullptr, nullptr) != napi_ok) return nullptr

#define REQUIRE_HANDLE(T, name, index)                                                    \
	T* const name = unwrap<T>(env, args[index]);                                          \
	if (name == nullptr) return throw_argument(env, index, "a handle of this addon")

#define REQUIRE_STRING(name, index)                                                       \
	std::string name;                                                                     \
	if (!get_string(env, args[index], &name)) return throw_argument(env, index, "a string without NUL")

#define REQUIRE_UINT32(name, index)                                                       \
	uint32_t name = 0;                                                                    \
	if (!get_uint32(env, args[index], &name)) return throw_argument(env, index, "a whole number from 0 to 4294967295")

#define REQUIRE_INTEGER(name, index)                                                      \
	int64_t name = 0;                                                                     \
	if (!get_integer(env, args[index], &name)) return throw_argument(env, index, "a safe integer")

#define REQUIRE_BOOL(name, index)                                                         \
	bool name = false;                                                                    \
	if (!get_bool(env, args[index], &name)) return throw_argument(env, index, "a boolean")

#define REQUIRE_BIGINT(name, index)                                                       \
	uint64_t name = 0;                                                                    \
	if (!get_bigint(env, args[index], &name)) return throw_argument(env, index, "a bigint of 64 bits")

#define REQUIRE_BYTES(name, index)                                                        \
	std::span<uint8_t> name;                                                              \
	if (!get_bytes(env, args[index], &name)) return throw_argument(env, index, "a Uint8Array")

// undefined stays empty.
#define OPTIONAL_BYTES(name, index)                                                       \
	std::span<uint8_t> name;                                                              \
	if (!is_undefined(env, args[index]) && !get_bytes(env, args[index], &name))           \
	return throw_argument(env, index, "a Uint8Array")

#define REQUIRE_OPEN(object, operation, subject)                                          \
	if ((object)->closed()) return throw_failure(env, failure(operation, EBADF, subject, "the object is closed"))
