// Reader of a BPF_MAP_TYPE_RINGBUF with a mapping of its own: the consumer page read-write, the producer page and the
// data read-only and once (libbpf maps the data twice to have no wrap; here a record that wraps is copied in two parts,
// and the second half of the mapping costs no resident memory). The only consumer of its ring; one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <memory>
#include <string>

#include "failure.h"

namespace bpfl {

class Ring {
public:
	// map_fd is duplicated. size: the map's max_entries.
	static Failure open(int map_fd, uint32_t size, const std::string& name, std::unique_ptr<Ring>* out);
	~Ring();
	Ring(const Ring&) = delete;
	Ring& operator=(const Ring&) = delete;

	// Copies whole records, each padded with zeros to 8, until `capacity`, `max_records` or the end of what is committed.
	// A record that does not fit stays. Returns the bytes copied.
	size_t drain(uint8_t* into, size_t capacity, uint64_t max_records);

	uint64_t available() const;
	// Payload of the record at the head (discarded ones skipped), 0 when there is none that is committed.
	uint32_t next_size() const;

	uint32_t size() const { return size_; }
	uint32_t records() const { return records_; }
	uint32_t discarded() const { return discarded_; }
	bool more() const { return more_; }
	// For poll: readable when a wake-up came and data waits (edge-triggered inside).
	int epoll_fd() const { return epoll_fd_; }
	Failure open_epoll();
	// Forgets wake-ups that came so far: the drain that follows takes their records.
	void clear_wakeups();

private:
	Ring() = default;

	uint64_t* consumer_ = nullptr;        // ours to write
	const uint64_t* producer_ = nullptr;  // the kernel's
	const uint8_t* data_ = nullptr;
	uint32_t size_ = 0;
	uint32_t mask_ = 0;
	uint32_t records_ = 0;
	uint32_t discarded_ = 0;
	bool more_ = false;
	int fd_ = -1;
	int epoll_fd_ = -1;
	size_t page_ = 0;
};

}  // namespace bpfl
