// The object's own type information: where a global variable lies, and the layout of its structs and enums.
#pragma once

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <string>
#include <vector>

#include "failure.h"

namespace bpfl {

struct Global {
	uint8_t* bytes = nullptr;  // in libbpf's image of the section; valid until the object is closed
	uint32_t size = 0;
	bool integer = false;      // int, bool or enum behind typedefs and const/volatile
	bool is_signed = false;
};

Failure find_global(bpf_object* object, const std::string& name, Global* out);

struct Member {
	std::string name;
	uint32_t offset = 0;       // bytes
	uint32_t size = 0;         // bytes
	std::string type;
	uint32_t bit_offset = 0;   // within the byte at `offset`; meaningful when bit_size > 0
	uint32_t bit_size = 0;     // 0: no bit field
};

struct Struct {
	std::string name;
	uint32_t size = 0;
	std::vector<Member> members;  // members of anonymous structs and unions stand here as their own
};

struct Enum {
	std::string name;
	std::vector<std::pair<std::string, double>> values;
};

struct Layout {
	std::vector<Struct> structs;
	std::vector<Enum> enums;
};

Failure read_layout(bpf_object* object, Layout* out);

}  // namespace bpfl
