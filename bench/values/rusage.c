/*
 * Runs a command whose output nobody reads, and prints what it took: microseconds of CPU time, and the most KiB of memory
 * that it had. `rusage COMMAND ARGS…`
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t child;

	if (argc < 2)
		return 2;
	child = fork();
	if (child < 0)
		return 2;
	if (child == 0) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) != child || status != 0)
		return 1;
	printf("%lld %ld\n",
	       (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
	       usage.ru_maxrss);
	return 0;
}
