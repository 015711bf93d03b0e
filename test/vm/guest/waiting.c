// Threads that wait in a receive while requests pass on other connections: more of them than a kretprobe has places for.
//   mix-waiting THREADS REQUESTS
// makes these requests, one after the other, and ends with 0 when each was answered:
//   GET /before/I   on a connection X, while nobody waits
//   GET /crowded/I  on X, while THREADS threads sleep in recv, each on a connection of its own
//   GET /waiting/I  to thread I, which then receives no more
//   GET /after/I    on X, when these threads have ended
//   GET /fresh/I    on a new connection
// I counts from 0; the answer has 100 + I bytes. X's own ends never wait in a receive: they poll.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM 8192
#define MAX_THREADS 1024
#define PATIENCE_MS 60000

struct ends {
	int client, server;
};

struct waiter {
	struct ends ends;
	pthread_t thread;
	_Atomic pid_t tid;
};

static struct waiter waiters[MAX_THREADS];
static sem_t over;
static int listener;
static struct sockaddr_in address;

static void fail(const char *what) {
	fprintf(stderr, "mix-waiting: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct ends connect_ends(void) {
	struct ends ends = {.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (connect(ends.client, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
	ends.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (ends.server < 0) fail("accept");
	return ends;
}

static void close_ends(struct ends ends) {
	close(ends.client);
	close(ends.server);
}

// Takes one request by one receive and answers it; 0 at the end of the connection.
static int serve(int fd) {
	char bytes[ROOM], body[ROOM / 2];
	const ssize_t got = recv(fd, bytes, sizeof bytes - 1, 0);
	if (got <= 0) return 0;
	bytes[got] = '\0';
	int number = 0;
	if (sscanf(bytes, "GET /%*[a-z]/%d HTTP/1.1\r\n", &number) != 1) fail(bytes);
	memset(body, 'v', 100 + number);
	const int length = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%.*s", 100 + number,
								100 + number, body);
	if (send(fd, bytes, length, MSG_NOSIGNAL) != length) fail("answer");
	return 1;
}

static void *serve_polling(void *ends) {
	const int fd = ((struct ends *)ends)->server;
	struct pollfd one = {.fd = fd, .events = POLLIN};
	while (poll(&one, 1, -1) == 1 && serve(fd));
	return NULL;
}

static void *serve_once(void *waiter) {
	struct waiter *own = waiter;
	own->tid = syscall(SYS_gettid);
	serve(own->ends.server);
	sem_wait(&over);
	return NULL;
}

static void ask(int fd, const char *phase, int number) {
	char bytes[ROOM];
	const int length =
		snprintf(bytes, sizeof bytes, "GET /%s/%d HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n", phase, number);
	if (send(fd, bytes, length, MSG_NOSIGNAL) != length) fail("request");
	struct pollfd one = {.fd = fd, .events = POLLIN};
	if (poll(&one, 1, PATIENCE_MS) != 1) fail("no answer");
	// One send of a few hundred bytes on the loopback arrives whole.
	const ssize_t got = recv(fd, bytes, sizeof bytes - 1, 0);
	if (got < 0) fail("answer");
	bytes[got] = '\0';
	const char *end = strstr(bytes, "\r\n\r\n");
	if (end == NULL || bytes + got - (end + 4) != 100 + number) fail("another answer");
}

static void ask_all(int fd, const char *phase, int requests) {
	for (int i = 0; i < requests; i++) ask(fd, phase, i);
}

// Until the thread sleeps in recvfrom: the kernel tells the call of a task only while it does not run.
static void wait_until_asleep(struct waiter *waiter) {
	for (int i = 0; i < PATIENCE_MS; i++) {
		char path[64], line[256] = "";
		snprintf(path, sizeof path, "/proc/self/task/%d/syscall", waiter->tid);
		FILE *file = waiter->tid == 0 ? NULL : fopen(path, "r");
		if (file != NULL) {
			if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
			fclose(file);
		}
		char wanted[16];
		snprintf(wanted, sizeof wanted, "%d ", SYS_recvfrom);
		if (strncmp(line, wanted, strlen(wanted)) == 0) return;
		usleep(1000);
	}
	errno = ETIMEDOUT;
	fail("a thread does not wait");
}

static void ask_on(struct ends *ends, const char *phase, int requests, pthread_t *server) {
	*ends = connect_ends();
	if (pthread_create(server, NULL, serve_polling, ends) != 0) fail("thread");
	ask_all(ends->client, phase, requests);
}

static void end(struct ends *ends, pthread_t server) {
	shutdown(ends->client, SHUT_WR);
	pthread_join(server, NULL);
	close_ends(*ends);
}

int main(int count, char **arguments) {
	const int threads = count == 3 ? atoi(arguments[1]) : 0, requests = count == 3 ? atoi(arguments[2]) : 0;
	if (threads < 1 || threads > MAX_THREADS || requests < 1) {
		fprintf(stderr, "usage: mix-waiting THREADS REQUESTS\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	socklen_t size = sizeof address;
	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0) fail("listen");
	getsockname(listener, (struct sockaddr *)&address, &size);
	sem_init(&over, 0, 0);

	struct ends x, fresh;
	pthread_t x_server, fresh_server;
	ask_on(&x, "before", requests, &x_server);
	for (int i = 0; i < threads; i++) {
		waiters[i].ends = connect_ends();
		if (pthread_create(&waiters[i].thread, NULL, serve_once, &waiters[i]) != 0) fail("thread");
		wait_until_asleep(&waiters[i]);
	}
	ask_all(x.client, "crowded", requests);
	for (int i = 0; i < threads; i++) ask(waiters[i].ends.client, "waiting", i);
	for (int i = 0; i < threads; i++) sem_post(&over);
	for (int i = 0; i < threads; i++) {
		pthread_join(waiters[i].thread, NULL);
		close_ends(waiters[i].ends);
	}
	ask_all(x.client, "after", requests);
	end(&x, x_server);
	ask_on(&fresh, "fresh", requests, &fresh_server);
	end(&fresh, fresh_server);
	return 0;
}
