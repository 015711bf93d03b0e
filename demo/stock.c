// SPDX-License-Identifier: Apache-2.0
// A shop's stock: answers GET /stock/ID with a number. Blocking sockets, one thread a connection, keep-alive.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { head_max = 8192 };

// Reads up to the end of one head; requests here have no body. Returns its length, 0 at the end of the connection.
static size_t read_head(int fd, char *head, size_t *held)
{
	for (;;) {
		head[*held] = 0;
		char *end = strstr(head, "\r\n\r\n");
		if (end)
			return (size_t)(end - head) + 4;
		if (*held == head_max)
			return 0;
		ssize_t got = recv(fd, head + *held, head_max - *held, 0);
		if (got <= 0)
			return 0;
		*held += (size_t)got;
	}
}

static int send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return -1;
		bytes += sent;
		length -= (size_t)sent;
	}
	return 0;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char head[head_max + 1];
	size_t held = 0, length;
	while ((length = read_head(fd, head, &held)) > 0) {
		char answer[256], body[32];
		unsigned id;
		int known = sscanf(head, "GET /stock/%u", &id) == 1;
		snprintf(body, sizeof(body), known ? "%u" : "unknown", known ? id * 7919 % 100 : 0);
		int size = snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
				    known ? "200 OK" : "404 Not Found", strlen(body), body);
		if (send_all(fd, answer, (size_t)size) != 0)
			break;
		held -= length;
		memmove(head, head + length, held);
	}
	close(fd);
	return NULL;
}

int main(void)
{
	const char *port = getenv("PORT");
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port ? port : "0")),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 64) != 0) {
		perror("stock");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
			close(fd);
		else
			pthread_detach(thread);
	}
}
