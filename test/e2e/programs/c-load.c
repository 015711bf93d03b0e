/* A paced load maker: c-load PORT CONNECTIONS RATE SECONDS PATH
 * RATE requests a second over all keep-alive connections (0 = as fast as the answers come), one outstanding a connection.
 * Prints one line: "sent N completed N errors N other N p50_us N p99_us N" (other: status is not 200). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { buckets = 100000 };
struct connection {
	int busy;
	uint64_t sent_ns;
	size_t held;
	char buffer[16384];
};

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static unsigned histogram[buckets];

static unsigned quantile(uint64_t count, double q)
{
	uint64_t want = (uint64_t)((double)count * q), seen = 0;
	for (unsigned i = 0; i < buckets; i++)
		if ((seen += histogram[i]) > want)
			return i * 10;
	return buckets * 10;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	int count = atoi(argv[2]);
	uint64_t rate = strtoull(argv[3], NULL, 10), end = now() + strtoull(argv[4], NULL, 10) * 1000000000ull;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)atoi(argv[1])),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct connection *c = calloc((size_t)count, sizeof *c);
	struct pollfd *fds = calloc((size_t)count, sizeof *fds);
	char request[512];
	int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUser-Agent: c-load\r\n\r\n",
			    argv[5], argv[1]);
	for (int i = 0; i < count; i++) {
		int one = 1;
		fds[i] = (struct pollfd){ .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN };
		if (connect(fds[i].fd, (struct sockaddr *)&address, sizeof address))
			return 1;
		setsockopt(fds[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	uint64_t sent = 0, completed = 0, errors = 0, other = 0, start = now(), open = 0;
	int next = 0;
	while (now() < end || open > 0) {
		uint64_t t = now();
		uint64_t due = t >= end ? 0 : rate ? (t - start) * rate / 1000000000ull : UINT64_MAX;
		for (int tries = 0; tries < count && sent < due; tries++, next = (next + 1) % count) {
			if (c[next].busy)
				continue;
			if (write(fds[next].fd, request, (size_t)size) != size) {
				errors++;
				continue;
			}
			c[next].busy = 1;
			c[next].sent_ns = now();
			open++;
			sent++;
		}
		if (t >= end + 5000000000ull)
			break;
		if (poll(fds, (nfds_t)count, 1) <= 0)
			continue;
		for (int i = 0; i < count; i++) {
			if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR)))
				continue;
			ssize_t n = read(fds[i].fd, c[i].buffer + c[i].held, sizeof c[i].buffer - 1 - c[i].held);
			if (n <= 0) {
				errors++;
				open -= (uint64_t)c[i].busy;
				fds[i].fd = -1;
				c[i].busy = 1;
				continue;
			}
			c[i].held += (size_t)n;
			c[i].buffer[c[i].held] = 0;
			char *body = strstr(c[i].buffer, "\r\n\r\n");
			char *length = body ? strcasestr(c[i].buffer, "\r\ncontent-length:") : NULL;
			if (!length || c[i].held < (size_t)(body + 4 - c[i].buffer) + strtoul(length + 17, NULL, 10))
				continue;
			if (strncmp(c[i].buffer + 9, "200", 3))
				other++;
			uint64_t us10 = (now() - c[i].sent_ns) / 10000;
			histogram[us10 < buckets ? us10 : buckets - 1]++;
			c[i].held = 0;
			c[i].busy = 0;
			completed++;
			open--;
		}
	}
	printf("sent %lu completed %lu errors %lu other %lu p50_us %u p99_us %u\n", sent, completed, errors, other,
	       quantile(completed, 0.5), quantile(completed, 0.99));
	return errors ? 1 : 0;
}
