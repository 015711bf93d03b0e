// One io_uring for the process, one operation at a time, by the bare system calls.
#pragma once
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int fd;
	char *submissions, *completions;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
} uring = {.fd = -1};

static int uring_prepare(int fd) {
	(void)fd;
	if (uring.fd >= 0) return 0;
	uring.fd = syscall(SYS_io_uring_setup, 4, &uring.params);
	if (uring.fd < 0) return -1;
	const struct io_uring_params *p = &uring.params;
	const int protection = PROT_READ | PROT_WRITE;
	uring.submissions = mmap(NULL, p->sq_off.array + p->sq_entries * sizeof(uint32_t), protection, MAP_SHARED, uring.fd,
							 IORING_OFF_SQ_RING);
	uring.completions = mmap(NULL, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe), protection, MAP_SHARED,
							 uring.fd, IORING_OFF_CQ_RING);
	uring.entries =
		mmap(NULL, p->sq_entries * sizeof(struct io_uring_sqe), protection, MAP_SHARED, uring.fd, IORING_OFF_SQES);
	return uring.submissions == MAP_FAILED || uring.completions == MAP_FAILED || uring.entries == MAP_FAILED ? -1 : 0;
}

static ssize_t uring_do(int operation, int fd, char *bytes, size_t length) {
	const struct io_uring_params *p = &uring.params;
	uint32_t *const tail = (uint32_t *)(uring.submissions + p->sq_off.tail);
	const uint32_t mask = *(uint32_t *)(uring.submissions + p->sq_off.ring_mask);
	const uint32_t at = *tail & mask;
	uring.entries[at] = (struct io_uring_sqe){
		.opcode = operation, .fd = fd, .addr = (uint64_t)(uintptr_t)bytes, .len = (uint32_t)length};
	((uint32_t *)(uring.submissions + p->sq_off.array))[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, uring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -1;
	uint32_t *const head = (uint32_t *)(uring.completions + p->cq_off.head);
	const uint32_t done = *head & *(uint32_t *)(uring.completions + p->cq_off.ring_mask);
	const ssize_t result = ((struct io_uring_cqe *)(uring.completions + p->cq_off.cqes))[done].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (result >= 0) return result;
	errno = (int)-result;
	return -1;
}

static ssize_t uring_send(int fd, const char *bytes, size_t length) {
	return uring_do(IORING_OP_SEND, fd, (char *)bytes, length);
}
static ssize_t uring_recv(int fd, char *bytes, size_t room) {
	return uring_do(IORING_OP_RECV, fd, bytes, room);
}
