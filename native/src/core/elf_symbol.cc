#include "elf_symbol.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace bpfl {

namespace {

constexpr size_t kTableMax = 512u << 20;  // bytes of a symbol or string table we are willing to read

class ElfFile {
public:
	~ElfFile() {
		if (fd_ >= 0) close(fd_);
	}

	Failure open(const std::string& path) {
		fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
		if (fd_ < 0) return failure("elf", errno, path, path + ": " + strerror(errno));
		struct stat facts{};
		fstat(fd_, &facts);
		size_ = static_cast<uint64_t>(facts.st_size);
		if (!read(0, &header_, sizeof(header_)) || memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
			header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_shentsize != sizeof(Elf64_Shdr) ||
			header_.e_phentsize != sizeof(Elf64_Phdr)) {
			return failure("elf", ENOEXEC, path, path + " is no 64-bit ELF file");
		}
		sections_.resize(header_.e_shnum);
		segments_.resize(header_.e_phnum);
		if (!read(header_.e_shoff, sections_.data(), sections_.size() * sizeof(Elf64_Shdr)) ||
			!read(header_.e_phoff, segments_.data(), segments_.size() * sizeof(Elf64_Phdr))) {
			return failure("elf", ENOEXEC, path, path + " is cut off");
		}
		return ok();
	}

	bool read(uint64_t offset, void* into, size_t length) const {
		if (length > size_ || offset > size_ - length) return false;
		auto* at = static_cast<uint8_t*>(into);
		while (length > 0) {
			const ssize_t got = pread(fd_, at, length, static_cast<off_t>(offset));
			if (got <= 0) return false;
			at += got;
			offset += static_cast<uint64_t>(got);
			length -= static_cast<size_t>(got);
		}
		return true;
	}

	bool read(const Elf64_Shdr& section, std::vector<uint8_t>* into) const {
		if (section.sh_type == SHT_NOBITS || section.sh_size > kTableMax) return false;
		into->resize(section.sh_size);
		return read(section.sh_offset, into->data(), into->size());
	}

	// The file offset behind a virtual address of a loaded segment.
	bool offset_of(uint64_t address, uint64_t* offset) const {
		for (const Elf64_Phdr& each : segments_) {
			if (each.p_type != PT_LOAD || address < each.p_vaddr || address - each.p_vaddr >= each.p_filesz) continue;
			*offset = address - each.p_vaddr + each.p_offset;
			return true;
		}
		return false;
	}

	const std::vector<Elf64_Shdr>& sections() const { return sections_; }

	std::string section_name(const Elf64_Shdr& section) const {
		if (header_.e_shstrndx >= sections_.size()) return {};
		char name[64] = "";
		const uint64_t at = sections_[header_.e_shstrndx].sh_offset + section.sh_name;
		if (at >= size_) return {};
		if (!read(at, name, static_cast<size_t>(std::min<uint64_t>(sizeof(name) - 1, size_ - at)))) return {};
		return name;
	}

private:
	int fd_ = -1;
	uint64_t size_ = 0;
	Elf64_Ehdr header_{};
	std::vector<Elf64_Shdr> sections_;
	std::vector<Elf64_Phdr> segments_;
};

std::string_view text_at(const std::vector<uint8_t>& bytes, size_t at) {
	if (at >= bytes.size()) return {};
	const auto* start = reinterpret_cast<const char*>(bytes.data()) + at;
	return {start, strnlen(start, bytes.size() - at)};
}

bool find_in_table(const ElfFile& file, uint32_t type, std::string_view symbol, uint64_t* offset) {
	for (const Elf64_Shdr& section : file.sections()) {
		if (section.sh_type != type || section.sh_link >= file.sections().size()) continue;
		std::vector<uint8_t> symbols, names;
		if (!file.read(section, &symbols) || !file.read(file.sections()[section.sh_link], &names)) continue;
		for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size(); at += sizeof(Elf64_Sym)) {
			Elf64_Sym each;
			memcpy(&each, symbols.data() + at, sizeof(each));
			const unsigned kind = ELF64_ST_TYPE(each.st_info);
			if (each.st_shndx == SHN_UNDEF || (kind != STT_FUNC && kind != STT_GNU_IFUNC)) continue;
			if (text_at(names, each.st_name) == symbol && file.offset_of(each.st_value, offset)) return true;
		}
	}
	return false;
}

}  // namespace

Failure find_symbol(const std::string& path, const std::string& symbol, uint64_t* offset) {
	ElfFile file;
	if (Failure refused = file.open(path)) return refused;
	const std::string_view bare = std::string_view(symbol).substr(0, symbol.find('@'));
	if (find_in_table(file, SHT_DYNSYM, bare, offset) || find_in_table(file, SHT_SYMTAB, bare, offset)) return ok();
	return failure("elf", ENOENT, path, path + " has no function " + symbol);
}

std::vector<uint64_t> usdt_offsets(const std::string& path, const std::string& provider, const std::string& name) {
	std::vector<uint64_t> offsets;
	ElfFile file;
	if (file.open(path)) return offsets;
	uint64_t base_address = 0;  // of .stapsdt.base now; the notes hold what it was when they were written
	for (const Elf64_Shdr& section : file.sections()) {
		if (file.section_name(section) == ".stapsdt.base") base_address = section.sh_addr;
	}
	for (const Elf64_Shdr& section : file.sections()) {
		std::vector<uint8_t> notes;
		if (section.sh_type != SHT_NOTE || file.section_name(section) != ".note.stapsdt" || !file.read(section, &notes)) continue;
		size_t at = 0;
		while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
			Elf64_Nhdr note;
			memcpy(&note, notes.data() + at, sizeof(note));
			const size_t payload = at + sizeof(note) + ((size_t{note.n_namesz} + 3) & ~size_t{3});
			const size_t next = payload + ((size_t{note.n_descsz} + 3) & ~size_t{3});
			if (next > notes.size() || next <= at) break;
			uint64_t words[3];  // probe address, base, semaphore; then provider, name, arguments as strings
			if (note.n_descsz > sizeof(words)) {
				memcpy(words, notes.data() + payload, sizeof(words));
				const std::string_view found_provider = text_at(notes, payload + sizeof(words));
				const std::string_view found_name = text_at(notes, payload + sizeof(words) + found_provider.size() + 1);
				uint64_t offset = 0;
				const uint64_t address = base_address == 0 ? words[0] : words[0] + base_address - words[1];
				if (found_provider == provider && found_name == name && file.offset_of(address, &offset)) offsets.push_back(offset);
			}
			at = next;
		}
	}
	return offsets;
}

}  // namespace bpfl
