/* Stands between the server and the C library, and lets the disk and the clock misbehave.
 *
 * What it does is told by a file of 4096 bytes, named by GUILDHALL_SHIM, which it maps: a test
 * writes into the file, and the next call sees it. The layout is that of shim.rs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WRITES = 1, SYNCS = 2 };

struct told {
	int64_t clock_ms;   /* added to the time of day */
	int32_t fails;      /* WRITES, SYNCS or both */
	int32_t error;      /* with this errno */
	int32_t left;       /* so many times; below zero for ever */
	int32_t failed;     /* how many calls have failed */
	char part[128];     /* on files with this in their path */
};

static volatile struct told *told;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("GUILDHALL_SHIM");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED)
		told = at;
	close(fd);
}

static int fails(int fd, int32_t what)
{
	if (!told || !(told->fails & what))
		return 0;
	char link[64], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	if (!strstr(path, (const char *)told->part))
		return 0;
	if (told->left >= 0 && __atomic_fetch_sub(&told->left, 1, __ATOMIC_SEQ_CST) <= 0) {
		told->left = 0;
		return 0;
	}
	__atomic_fetch_add(&told->failed, 1, __ATOMIC_SEQ_CST);
	errno = told->error;
	return 1;
}

#define NEXT(name) \
	static __typeof__(name) *next; \
	if (!next) \
		next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count)
{
	NEXT(write);
	return fails(fd, WRITES) ? -1 : next(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	NEXT(pwrite);
	return fails(fd, WRITES) ? -1 : next(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	NEXT(pwrite64);
	return fails(fd, WRITES) ? -1 : next(fd, bytes, count, at);
}

int fsync(int fd)
{
	NEXT(fsync);
	return fails(fd, SYNCS) ? -1 : next(fd);
}

int fdatasync(int fd)
{
	NEXT(fdatasync);
	return fails(fd, SYNCS) ? -1 : next(fd);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	NEXT(clock_gettime);
	int outcome = next(clock, time);
	if (outcome == 0 && told && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		int64_t ns = time->tv_nsec + told->clock_ms % 1000 * 1000000;
		time->tv_sec += told->clock_ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
		time->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
	}
	return outcome;
}

int gettimeofday(struct timeval *time, void *zone)
{
	struct timespec now;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	time->tv_sec = now.tv_sec;
	time->tv_usec = now.tv_nsec / 1000;
	return 0;
}
