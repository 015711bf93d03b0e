// Drives everything below the N-API shell under the address, leak and undefined-behaviour sanitizers.
// Arguments: the folder of the test objects. Fails on a wrong result too.
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "../src/core/btf.h"
#include "../src/core/capture.h"
#include "../src/core/elf_symbol.h"
#include "../src/core/feature.h"
#include "../src/core/link.h"
#include "../src/core/map.h"
#include "../src/core/object.h"
#include "../src/core/program.h"
#include "../src/core/ring.h"

using namespace bpfl;

namespace {

std::string folder;

[[noreturn]] void fail(const char* file, int line, const char* what, const Failure* failure) {
	fprintf(stderr, "%s:%d: %s%s%s\n", file, line, what, failure ? ": " : "", failure ? failure_message(*failure).c_str() : "");
	_exit(1);
}

#define CHECK(condition)                                              \
	do {                                                              \
		if (!(condition)) fail(__FILE__, __LINE__, #condition, nullptr); \
	} while (0)

#define MUST(expression)                                                     \
	do {                                                                     \
		const Failure outcome_ = (expression);                               \
		if (outcome_) fail(__FILE__, __LINE__, #expression, &outcome_);      \
	} while (0)

#define REFUSED(expression, number)                                                  \
	do {                                                                             \
		const Failure outcome_ = (expression);                                       \
		if (outcome_.error != (number)) fail(__FILE__, __LINE__, #expression, &outcome_); \
		CHECK(!failure_message(outcome_).empty());                                   \
	} while (0)

std::vector<uint8_t> read_file(const std::string& path) {
	std::vector<uint8_t> bytes;
	FILE* file = fopen(path.c_str(), "rb");
	CHECK(file != nullptr);
	uint8_t block[4096];
	for (size_t got; (got = fread(block, 1, sizeof(block), file)) > 0;) bytes.insert(bytes.end(), block, block + got);
	fclose(file);
	return bytes;
}

std::shared_ptr<Object> open_object(const char* name) {
	std::shared_ptr<Object> object;
	MUST(Object::open_file(folder + "/" + name + ".bpf.o", "", "", &object));
	MUST(object->set_global("own_pid", getpid()));
	return object;
}

void load(const std::shared_ptr<Object>& object) {
	MUST(object->begin_load(0));
	Failure outcome;
	std::thread([&] { outcome = object->run_load(); }).join();
	object->finish_load(outcome);
	MUST(outcome);
}

// The layout of a ring buffer map in ordinary memory: one page consumer, one page producer, the data.
struct FakeRing {
	static constexpr uint32_t kSize = 4096;
	int fd;
	uint8_t* memory;
	uint64_t& consumer() { return *reinterpret_cast<uint64_t*>(memory); }
	uint64_t& producer() { return *reinterpret_cast<uint64_t*>(memory + 4096); }
	uint8_t* data() { return memory + 8192; }

	FakeRing() {
		fd = memfd_create("ring", MFD_CLOEXEC);
		CHECK(fd >= 0 && ftruncate(fd, 8192 + kSize) == 0);
		memory = static_cast<uint8_t*>(mmap(nullptr, 8192 + kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
		CHECK(memory != MAP_FAILED);
	}
	~FakeRing() {
		munmap(memory, 8192 + kSize);
		close(fd);
	}
	bool put(uint32_t length, uint32_t bits, uint8_t first) {
		const uint64_t slot = (uint64_t{length} + 8 + 7) & ~7ull;
		if (producer() + slot - consumer() > kSize) return false;
		const uint64_t at = producer();
		const uint32_t header[2] = {length | bits, 0};
		memcpy(data() + at % kSize, header, 8);
		for (uint32_t i = 0; i < length; i++) data()[(at + 8 + i) % kSize] = static_cast<uint8_t>(first + i);
		producer() = at + slot;
		return true;
	}
};

void ring_in_memory() {
	FakeRing fake;
	std::unique_ptr<Ring> ring;
	MUST(Ring::open(fake.fd, FakeRing::kSize, "fake", &ring));
	std::vector<uint8_t> into(4096);
	CHECK(ring->drain(into.data(), into.size(), 100) == 0 && !ring->more());

	// A busy record stops the drain although a finished one follows it.
	CHECK(fake.put(10, 0, 1) && fake.put(16, BPF_RINGBUF_BUSY_BIT, 5) && fake.put(16, 0, 9));
	CHECK(ring->drain(into.data(), into.size(), 100) == 16 && ring->records() == 1 && !ring->more());
	CHECK(into[9] == 10 && into[10] == 0 && ring->next_size() == 0);
	uint32_t ready = 16;
	memcpy(fake.data() + 24, &ready, 4);
	CHECK(ring->next_size() == 16 && ring->drain(into.data(), into.size(), 1) == 16 && ring->more());
	CHECK(ring->drain(into.data(), 15, 100) == 0 && ring->more());
	CHECK(ring->drain(into.data(), 16, 100) == 16 && into[0] == 9 && ring->available() == 0);

	// Random lengths, discards and rooms against a model, round the ring many times. Buffers have the exact size so that
	// a byte too much is an error.
	std::mt19937 random(7);
	struct Expected {
		uint32_t length;
		uint8_t first;
	};
	std::vector<Expected> waiting;
	uint64_t drained = 0;
	uint32_t discards = 0, discarded = 0;
	for (int round = 0; round < 20000; round++) {
		const uint32_t length = random() % 700;
		const bool discard = random() % 5 == 0;
		const auto first = static_cast<uint8_t>(random());
		if (fake.put(length, discard ? uint32_t{BPF_RINGBUF_DISCARD_BIT} : 0u, first)) {
			if (discard) discards++;
			else waiting.push_back({length, first});
		}
		if (random() % 3 != 0) continue;
		const size_t room = random() % 2000;
		std::unique_ptr<uint8_t[]> exact(new uint8_t[room]);
		const size_t used = ring->drain(exact.get(), room, 1 + random() % 8);
		discarded += ring->discarded();
		CHECK(used <= room);
		size_t at = 0;
		for (uint32_t i = 0; i < ring->records(); i++) {
			const Expected each = waiting.front();
			waiting.erase(waiting.begin());
			for (uint32_t byte = 0; byte < each.length; byte++) CHECK(exact[at + byte] == static_cast<uint8_t>(each.first + byte));
			at += (each.length + 7) & ~7u;
		}
		CHECK(at == used);
		drained += ring->records();
	}
	while (ring->drain(into.data(), into.size(), 100) > 0 || ring->more() || ring->discarded() > 0) {
		drained += ring->records();
		discarded += ring->discarded();
		waiting.erase(waiting.begin(), waiting.begin() + ring->records());
	}
	CHECK(waiting.empty() && discarded == discards && drained > 1000 && ring->available() == 0);
	std::unique_ptr<Ring> none;
	CHECK(Ring::open(-1, 4096, "none", &none).error == EBADF && none == nullptr);
	CHECK(Ring::open(STDERR_FILENO, 4096, "none", &none).error != 0 && none == nullptr);
}

void ring_of_the_kernel() {
	auto object = open_object("ring");
	MUST(object->set_autoload("bpfl_ring_load", false));
	load(object);
	MapShape shape;
	MUST(shape_of(object->map("ring"), &shape));
	std::unique_ptr<Ring> ring;
	MUST(Ring::open(shape.fd, shape.max_entries, shape.name, &ring));
	MUST(ring->open_epoll());
	MUST(ring->open_epoll());
	const uint64_t arguments[4] = {33, 3, 0, BPF_RB_FORCE_WAKEUP};
	const auto* bytes = reinterpret_cast<const uint8_t*>(arguments);
	TestRun run{.data = {}, .context = {bytes, sizeof(arguments)}, .out = {}};
	MUST(test_run(object->program("bpfl_produce"), &run));
	std::vector<uint8_t> into(3 * 40);
	CHECK(ring->drain(into.data(), into.size(), 100) == into.size() && ring->records() == 3);
	ring->clear_wakeups();
	object->close();
	CHECK(ring->available() == 0);
}

void objects() {
	std::shared_ptr<Object> object;
	REFUSED(Object::open_file("/nonexistent", "", "", &object), ENOENT);
	const auto whole = read_file(folder + "/basic.bpf.o");
	std::mt19937 random(11);
	for (int round = 0; round < 200; round++) {
		auto damaged = whole;
		if (round % 2 == 0) damaged.resize(random() % whole.size());
		else damaged[random() % 64] ^= static_cast<uint8_t>(1 + random() % 255);  // the ELF header
		std::shared_ptr<Object> maybe;
		const Failure outcome = Object::open_bytes(damaged, "", "", &maybe);
		CHECK(static_cast<bool>(outcome) == (maybe == nullptr));
	}
	MUST(Object::open_bytes(whole, "bytes", "", &object));
	Layout layout;
	MUST(read_layout(object->raw(), &layout));
	CHECK(!layout.structs.empty() && !layout.enums.empty());
	REFUSED(object->set_global("small", 256), ERANGE);
	REFUSED(object->set_global("none", 1), ENOENT);
	REFUSED(object->set_global("text", std::span<const uint8_t>(whole.data(), 9)), EINVAL);
	MUST(object->set_global("text", std::span<const uint8_t>(whole.data(), 8)));
	MUST(object->set_global("big", -1, true));
	object->close();
	object->close();
	REFUSED(object->set_global("small", 1), EBADF);

	auto refused = open_object("refused");
	MUST(refused->begin_load(1));
	const Failure outcome = refused->run_load();
	refused->finish_load(outcome);
	CHECK(outcome.error != 0 && outcome.subject == "bpfl_bad" && outcome.log.find("processed") != std::string::npos);
	REFUSED(refused->begin_load(0), EINVAL);

	// Closed while it loads: freed by the end of the load.
	auto closing = open_object("basic");
	MUST(closing->set_autocreate("optional", false));
	MUST(closing->begin_load(0));
	Failure result;
	std::thread worker([&] { result = closing->run_load(); });
	closing->close();
	worker.join();
	closing->finish_load(result);
	CHECK(closing->closed() && closing->raw() == nullptr);
}

void maps_and_links() {
	auto object = open_object("basic");
	MUST(object->set_autocreate("optional", false));
	load(object);
	for (const char* name : {"bpfl_raw_tp", "bpfl_tp_btf", "bpfl_tracepoint"}) {
		std::shared_ptr<Link> link;
		MUST(attach_by_section(object->program(name), &link));
		object->adopt(link);
		link->close();
		link->close();
		MUST(attach_by_section(object->program(name), &link));
		object->adopt(link);
		ProgramFacts facts;
		MUST(program_facts(object->program(name), &facts));
		CHECK(facts.id > 0);
	}
	std::shared_ptr<Link> none;
	REFUSED(attach_tracepoint(object->program("bpfl_tracepoint"), "sched", "no_such", &none), ENOENT);
	REFUSED(attach_tracepoint(object->program("bpfl_tracepoint"), "..", "x", &none), EINVAL);

	MapShape numbers, percpu, array;
	MUST(shape_of(object->map("numbers"), &numbers));
	MUST(shape_of(object->map("percpu"), &percpu));
	MUST(shape_of(object->map("array"), &array));
	for (uint32_t i = 0; i < 5000; i++) {
		const uint64_t value = i;
		MUST(map_set(numbers, &i, &value, BPF_ANY));
	}
	for (const uint32_t limit : {1u, 7u, 3000u, UINT32_MAX}) {
		Entries entries;
		MUST(map_entries(numbers, false, limit, &entries));
		CHECK(entries.count == std::min(limit, 5000u) && entries.values.size() == size_t{entries.count} * 8);
	}
	Entries keys, taken, rest;
	MUST(map_keys(numbers, &keys));
	MUST(map_entries(numbers, true, 9, &taken));
	MUST(map_entries(numbers, true, UINT32_MAX, &rest));
	CHECK(keys.count == 5000 && taken.count == 9 && rest.count == 4991);
	std::unique_ptr<uint8_t[]> value(new uint8_t[percpu.stored_size]());
	uint32_t key = 3;
	bool found = true;
	MUST(map_get(percpu, &key, value.get(), &found));
	CHECK(!found);
	MUST(map_set(percpu, &key, value.get(), BPF_ANY));
	Entries one;
	MUST(map_entries(percpu, false, UINT32_MAX, &one));
	CHECK(one.count == 1 && one.values.size() == percpu.stored_size);
	MUST(map_delete(percpu, &key, &found));
	CHECK(found);
	void* memory = nullptr;
	MUST(map_mmap(array, &memory));
	static_cast<uint64_t*>(memory)[3] = 5;
	uint64_t seen = 0;
	MUST(map_get(array, &key, &seen, &found));
	CHECK(found && seen == 5);
	munmap(memory, map_mapped_size(array));
	REFUSED(map_mmap(numbers, &memory), EINVAL);

	// Detached on another thread, the way closeAsync does it.
	const auto children = object->begin_close();
	CHECK(children.size() == 3 && object->closed());
	std::thread([&] { for (const auto& each : children) each->close(); }).join();
	object->end();
	CHECK(object->raw() == nullptr);
}

void probes() {
	auto object = open_object("probes");
	for (const char* name : {"bpfl_fentry", "bpfl_fexit"}) MUST(object->set_autoload(name, false));
	load(object);
	const std::string target = folder + "/target";
	std::shared_ptr<Link> link;
	MUST(attach_uprobe(object->program("bpfl_uprobe"), {.path = target, .symbol = "bpfl_target", .pid = getpid(), .cookie = 3}, &link));
	object->adopt(link);
	MUST(attach_usdt(object.get(), object->program("bpfl_usdt"), {.path = target, .provider = "bpfl", .name = "call", .pid = -1}, &link));
	object->adopt(link);
	REFUSED(attach_uprobe(object->program("bpfl_uprobe"), {.path = target, .symbol = "none"}, &link), ENOENT);
	REFUSED(attach_usdt(object.get(), object->program("bpfl_usdt"), {.path = target, .provider = "x", .name = "y"}, &link), ENOENT);
	REFUSED(attach_cgroup(object->program("bpfl_sockops"), "/nonexistent", &link), ENOENT);
	MapShape socks, walked;
	MUST(shape_of(object->map("socks"), &socks));
	MUST(shape_of(object->map("walked"), &walked));
	std::shared_ptr<Link> message;
	MUST(attach_map(object->program("bpfl_sk_msg"), socks.fd, "socks", &message));
	object->adopt(message);
	CHECK(attach_map(object->program("bpfl_sk_msg"), walked.fd, "walked", &message).error != 0);
	std::vector<uint8_t> tasks, elements;
	MUST(run_iterator(object->program("bpfl_iter_task"), -1, &tasks));
	MUST(run_iterator(object->program("bpfl_iter_map"), walked.fd, &elements));
	CHECK(tasks.size() >= 8 && tasks.size() % 8 == 0 && elements.empty());
	object->close();

	Verdict verdict;
	MUST(probe_feature({.kind = "tp_btf", .name = "sched_switch"}, &verdict));
	MUST(probe_feature({.kind = "fentry", .name = "no_such"}, &verdict));
	CHECK(!verdict.supported && !failure_message(verdict.reason).empty());
	MUST(probe_feature({.kind = "tracepoint", .category = "sched", .name = "sched_switch"}, &verdict));
	MUST(probe_feature({.kind = "helper", .type = "tracing", .helper = 107}, &verdict));
	MUST(probe_feature({.kind = "kprobe", .name = "no_such"}, &verdict));
	REFUSED(probe_feature({.kind = "map", .type = "none"}, &verdict), EINVAL);
	std::vector<ListedProgram> programs;
	MUST(list_programs(&programs));
}

// Hostile ELF files: no bad access, whatever they say.
void damaged_elf() {
	const auto whole = read_file(folder + "/target");
	const int fd = memfd_create("elf", MFD_CLOEXEC);
	const std::string path = "/proc/self/fd/" + std::to_string(fd);
	std::mt19937 random(5);
	for (int round = 0; round < 1500; round++) {
		auto damaged = whole;
		for (unsigned i = 0; i < 1 + random() % 20; i++) {
			// The header and the section headers at the end, where the offsets and sizes are.
			const size_t at = random() % 2 ? random() % 64 : whole.size() - 1 - random() % 2000;
			damaged[at] = static_cast<uint8_t>(random());
		}
		if (round % 4 == 0) damaged.resize(random() % whole.size());
		CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, damaged.data(), damaged.size(), 0) == static_cast<ssize_t>(damaged.size()));
		uint64_t offset = 0;
		find_symbol(path, "bpfl_target", &offset);
		usdt_offsets(path, "bpfl", "call");
	}
	close(fd);
}

void logs() {
	CHECK(telling_lines("").empty());
	CHECK(telling_lines("processed 2 insns").size() > 0);
	const std::string told = telling_lines("0: R1=ctx()\n; x = *y;\n1: (61) r1 = *(u32 *)(r1 +0)\nR1 invalid mem access 'scalar'\nprocessed 2 insns\n");
	CHECK(told == "R1 invalid mem access 'scalar' at `x = *y;` (3 lines omitted)");
	CHECK(errno_name(EPERM) == "EPERM" && errno_name(524) == "ENOTSUPP" && errno_name(4001) == "LIBBPF_FORMAT" && errno_name(99999) == "E99999");
}

}  // namespace

int main(int argc, char** argv) {
	CHECK(argc == 2);
	folder = argv[1];
	install_capture();
	logs();
	ring_in_memory();
	damaged_elf();
	if (geteuid() != 0) {
		puts("host: the parts without privileges passed; the others need root");
		return 0;
	}
	ring_of_the_kernel();
	objects();
	maps_and_links();
	probes();
	puts("host: all passed");
	return 0;
}
