/* A blocking C server for the tests: one thread a connection, plain read and write. Prints "listening PORT".
 * Every answer is 200 with the body "hello from c", but /status/N answers N and /post answers the body size it read. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char buffer[8192];
	size_t held = 0;
	for (;;) {
		char *end;
		buffer[held] = 0;
		while (!(end = strstr(buffer, "\r\n\r\n"))) {
			ssize_t n = held < sizeof buffer - 1 ? read(fd, buffer + held, sizeof buffer - 1 - held) : 0;
			if (n <= 0) {
				close(fd);
				return NULL;
			}
			held += (size_t)n;
			buffer[held] = 0;
		}
		size_t head = (size_t)(end - buffer) + 4, length = 0, have;
		char *header = strcasestr(buffer, "\r\ncontent-length:");
		if (header && header < end)
			length = strtoul(header + 17, NULL, 10);
		int status = 200;
		char body[64] = "hello from c";
		char *target = strchr(buffer, ' ') + 1;
		if (!strncmp(target, "/status/", 8))
			status = atoi(target + 8);
		if (!strncmp(target, "/post", 5))
			snprintf(body, sizeof body, "%zu", length);
		have = held - head;
		if (have > length)
			have = length;
		memmove(buffer, buffer + head + have, held - head - have);
		held -= head + have;
		for (size_t left = length - have; left > 0;) {
			char sink[8192];
			ssize_t n = read(fd, sink, left < sizeof sink ? left : sizeof sink);
			if (n <= 0) {
				close(fd);
				return NULL;
			}
			left -= (size_t)n;
		}
		char answer[256];
		int size = snprintf(answer, sizeof answer, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n\r\n%s", status,
				    strlen(body), body);
		if (write(fd, answer, (size_t)size) != size) {
			close(fd);
			return NULL;
		}
	}
}

int main(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64))
		return 1;
	getsockname(listener, (struct sockaddr *)&address, &length);
	printf("listening %d\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;
		if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
			pthread_detach(thread);
	}
}
