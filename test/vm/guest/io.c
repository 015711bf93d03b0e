#define _GNU_SOURCE
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ktls.h"
#include "uring.h"

// A first piece of one byte: Go's background read does that to servers.
static int cut(struct iovec *pieces, char *bytes, size_t length) {
	const size_t first = length > 40 ? 1 : length;
	const size_t second = length > 40 ? 24 : 0;
	pieces[0] = (struct iovec){bytes, first};
	pieces[1] = (struct iovec){bytes + first, second};
	pieces[2] = (struct iovec){bytes + first + second, length - first - second};
	return 3;
}

static size_t piece(size_t length) {
	return length > 40 ? 9 : length;
}

static ssize_t out_write(int fd, const char *bytes, size_t length) {
	return write(fd, bytes, piece(length));
}
static ssize_t in_read(int fd, char *bytes, size_t room) {
	return read(fd, bytes, room);
}
static ssize_t out_writev(int fd, const char *bytes, size_t length) {
	struct iovec pieces[3];
	return writev(fd, pieces, cut(pieces, (char *)bytes, length));
}
static ssize_t in_readv(int fd, char *bytes, size_t room) {
	struct iovec pieces[3];
	return readv(fd, pieces, cut(pieces, bytes, room));
}
static ssize_t out_send(int fd, const char *bytes, size_t length) {
	return send(fd, bytes, piece(length), MSG_NOSIGNAL);
}
// A look at the bytes first, which takes nothing and may not be counted.
static ssize_t in_recv(int fd, char *bytes, size_t room) {
	const ssize_t seen = recv(fd, bytes, room, MSG_PEEK);
	return seen <= 0 ? seen : recv(fd, bytes, room, 0);
}
static ssize_t out_sendmsg(int fd, const char *bytes, size_t length) {
	struct iovec pieces[3];
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = cut(pieces, (char *)bytes, length)};
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}
static ssize_t in_recvmsg(int fd, char *bytes, size_t room) {
	struct iovec pieces[3];
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = cut(pieces, bytes, room)};
	return recvmsg(fd, &message, 0);
}
static ssize_t out_sendmmsg(int fd, const char *bytes, size_t length) {
	struct iovec pieces[3];
	struct mmsghdr messages[3] = {0};
	int count = 0;
	cut(pieces, (char *)bytes, length);
	for (int i = 0; i < 3; i++)
		if (pieces[i].iov_len > 0) messages[count++].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	const int sent = sendmmsg(fd, messages, count, MSG_NOSIGNAL);
	ssize_t total = sent < 0 ? sent : 0;
	for (int i = 0; i < sent; i++) total += messages[i].msg_len;
	return total;
}
static ssize_t in_recvmmsg(int fd, char *bytes, size_t room) {
	struct iovec pieces[3];
	struct mmsghdr messages[3] = {0};
	cut(pieces, bytes, room);
	// A full first piece does not mean that more waits: only the first may block.
	for (int i = 0; i < 3; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	const int got = recvmmsg(fd, messages, 3, MSG_WAITFORONE, NULL);
	ssize_t total = got < 0 ? got : 0;
	for (int i = 0; i < got; i++) {
		// A short piece in the middle would leave a gap: move what came after it down.
		memmove(bytes + total, pieces[i].iov_base, messages[i].msg_len);
		total += messages[i].msg_len;
	}
	return total;
}

static ssize_t out_sendfile(int fd, const char *bytes, size_t length) {
	const int file = memfd_create("body", 0);
	off_t at = 0;
	ssize_t sent = -1;
	if (write(file, bytes, length) == (ssize_t)length) sent = sendfile(fd, file, &at, length);
	close(file);
	return sent;
}
static ssize_t out_splice(int fd, const char *bytes, size_t length) {
	int ends[2];
	ssize_t sent = -1;
	if (pipe(ends) != 0) return -1;
	// A pipe holds 64 KiB: no message of the tests is longer.
	if (write(ends[1], bytes, length) == (ssize_t)length) sent = splice(ends[0], NULL, fd, NULL, length, 0);
	close(ends[0]);
	close(ends[1]);
	return sent;
}
static ssize_t in_splice(int fd, char *bytes, size_t room) {
	int ends[2];
	if (pipe(ends) != 0) return -1;
	ssize_t got = splice(fd, NULL, ends[1], NULL, room, 0);
	if (got > 0) got = read(ends[0], bytes, got);
	close(ends[0]);
	close(ends[1]);
	return got;
}

// First the four pairs that every surface must see, then the paths of the table surface × path.
static const struct way ways[] = {
	{"write", out_write, in_read, NULL},
	{"writev", out_writev, in_readv, NULL},
	{"send", out_send, in_recv, NULL},
	{"sendmsg", out_sendmsg, in_recvmsg, NULL},
	{"sendmmsg", out_sendmmsg, in_recvmmsg, NULL},
	{"sendfile", out_sendfile, in_read, NULL},
	{"splice-in", out_splice, in_read, NULL},
	{"splice-out", out_write, in_splice, NULL},
	{"io_uring", uring_send, uring_recv, uring_prepare},
	{"ktls", out_writev, in_read, ktls_prepare},
};

const struct way *way_at(int index) {
	return index < (int)(sizeof ways / sizeof ways[0]) ? &ways[index] : NULL;
}

const struct way *way_named(const char *name) {
	for (int i = 0; way_at(i) != NULL; i++)
		if (strcmp(ways[i].name, name) == 0) return &ways[i];
	return NULL;
}
