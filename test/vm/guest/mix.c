// The request mix of the kernel matrix, as a server and as a client, over every way of io.h.
//   mix server FAMILY [ADDRESSES]            prints its addresses, one a way and mode, separated by commas, and serves
//   mix client FAMILY WAY MODE ADDRESS       makes the requests; 0 = all answered as expected, 3 = no such path here
// FAMILY is tcp4, tcp6 or unix. MODE `all` moves everything by WAY, `body` only bodies with a content-length (the rest by
// write and read).
// ADDRESSES are those of the upstream server that GET /via asks, over the same way and mode.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io.h"

#define MAX_WAYS 32
#define ROOM 4096
#define NOT_HERE 3

struct stream {
	int fd;
	const struct way *head, *body;
	bool whole;	 // the head may be read together with what follows it
	char bytes[ROOM];
	size_t have;
};

struct message {
	char method[16], target[128];
	int status;
	size_t body;
};

struct server {
	const char *family;
	char addresses[2 * MAX_WAYS][64];
	char upstream[2 * MAX_WAYS][64];
};

static void fail(const char *what) {
	fprintf(stderr, "mix: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int out_all(const struct way *way, int fd, const char *bytes, size_t length) {
	for (size_t at = 0; at < length;) {
		const ssize_t moved = way->out(fd, bytes + at, length - at);
		if (moved <= 0) return -1;
		at += moved;
	}
	return 0;
}

static const char *header(const char *head, const char *name) {
	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, strlen(name)) == 0) return line + 2 + strlen(name);
	return NULL;
}

static int send_message(struct stream *to, const char *head, const char *body) {
	if (to->whole) {
		char all[ROOM];
		const int length = snprintf(all, sizeof all, "%s%s", head, body);
		return out_all(to->head, to->fd, all, length);
	}
	if (out_all(to->head, to->fd, head, strlen(head)) != 0) return -1;
	// Nobody sends the frame of a chunk by sendfile: only bodies of a known length take the other way.
	const bool chunked = header(head, "transfer-encoding: chunked") != NULL;
	return out_all(chunked ? to->head : to->body, to->fd, body, strlen(body));
}

// 1 = a message, 0 = the end of the connection, -1 = an error. `bare`: an answer that has no body whatever its head says.
static int take_message(struct stream *from, struct message *message, bool bare) {
	char *end = NULL;
	memset(message, 0, sizeof *message);
	from->bytes[from->have] = '\0';
	while ((end = strstr(from->bytes, "\r\n\r\n")) == NULL) {
		const size_t room = from->whole ? ROOM - 1 - from->have : 1;
		const ssize_t got = from->head->in(from->fd, from->bytes + from->have, room);
		if (got <= 0) return got == 0 && from->have == 0 ? 0 : -1;
		from->have += got;
		from->bytes[from->have] = '\0';
	}
	const size_t head = end + 4 - from->bytes;
	if (sscanf(from->bytes, "HTTP/1.1 %d", &message->status) != 1)
		sscanf(from->bytes, "%15s %127s", message->method, message->target);
	end[2] = '\0';
	const char *length = header(from->bytes, "content-length: ");
	const bool chunked = header(from->bytes, "transfer-encoding: chunked") != NULL;
	size_t wanted = bare || length == NULL ? 0 : strtoul(length, NULL, 10);
	size_t body = from->have - head;
	memmove(from->bytes, from->bytes + head, body);
	from->bytes[body] = '\0';
	while (!bare && (chunked ? strstr(from->bytes, "0\r\n\r\n") == NULL : body < wanted)) {
		const struct way *way = chunked ? from->head : from->body;
		const ssize_t got = way->in(from->fd, from->bytes + body, ROOM - 1 - body);
		if (got <= 0) return -1;
		body += got;
		from->bytes[body] = '\0';
	}
	message->body = body;
	from->have = 0;
	return 1;
}

static socklen_t fill_address(const char *family, const char *text, struct sockaddr_storage *to) {
	memset(to, 0, sizeof *to);
	if (strcmp(family, "unix") == 0) {
		struct sockaddr_un *address = (struct sockaddr_un *)to;
		address->sun_family = AF_UNIX;
		snprintf(address->sun_path, sizeof address->sun_path, "%s", text);
		/* An abstract name: no file is left of a server that is killed. */
		if (text[0] == '@') address->sun_path[0] = '\0';
		return sizeof *address;
	}
	if (strcmp(family, "tcp6") == 0) {
		struct sockaddr_in6 *address = (struct sockaddr_in6 *)to;
		*address = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = htons(atoi(text)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
		return sizeof *address;
	}
	struct sockaddr_in *address = (struct sockaddr_in *)to;
	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(atoi(text)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return sizeof *address;
}

static struct stream *open_stream(int fd, const struct way *way, bool whole) {
	struct stream *stream = calloc(1, sizeof *stream);
	stream->fd = fd;
	stream->whole = whole;
	stream->body = way;
	stream->head = whole ? way : way_named("write");
	return stream;
}

static struct stream *connect_to(const char *family, const struct way *way, bool whole, const char *text) {
	struct sockaddr_storage address;
	const socklen_t size = fill_address(family, text, &address);
	const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, size) != 0) fail("connect");
	if (way->prepare != NULL && way->prepare(fd) != 0) {
		fprintf(stderr, "mix: %s: %s\n", way->name, strerror(errno));
		exit(NOT_HERE);
	}
	return open_stream(fd, way, whole);
}

static void close_stream(struct stream *stream) {
	close(stream->fd);
	free(stream);
}

static int ask(struct stream *stream, const char *head, const char *body, bool bare) {
	struct message answer;
	if (send_message(stream, head, body) != 0) fail("request");
	if (take_message(stream, &answer, bare) != 1) fail("answer");
	return answer.status;
}

static int ask_upstream(const struct server *server, int index) {
	struct stream *stream = connect_to(server->family, way_at(index / 2), index % 2 == 0, server->upstream[index]);
	const int status = ask(stream, "GET /items/17 HTTP/1.1\r\nHost: stock.example\r\n\r\n", "", false);
	close_stream(stream);
	return status;
}

static int answer(const struct server *server, int index, struct stream *stream, const struct message *request) {
	static char item[1001];
	memset(item, 'v', 1000);
	if (strcmp(request->method, "HEAD") == 0)
		return send_message(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "");
	if (strcmp(request->method, "DELETE") == 0) return send_message(stream, "HTTP/1.1 204 No Content\r\n\r\n", "");
	if (strncmp(request->target, "/items/", 7) == 0)
		return send_message(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", item);
	if (strcmp(request->target, "/orders") == 0)
		return send_message(stream, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
							"4\r\nwiki\r\n3\r\nvor\r\n0\r\n\r\n");
	if (strcmp(request->target, "/fail") == 0)
		return send_message(stream, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\n", "oops");
	if (strcmp(request->target, "/via") == 0 && ask_upstream(server, index) == 200)
		return send_message(stream, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "via");
	return send_message(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n", "no");
}

static void serve(const struct server *server, int index, int fd) {
	const struct way *way = way_at(index / 2);
	struct message request;
	if (way->prepare != NULL && way->prepare(fd) != 0) {
		close(fd);
		return;
	}
	struct stream *stream = open_stream(fd, way, index % 2 == 0);
	while (take_message(stream, &request, false) == 1)
		if (answer(server, index, stream, &request) != 0) break;
	close_stream(stream);
}

static __attribute__((noreturn)) void run_server(const char *family, const char *upstream) {
	static struct server server;
	struct pollfd listeners[2 * MAX_WAYS];
	int count = 0;
	server.family = family;
	for (int i = 0; upstream != NULL && *upstream != '\0'; i++, upstream += *upstream == ',') {
		const size_t length = strcspn(upstream, ",");
		snprintf(server.upstream[i], sizeof server.upstream[i], "%.*s", (int)length, upstream);
		upstream += length;
	}
	for (; way_at(count / 2) != NULL; count++) {
		struct sockaddr_storage address;
		char path[64] = "0";
		if (strcmp(family, "unix") == 0) snprintf(path, sizeof path, "@mix-%d-%d", getpid(), count);
		socklen_t size = fill_address(family, path, &address);
		const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 16) != 0) fail("listen");
		getsockname(fd, (struct sockaddr *)&address, &size);
		if (address.ss_family != AF_UNIX)
			snprintf(path, sizeof path, "%d", ntohs(((struct sockaddr_in *)&address)->sin_port));
		printf("%s%s", count == 0 ? "" : ",", path);
		listeners[count] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	printf("\n");
	fflush(stdout);
	for (;;) {
		if (poll(listeners, count, -1) < 0) fail("poll");
		for (int i = 0; i < count; i++)
			if (listeners[i].revents != 0) serve(&server, i, accept4(listeners[i].fd, NULL, NULL, SOCK_CLOEXEC));
	}
}

static void expect(const char *what, int status, int wanted) {
	if (status == wanted) return;
	fprintf(stderr, "mix: %s was answered with %d, not with %d\n", what, status, wanted);
	exit(1);
}

// expected.mjs says what spans these must become.
static int run_client(const char *family, const struct way *way, bool whole, const char *address) {
	struct stream *s = connect_to(family, way, whole, address);
	const char *host = "Host: shop.example:8080\r\n";
	char head[512];
	snprintf(head, sizeof head,
			 "GET /items/17?full=yes HTTP/1.1\r\n%straceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n",
			 host);
	expect("GET", ask(s, head, "", false), 200);
	snprintf(head, sizeof head, "POST /orders HTTP/1.1\r\n%sContent-Length: 5\r\n\r\n", host);
	expect("POST", ask(s, head, "hello", false), 201);
	snprintf(head, sizeof head, "HEAD /items/17 HTTP/1.1\r\n%s\r\n", host);
	expect("HEAD", ask(s, head, "", true), 200);
	snprintf(head, sizeof head, "GET /missing HTTP/1.1\r\n%s\r\n", host);
	expect("GET", ask(s, head, "", false), 404);
	snprintf(head, sizeof head, "DELETE /items/17 HTTP/1.1\r\n%s\r\n", host);
	expect("DELETE", ask(s, head, "", true), 204);
	snprintf(head, sizeof head, "PUT /fail HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n", host);
	expect("PUT", ask(s, head, "5\r\nhello\r\n0\r\n\r\n", false), 500);
	snprintf(head, sizeof head, "GET /via HTTP/1.1\r\n%s\r\n", host);
	expect("GET", ask(s, head, "", false), 200);
	close_stream(s);
	return 0;
}

int main(int count, char **arguments) {
	signal(SIGPIPE, SIG_IGN);
	// Whoever started it has ended: so does it.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (count >= 3 && strcmp(arguments[1], "server") == 0)
		run_server(arguments[2], count > 3 ? arguments[3] : NULL);
	if (count == 6 && strcmp(arguments[1], "client") == 0 && way_named(arguments[3]) != NULL)
		return run_client(arguments[2], way_named(arguments[3]), strcmp(arguments[4], "all") == 0, arguments[5]);
	fprintf(stderr, "usage: mix server FAMILY [ADDRESSES] | mix client FAMILY WAY MODE ADDRESS\n");
	return 2;
}
