/* The load of `vor bench`: an HTTP/1 client and its servers, on loopback only.
 *     load PROCESSES CONNECTIONS BODY_BYTES
 * forks PROCESSES servers (each with a port of its own), opens CONNECTIONS keep-alive connections to them in turn, and
 * prints one line of JSON. Then, for every line "RATE MILLISECONDS COUNT" on stdin, one round: RATE requests a second (0 =
 * as fast as answers come; at most `window` are under way), or COUNT requests where that is not 0 (the connections take
 * turns: as many as there are is one on each), waits for the answers under way, prints one line of JSON with the CPU time that client and servers took. All share one CPU: where the scheduler would put them differs from round to
 * round by more than what is measured. Ends, servers too, when stdin ends or whoever started it dies.
 * On failure one line {"error":"STEP","errno":N} and exit code 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { window = 32, spare_files = 64, batch = 256, patience_ms = 10000 };

struct connection {
	int fd;
	int waits;	/* server: for room in the socket */
	uint32_t got;	/* bytes read of the request or answer under way */
	uint32_t given; /* server: bytes written of the answer under way */
};

static const char request[] = "GET /api/items/42?view=full HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: vor-bench\r\n"
			      "Accept: application/json\r\n\r\n";
enum { request_size = sizeof request - 1 };
static char *response;
static uint32_t response_size;
static char sink[1 << 18];

static void fail(const char *step)
{
	printf("{\"error\":\"%s\",\"errno\":%d}\n", step, errno);
	fflush(stdout);
	exit(1);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t = { 0 };
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* As many files as wanted, or as many as we may have. */
static long raise_files(long wanted)
{
	struct rlimit now;
	getrlimit(RLIMIT_NOFILE, &now);
	if ((long)now.rlim_cur >= wanted)
		return wanted;
	rlim_t want = (rlim_t)wanted;
	struct rlimit more = { want, now.rlim_max > want ? now.rlim_max : want };
	if (!setrlimit(RLIMIT_NOFILE, &more))
		return wanted;
	now.rlim_cur = now.rlim_max;
	setrlimit(RLIMIT_NOFILE, &now);
	return (long)now.rlim_max;
}

/* On the last of the CPUs that we may use: the first ones get most of the machine's interrupts. */
static void share_one_cpu(void)
{
	cpu_set_t all, one;
	if (sched_getaffinity(0, sizeof all, &all))
		return;
	CPU_ZERO(&one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && !CPU_COUNT(&one); cpu--)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof one, &one);
}

static void watch(int poll, int how, struct connection *c, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };
	if (epoll_ctl(poll, how, c->fd, &event))
		fail("epoll_ctl");
}

/* False when the connection is gone. */
static int answer(int poll, struct connection *c)
{
	while (c->given < response_size) {
		ssize_t n = write(c->fd, response + c->given, response_size - c->given);
		if (n < 0 && errno != EAGAIN)
			return 0;
		if (n < 0) {
			if (!c->waits)
				watch(poll, EPOLL_CTL_MOD, c, EPOLLOUT);
			c->waits = 1;
			return 1;
		}
		c->given += (uint32_t)n;
	}
	if (c->waits)
		watch(poll, EPOLL_CTL_MOD, c, EPOLLIN);
	c->waits = 0;
	c->got = 0;
	return 1;
}

/* False when the connection is gone. */
static int on_server(int poll, struct connection *c)
{
	if (c->waits)
		return answer(poll, c);
	ssize_t n = read(c->fd, sink, request_size - c->got);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->got += (uint32_t)n;
	if (c->got < request_size)
		return 1;
	c->given = 0;
	return answer(poll, c);
}

/* One event loop, non-blocking sockets, one thread: as nginx or Node.js. Never returns. */
static void serve(int listener)
{
	struct epoll_event events[batch];
	struct connection door = { .fd = listener };
	int poll = epoll_create1(EPOLL_CLOEXEC), one = 1;
	watch(poll, EPOLL_CTL_ADD, &door, EPOLLIN);
	for (;;) {
		int count = epoll_wait(poll, events, batch, -1);
		for (int i = 0; i < count; i++) {
			struct connection *c = events[i].data.ptr;
			if (c != &door) {
				if (!on_server(poll, c)) {
					close(c->fd);
					free(c);
				}
				continue;
			}
			int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd < 0 || !(c = calloc(1, sizeof *c)))
				continue;
			c->fd = fd;
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			watch(poll, EPOLL_CTL_ADD, c, EPOLLIN);
		}
	}
}

static void start_server(volatile uint16_t *port, pid_t parent)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (getppid() != parent || listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
	    listen(listener, 4096) || getsockname(listener, (struct sockaddr *)&address, &length))
		_exit(1);
	*port = ntohs(address.sin_port);
	serve(listener);
}

static struct connection *connections;
static pid_t *servers;
static int connection_count, server_count;

static uint64_t servers_ns(void)
{
	uint64_t sum = 0;
	for (int i = 0; i < server_count; i++) {
		clockid_t id;
		if (!clock_getcpuclockid(servers[i], &id))
			sum += clock_ns(id);
	}
	return sum;
}

static void play(int poll, uint64_t rate, uint64_t milliseconds, uint64_t count)
{
	static int next;
	struct epoll_event events[batch];
	uint64_t sent = 0, completed = 0, errors = 0, open = 0, servers_before = servers_ns();
	uint64_t mine_before = clock_ns(CLOCK_PROCESS_CPUTIME_ID), start = clock_ns(CLOCK_MONOTONIC);
	uint64_t end = start + milliseconds * 1000000, now = start;
	while ((count ? sent < count : now < end) || open > 0) {
		uint64_t due = count ? count : now >= end ? 0 : rate ? (now - start) * rate / 1000000000ull + 1 : UINT64_MAX;
		for (int tries = 0; tries < connection_count && sent < due && open < window; tries++) {
			struct connection *c = &connections[next];
			next = (next + 1) % connection_count;
			if (c->given || c->fd < 0)
				continue;
			if (write(c->fd, request, request_size) != request_size) {
				errors++;
				continue;
			}
			c->given = 1;
			c->got = 0;
			open++;
			sent++;
		}
		if (now > end + patience_ms * 1000000ull) {
			errors += open;
			break;
		}
		int ready = epoll_wait(poll, events, batch, 1);
		for (int i = 0; i < ready; i++) {
			struct connection *c = events[i].data.ptr;
			ssize_t n = read(c->fd, sink, sizeof sink);
			int bad = n <= 0 || !c->given || (c->got == 0 && (n < 12 || memcmp(sink, "HTTP/1.1 200", 12)));
			if (n < 0 && errno == EAGAIN)
				continue;
			if (bad || c->got + (uint32_t)n > response_size) {
				errors++;
				open -= (uint64_t)c->given;
				close(c->fd);
				c->fd = -1;
				continue;
			}
			c->got += (uint32_t)n;
			if (c->got < response_size)
				continue;
			c->given = 0;
			completed++;
			open--;
		}
		now = clock_ns(CLOCK_MONOTONIC);
	}
	uint64_t mine = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - mine_before;
	printf("{\"sent\":%lu,\"completed\":%lu,\"errors\":%lu,\"clientNs\":%lu,\"serverNs\":%lu,\"wallNs\":%lu}\n", sent,
	       completed, errors, mine, servers_ns() - servers_before, now - start);
	fflush(stdout);
}

static void connect_all(int poll, volatile uint16_t *ports)
{
	connections = calloc((size_t)connection_count, sizeof *connections);
	for (int i = 0; i < connection_count; i++) {
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
		address.sin_port = htons(ports[i % server_count]);
		if (fd < 0)
			fail("socket");
		if (connect(fd, (struct sockaddr *)&address, sizeof address))
			fail("connect");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		connections[i].fd = fd;
		watch(poll, EPOLL_CTL_ADD, &connections[i], EPOLLIN);
	}
}

static void start_servers(volatile uint16_t *ports)
{
	pid_t self = getpid();
	servers = calloc((size_t)server_count, sizeof *servers);
	for (int i = 0; i < server_count; i++) {
		servers[i] = fork();
		if (servers[i] < 0)
			fail("fork");
		if (servers[i] == 0)
			start_server(&ports[i], self);
	}
	for (int i = 0, waited = 0; i < server_count; i++) {
		for (; !ports[i]; waited++) {
			if (waited > patience_ms)
				fail("listen");
			usleep(1000);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	share_one_cpu();
	server_count = atoi(argv[1]);
	connection_count = atoi(argv[2]);
	size_t body = strtoul(argv[3], NULL, 10);
	response = malloc(body + 256);
	int head = sprintf(response, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", body);
	memset(response + head, 'x', body);
	response_size = (uint32_t)head + (uint32_t)body;
	long files = raise_files(connection_count + spare_files);
	if (connection_count > files - spare_files)
		connection_count = files > spare_files ? (int)(files - spare_files) : 1;
	volatile uint16_t *ports = mmap(NULL, (size_t)server_count * sizeof *ports, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ports == MAP_FAILED)
		fail("mmap");
	start_servers(ports);
	int poll = epoll_create1(EPOLL_CLOEXEC);
	connect_all(poll, ports);
	printf("{\"client\":%d,\"connections\":%d,\"files\":%ld,\"servers\":[", getpid(), connection_count, files);
	for (int i = 0; i < server_count; i++)
		printf("%s%d", i ? "," : "", servers[i]);
	printf("]}\n");
	fflush(stdout);
	unsigned long rate, milliseconds, count;
	while (scanf("%lu %lu %lu", &rate, &milliseconds, &count) == 3)
		play(poll, rate, milliseconds, count);
	for (int i = 0; i < server_count; i++)
		kill(servers[i], SIGKILL);
	return 0;
}
