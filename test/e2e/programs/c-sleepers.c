/* Programs that sleep: c-sleepers COUNT GAP_US
 * Starts COUNT of them (a fork and an exec each), one every GAP_US microseconds, says "started" and sleeps too. They end with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sleep") == 0)
		for (;;)
			pause();
	if (argc != 3)
		return 2;
	int count = atoi(argv[1]);
	useconds_t gap = (useconds_t)atoi(argv[2]);
	pid_t parent = getpid();
	for (int i = 0; i < count; i++) {
		pid_t child = fork();
		if (child < 0) {
			perror("fork");
			return 1;
		}
		if (child == 0) {
			/* Kept over the exec; it does not come when the parent has ended before. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(0);
			execl("/proc/self/exe", "sleeper", "sleep", (char *)NULL);
			_exit(127);
		}
		if (gap > 0)
			usleep(gap);
	}
	puts("started");
	fflush(stdout);
	for (;;)
		pause();
}
