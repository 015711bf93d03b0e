#include "guards.h"

#include <stdio.h>

#include "env.h"

namespace bpfl {

napi_value make_error(napi_env env, const Failure& failure) {
	napi_value error_class = nullptr;
	const Env* self = Env::of(env);
	if (self == nullptr || self->error_class == nullptr ||
		napi_get_reference_value(env, self->error_class, &error_class) != napi_ok || error_class == nullptr) {
		napi_value error = nullptr;
		napi_create_error(env, nullptr, make_string(env, failure_message(failure)), &error);
		return error;
	}
	napi_value args[] = {
		make_string(env, failure_message(failure)), make_string(env, failure.operation),
		make_string(env, errno_name(failure.error)), make_number(env, failure.error),
		make_string(env, failure.subject), make_string(env, failure.log),
	};
	napi_value error = nullptr;
	napi_new_instance(env, error_class, 6, args, &error);
	return error;
}

napi_value throw_failure(napi_env env, const Failure& failure) {
	if (napi_value error = make_error(env, failure)) napi_throw(env, error);
	return nullptr;
}

napi_value throw_argument(napi_env env, int index, const char* expected) {
	char text[160];
	snprintf(text, sizeof(text), "argument %d must be %s", index, expected);
	napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", text);
	return nullptr;
}

bool get_string(napi_env env, napi_value value, std::string* out) {
	size_t length = 0;
	if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
	out->resize(length + 1);
	if (napi_get_value_string_utf8(env, value, out->data(), length + 1, &length) != napi_ok) return false;
	out->resize(length);
	return out->find('\0') == std::string::npos;
}

bool get_integer(napi_env env, napi_value value, int64_t* out) {
	double number = 0;
	if (napi_get_value_double(env, value, &number) != napi_ok) return false;
	constexpr double kSafe = 9007199254740991.0;
	if (!(number >= -kSafe && number <= kSafe)) return false;
	*out = static_cast<int64_t>(number);
	return static_cast<double>(*out) == number;
}

bool get_uint32(napi_env env, napi_value value, uint32_t* out) {
	int64_t number = 0;
	if (!get_integer(env, value, &number) || number < 0 || number > UINT32_MAX) return false;
	*out = static_cast<uint32_t>(number);
	return true;
}

bool get_bool(napi_env env, napi_value value, bool* out) { return napi_get_value_bool(env, value, out) == napi_ok; }

bool get_bytes(napi_env env, napi_value value, std::span<uint8_t>* out) {
	bool is = false;
	if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
	napi_typedarray_type type;
	size_t length = 0;
	void* data = nullptr;
	if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
	if (type != napi_uint8_array) return false;
	*out = {static_cast<uint8_t*>(data), length};
	return true;
}

bool get_bigint(napi_env env, napi_value value, uint64_t* out) {
	bool lossless = false;
	return napi_get_value_bigint_uint64(env, value, out, &lossless) == napi_ok && lossless;
}

bool is_undefined(napi_env env, napi_value value) {
	napi_valuetype type = napi_undefined;
	return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

napi_value make_string(napi_env env, const std::string& text) {
	napi_value value = nullptr;
	napi_create_string_utf8(env, text.data(), text.size(), &value);
	return value;
}

napi_value make_number(napi_env env, double number) {
	napi_value value = nullptr;
	napi_create_double(env, number, &value);
	return value;
}

napi_value make_bool(napi_env env, bool boolean) {
	napi_value value = nullptr;
	napi_get_boolean(env, boolean, &value);
	return value;
}

napi_value make_bytes(napi_env env, const void* bytes, size_t length) {
	napi_value buffer = nullptr, array = nullptr;
	void* data = nullptr;
	if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok) return nullptr;
	if (length > 0) __builtin_memcpy(data, bytes, length);
	napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array);
	return array;
}

napi_value make_undefined(napi_env env) {
	napi_value value = nullptr;
	napi_get_undefined(env, &value);
	return value;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
	if (value != nullptr) napi_set_named_property(env, object, name, value);
}

}  // namespace bpfl
