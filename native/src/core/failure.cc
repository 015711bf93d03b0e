#include "failure.h"

#include <bpf/libbpf.h>
#include <string.h>

namespace bpfl {

namespace {

constexpr int kNotSupported = 524;  // the kernel's ENOTSUPP, which libc does not know

const char* libbpf_error_name(int error) {
	switch (error) {
		case LIBBPF_ERRNO__LIBELF: return "LIBBPF_LIBELF";
		case LIBBPF_ERRNO__FORMAT: return "LIBBPF_FORMAT";
		case LIBBPF_ERRNO__KVERSION: return "LIBBPF_KVERSION";
		case LIBBPF_ERRNO__ENDIAN: return "LIBBPF_ENDIAN";
		case LIBBPF_ERRNO__INTERNAL: return "LIBBPF_INTERNAL";
		case LIBBPF_ERRNO__RELOC: return "LIBBPF_RELOC";
		case LIBBPF_ERRNO__LOAD: return "LIBBPF_LOAD";
		case LIBBPF_ERRNO__VERIFY: return "LIBBPF_VERIFY";
		case LIBBPF_ERRNO__PROG2BIG: return "LIBBPF_PROG2BIG";
		case LIBBPF_ERRNO__KVER: return "LIBBPF_KVER";
		case LIBBPF_ERRNO__PROGTYPE: return "LIBBPF_PROGTYPE";
		default: return nullptr;
	}
}

std::string describe(int error) {
	if (error == kNotSupported) return "Operation is not supported by the kernel";
	char text[128] = "";
	libbpf_strerror(error, text, sizeof(text));
	return text;
}

}  // namespace

std::string errno_name(int error) {
	if (error == kNotSupported) return "ENOTSUPP";
	if (const char* name = libbpf_error_name(error)) return name;
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
	if (const char* name = strerrorname_np(error)) return name;
#endif
	return "E" + std::to_string(error);
}

std::string failure_message(const Failure& failure) {
	std::string message = failure.operation;
	if (!failure.subject.empty()) message += " " + failure.subject;
	message += ": " + errno_name(failure.error) + ": ";
	message += failure.detail.empty() ? describe(failure.error) : failure.detail;
	return message;
}

}  // namespace bpfl
