#include "btf.h"

#include <errno.h>
#include <string.h>

namespace bpfl {

namespace {

constexpr int kDepthMax = 32;  // of typedef and pointer chains; BTF from a compiler stays far below

const btf_type* skip_modifiers(const btf* types, uint32_t id) {
	const btf_type* type = btf__type_by_id(types, id);
	for (int depth = 0; type != nullptr && depth < kDepthMax; depth++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type)) return type;
		type = btf__type_by_id(types, type->type);
	}
	return type;
}

const char* name_of(const btf* types, const btf_type* type) {
	const char* name = btf__name_by_offset(types, type->name_off);
	return name == nullptr ? "" : name;
}

std::string type_text(const btf* types, uint32_t id, int depth = 0) {
	const btf_type* type = btf__type_by_id(types, id);
	if (depth > kDepthMax || type == nullptr) return "?";
	const std::string name = name_of(types, type);
	switch (btf_kind(type)) {
		case BTF_KIND_UNKN: return "void";
		case BTF_KIND_INT: {
			if (name == "char") return "char";
			if (btf_int_encoding(type) & BTF_INT_BOOL) return "bool";
			return ((btf_int_encoding(type) & BTF_INT_SIGNED) ? "s" : "u") + std::to_string(type->size * 8);
		}
		case BTF_KIND_FLOAT: return "f" + std::to_string(type->size * 8);
		case BTF_KIND_PTR: return type_text(types, type->type, depth + 1) + " *";
		case BTF_KIND_ARRAY: {
			// int a[2][3] is an array of 2 arrays of 3: the outer count comes first.
			std::string counts;
			uint32_t element = id;
			const btf_type* each = type;
			for (int level = 0; level < kDepthMax && each != nullptr && btf_is_array(each); level++) {
				counts += "[" + std::to_string(btf_array(each)->nelems) + "]";
				element = btf_array(each)->type;
				each = skip_modifiers(types, element);
			}
			return type_text(types, element, depth + 1) + counts;
		}
		case BTF_KIND_STRUCT: return name.empty() ? "struct" : "struct " + name;
		case BTF_KIND_UNION: return name.empty() ? "union" : "union " + name;
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64: return name.empty() ? "enum" : "enum " + name;
		case BTF_KIND_FWD: return (btf_kflag(type) ? "union " : "struct ") + name;
		case BTF_KIND_FUNC_PROTO: return "function";
		case BTF_KIND_TYPEDEF: {
			const std::string behind = type_text(types, type->type, depth + 1);
			// A typedef of a nameless type is its name.
			return behind == "struct" || behind == "union" || behind == "enum" ? name : behind;
		}
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG: return type_text(types, type->type, depth + 1);
		default: return name;
	}
}

void add_members(const btf* types, const btf_type* type, uint32_t base_bits, std::vector<Member>* out, int depth) {
	if (depth > kDepthMax) return;
	const btf_member* members = btf_members(type);
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const uint32_t bits = base_bits + btf_member_bit_offset(type, i);
		const char* name = btf__name_by_offset(types, members[i].name_off);
		const btf_type* behind = skip_modifiers(types, members[i].type);
		if ((name == nullptr || name[0] == '\0') && behind != nullptr && btf_is_composite(behind)) {
			add_members(types, behind, bits, out, depth + 1);
			continue;
		}
		Member member;
		member.name = name == nullptr ? "" : name;
		member.offset = bits / 8;
		const int64_t size = btf__resolve_size(types, members[i].type);
		member.size = size > 0 ? static_cast<uint32_t>(size) : 0;
		member.type = type_text(types, members[i].type);
		member.bit_size = btf_member_bitfield_size(type, i);
		member.bit_offset = member.bit_size > 0 ? bits % 8 : 0;
		out->push_back(std::move(member));
	}
}

}  // namespace

Failure find_global(bpf_object* object, const std::string& name, Global* out) {
	const btf* types = bpf_object__btf(object);
	if (types == nullptr) return failure("set_global", ENOENT, name, "the object has no BTF: compile it with -g");
	for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
		const btf_type* section = btf__type_by_id(types, id);
		if (!btf_is_datasec(section)) continue;
		const char* section_name = name_of(types, section);
		if (section_name[0] != '.' || strcmp(section_name, ".maps") == 0 || strcmp(section_name, ".kconfig") == 0) continue;
		const btf_var_secinfo* variables = btf_var_secinfos(section);
		for (uint32_t i = 0; i < btf_vlen(section); i++) {
			const btf_type* variable = btf__type_by_id(types, variables[i].type);
			if (variable == nullptr || !btf_is_var(variable) || name != name_of(types, variable)) continue;
			bpf_map* map = bpf_object__find_map_by_name(object, section_name);
			size_t size = 0;
			auto* image = map == nullptr ? nullptr
				: static_cast<uint8_t*>(const_cast<void*>(bpf_map__initial_value(map, &size)));
			if (image == nullptr) return failure("set_global", ENOENT, name, "its section has no image");
			if (size_t{variables[i].offset} + variables[i].size > size) {
				return failure("set_global", EINVAL, name, "its place lies outside its section");
			}
			out->bytes = image + variables[i].offset;
			out->size = variables[i].size;
			const btf_type* type = skip_modifiers(types, variable->type);
			out->integer = type != nullptr && (btf_is_int(type) || btf_is_any_enum(type));
			out->is_signed = type != nullptr &&
				(btf_is_int(type) ? (btf_int_encoding(type) & BTF_INT_SIGNED) != 0 : btf_is_any_enum(type) && btf_kflag(type));
			return ok();
		}
	}
	return failure("set_global", ENOENT, name, "no such global variable");
}

Failure read_layout(bpf_object* object, Layout* out) {
	const btf* types = bpf_object__btf(object);
	if (types == nullptr) return failure("btf", ENOENT, bpf_object__name(object), "the object has no BTF: compile it with -g");
	for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
		const btf_type* type = btf__type_by_id(types, id);
		if (btf_is_struct(type) && type->name_off != 0) {
			Struct found{name_of(types, type), type->size, {}};
			add_members(types, type, 0, &found.members, 0);
			out->structs.push_back(std::move(found));
		} else if (btf_is_any_enum(type)) {
			Enum found{name_of(types, type), {}};
			for (uint32_t i = 0; i < btf_vlen(type); i++) {
				if (btf_is_enum64(type)) {
					const struct btf_enum64& each = btf_enum64(type)[i];
					const uint64_t value = btf_enum64_value(&each);
					found.values.emplace_back(btf__name_by_offset(types, each.name_off),
						btf_kflag(type) ? static_cast<double>(static_cast<int64_t>(value)) : static_cast<double>(value));
				} else {
					const struct btf_enum& each = btf_enum(type)[i];
					const bool is_signed = btf_kflag(type);  // never set by clang before 15: -1 reads as 4294967295 there
					found.values.emplace_back(btf__name_by_offset(types, each.name_off),
						is_signed ? static_cast<double>(each.val) : static_cast<double>(static_cast<uint32_t>(each.val)));
				}
			}
			out->enums.push_back(std::move(found));
		}
	}
	return ok();
}

}  // namespace bpfl
