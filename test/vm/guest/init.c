// First program of a guest: mounts what Vör looks at, brings the loopback up, loads the modules that were packed, runs
// `node /vor/test/vm/guest/main.mjs`, and powers off. tracefs, debugfs and bpffs stay unmounted on purpose: Vör may not need them.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MODULES "/modules"
#define MAX_MODULES 64

static void mount_or_say(const char *type, const char *where) {
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) != 0) printf("init: mount %s: %s\n", where, strerror(errno));
}

static void loopback_up(void) {
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {0};
	strcpy(request.ifr_name, "lo");
	ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) printf("init: lo: %s\n", strerror(errno));
	close(fd);
}

// Which module needs which is not told: each round loads what it can, until a round loads nothing more.
static void load_modules(void) {
	char names[MAX_MODULES][256];
	int count = 0;
	DIR *folder = opendir(MODULES);
	if (folder == NULL) return;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < MAX_MODULES;) {
		if (entry->d_name[0] != '.') snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
	}
	closedir(folder);
	for (int loaded = 1; loaded;) {
		loaded = 0;
		for (int i = 0; i < count; i++) {
			char path[512];
			if (names[i][0] == '\0') continue;
			snprintf(path, sizeof path, MODULES "/%.255s", names[i]);
			const int fd = open(path, O_RDONLY | O_CLOEXEC);
			if (syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST) {
				names[i][0] = '\0';
				loaded = 1;
			}
			close(fd);
		}
	}
	for (int i = 0; i < count; i++)
		if (names[i][0] != '\0') printf("init: module %s was not loaded\n", names[i]);
}

// Results leave through the second serial port, byte for byte.
static int open_results(void) {
	const int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	struct termios raw;
	if (fd < 0 || tcgetattr(fd, &raw) != 0) return -1;
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	tcsetattr(fd, TCSANOW, &raw);
	return fd;
}

int main(void) {
	setvbuf(stdout, NULL, _IONBF, 0);
	mount_or_say("proc", "/proc");
	mount_or_say("sysfs", "/sys");
	mount_or_say("devtmpfs", "/dev");
	mount_or_say("tmpfs", "/tmp");
	mount_or_say("cgroup2", "/sys/fs/cgroup");
	sethostname("guest", 5);
	loopback_up();
	load_modules();
	const int results = open_results();
	const pid_t runner = fork();
	if (runner == 0) {
		if (results >= 0) dup2(results, 1);
		char *const arguments[] = {"/bin/node", "/vor/test/vm/guest/main.mjs", "/vor/request.json", NULL};
		char *const environment[] = {"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp", NULL};
		execve(arguments[0], arguments, environment);
		fprintf(stderr, "init: node: %s\n", strerror(errno));
		_exit(127);
	}
	int status = 0;
	for (pid_t ended; (ended = wait(&status)) != runner;)
		if (ended < 0 && errno == ECHILD) break;
	if (results >= 0) tcdrain(results);
	printf("init: the runner ended with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
