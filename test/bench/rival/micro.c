/* The pairs of the kernel microbenchmark, in one process: micro KIND ROUNDS CALLS
 * KIND: http (client and server side of one keep-alive exchange over TCP loopback, four socket calls), unix (the same
 * over a unix socket), file (read of a file that is no socket), getppid.
 * Waits for a line on stdin before every round ("go\n") and prints the nanoseconds a call of that round: of this
 * thread, so that what else runs on the machine does not count. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "GET /api/items/42?view=full HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: micro/1.0\r\n"
			      "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"id\":42,\"a\":1}\n";

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	int calls = atoi(argv[3]), pair[2] = { -1, -1 }, file = open("/proc/self/exe", O_RDONLY);
	if (!strcmp(argv[1], "unix")) {
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	} else if (!strcmp(argv[1], "http")) {
		int listener = socket(AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t length = sizeof address;
		bind(listener, (struct sockaddr *)&address, sizeof address);
		listen(listener, 1);
		getsockname(listener, (struct sockaddr *)&address, &length);
		pair[0] = socket(AF_INET, SOCK_STREAM, 0);
		connect(pair[0], (struct sockaddr *)&address, sizeof address);
		pair[1] = accept(listener, NULL, NULL);
	}
	char buffer[4096], line[16];
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int round = 0; round < atoi(argv[2]); round++) {
		if (!fgets(line, sizeof line, stdin))
			return 0;
		uint64_t start = now();
		for (int i = 0; i < calls; i++) {
			if (pair[0] >= 0) {
				if (write(pair[0], request, sizeof request - 1) < 0 || read(pair[1], buffer, sizeof buffer) < 0 ||
				    write(pair[1], response, sizeof response - 1) < 0 || read(pair[0], buffer, sizeof buffer) < 0)
					return 1;
			} else if (!strcmp(argv[1], "file")) {
				if (pread(file, buffer, 1, 0) < 0 || syscall(SYS_lseek, file, 0, SEEK_SET) < 0 ||
				    read(file, buffer, 16) < 0)
					return 1;
			} else {
				syscall(SYS_getppid);
			}
		}
		printf("%.1f\n", (double)(now() - start) / calls);
	}
	return 0;
}
