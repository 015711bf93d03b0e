#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

namespace bpfl {

namespace {

constexpr uint32_t kBusy = BPF_RINGBUF_BUSY_BIT;
constexpr uint32_t kDiscarded = BPF_RINGBUF_DISCARD_BIT;
constexpr uint32_t kHeader = BPF_RINGBUF_HDR_SZ;
// Room is given back to the kernel each time this many bytes were taken, not only at the end of a long drain.
constexpr uint64_t kReleaseEvery = 64 << 10;

uint64_t padded(uint64_t length) { return (length + 7) & ~uint64_t{7}; }

}  // namespace

Failure Ring::open(int map_fd, uint32_t size, const std::string& name, std::unique_ptr<Ring>* out) {
	std::unique_ptr<Ring> ring(new Ring());
	ring->page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	ring->size_ = size;
	ring->mask_ = size - 1;
	ring->fd_ = fcntl(map_fd, F_DUPFD_CLOEXEC, 0);
	if (ring->fd_ < 0) return failure("ring", errno, name);
	void* consumer = mmap(nullptr, ring->page_, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd_, 0);
	if (consumer == MAP_FAILED) return failure("ring", errno, name, "the consumer page cannot be mapped");
	ring->consumer_ = static_cast<uint64_t*>(consumer);
	void* producer = mmap(nullptr, ring->page_ + size, PROT_READ, MAP_SHARED, ring->fd_, static_cast<off_t>(ring->page_));
	if (producer == MAP_FAILED) return failure("ring", errno, name, "the data cannot be mapped");
	ring->producer_ = static_cast<const uint64_t*>(producer);
	ring->data_ = static_cast<const uint8_t*>(producer) + ring->page_;
	*out = std::move(ring);
	return ok();
}

Ring::~Ring() {
	if (consumer_ != nullptr) munmap(consumer_, page_);
	if (producer_ != nullptr) munmap(const_cast<uint64_t*>(producer_), page_ + size_);
	if (epoll_fd_ >= 0) close(epoll_fd_);
	if (fd_ >= 0) close(fd_);
}

size_t Ring::drain(uint8_t* into, size_t capacity, uint64_t max_records) {
	uint64_t at = __atomic_load_n(consumer_, __ATOMIC_RELAXED);  // only this thread writes it
	uint64_t released = at;
	size_t used = 0;
	records_ = 0;
	discarded_ = 0;
	more_ = false;
	uint64_t end = __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
	while (true) {
		if (at >= end) {
			end = __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
			if (at >= end) break;
		}
		// Records start at multiples of 8 in a power-of-two ring: a header never wraps.
		const auto* header = reinterpret_cast<const uint32_t*>(data_ + (at & mask_));
		const uint32_t word = __atomic_load_n(header, __ATOMIC_ACQUIRE);  // pairs with the kernel's commit
		if (word & kBusy) break;
		const uint32_t length = word & ~(kBusy | kDiscarded);
		const uint64_t slot = padded(uint64_t{length} + kHeader);
		if (word & kDiscarded) {
			discarded_++;
		} else {
			const size_t room = static_cast<size_t>(padded(length));
			if (records_ >= max_records || room > capacity - used) {
				more_ = true;
				break;
			}
			const size_t from = static_cast<size_t>((at + kHeader) & mask_);
			const size_t first = length <= size_ - from ? length : size_ - from;
			memcpy(into + used, data_ + from, first);
			if (first < length) memcpy(into + used + first, data_, length - first);
			if (room > length) memset(into + used + length, 0, room - length);
			used += room;
			records_++;
		}
		at += slot;
		if (at - released >= kReleaseEvery) {
			__atomic_store_n(consumer_, at, __ATOMIC_RELEASE);
			released = at;
		}
	}
	if (at != released) __atomic_store_n(consumer_, at, __ATOMIC_RELEASE);
	return used;
}

uint64_t Ring::available() const {
	return __atomic_load_n(producer_, __ATOMIC_ACQUIRE) - __atomic_load_n(consumer_, __ATOMIC_RELAXED);
}

uint32_t Ring::next_size() const {
	uint64_t at = __atomic_load_n(consumer_, __ATOMIC_RELAXED);
	const uint64_t end = __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
	while (at < end) {
		const auto* header = reinterpret_cast<const uint32_t*>(data_ + (at & mask_));
		const uint32_t word = __atomic_load_n(header, __ATOMIC_ACQUIRE);
		if (word & kBusy) return 0;
		const uint32_t length = word & ~(kBusy | kDiscarded);
		if (!(word & kDiscarded)) return length;
		at += padded(uint64_t{length} + kHeader);
	}
	return 0;
}

Failure Ring::open_epoll() {
	if (epoll_fd_ >= 0) return ok();
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) return failure("ring_wakeup", errno, "");
	// Edge-triggered: ready only after a wake-up, not whenever un-notified records happen to wait.
	epoll_event event{};
	event.events = EPOLLIN | EPOLLET;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) != 0) {
		const int error = errno;
		close(epoll);
		return failure("ring_wakeup", error, "");
	}
	epoll_fd_ = epoll;
	return ok();
}

void Ring::clear_wakeups() {
	if (epoll_fd_ < 0) return;
	epoll_event event;
	epoll_wait(epoll_fd_, &event, 1, 0);
}

}  // namespace bpfl
