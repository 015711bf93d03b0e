// Every way the test programs move bytes over a socket. One call moves what it can and returns the count, as read and
// write do. Vectors are cut unevenly and twice inside a head, so that no path can rest on one buffer being one message.
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct way {
	const char *name;
	ssize_t (*out)(int fd, const char *bytes, size_t length);
	ssize_t (*in)(int fd, char *bytes, size_t room);
	// Called once for each end of a new connection; 0 when it can be used there.
	int (*prepare)(int fd);
};

// NULL when there is none of this name.
const struct way *way_named(const char *name);
// Every way by number; NULL after the last.
const struct way *way_at(int index);
