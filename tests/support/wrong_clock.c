/* A machine's wrong clock for one process: LD_PRELOAD this library, and WRONG_CLOCK_SECONDS says how far it is ahead.
 *
 * Only the time of day is wrong, as on a real machine: CLOCK_MONOTONIC is right, and a wait until a time of day lasts
 * as long as it should. A deadline is a time of day where it is over 1e9 s: no machine has run for 31 years.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long (*real_syscall)(long, ...);
static time_t ahead;

__attribute__((constructor)) static void begin(void) {
  const char *seconds = getenv("WRONG_CLOCK_SECONDS");
  ahead = seconds ? atol(seconds) : 0;
}

long syscall(long number, ...) {
  if (!real_syscall) real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  __builtin_va_list words;
  long w[6];
  __builtin_va_start(words, number);
  for (int i = 0; i < 6; i++) w[i] = __builtin_va_arg(words, long);
  __builtin_va_end(words);
  struct timespec shifted;
  const struct timespec *deadline = (const struct timespec *)w[3];
  if (number == SYS_futex && (w[1] & 127) == 9 /* FUTEX_WAIT_BITSET */ && deadline && deadline->tv_sec > 1000000000) {
    shifted = *deadline;
    shifted.tv_sec -= ahead;
    w[3] = (long)&shifted;
  }
  return real_syscall(number, w[0], w[1], w[2], w[3], w[4], w[5]);
}

static int is_day(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE; }

int clock_gettime(clockid_t id, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, id, now);
  if (!failed && is_day(id)) now->tv_sec += ahead;
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int failed = syscall(SYS_gettimeofday, now, zone);
  if (!failed) now->tv_sec += ahead;
  return failed;
}

time_t time(time_t *place) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}

static clockid_t true_deadline(struct timespec *deadline) {
  if (deadline->tv_sec <= 1000000000) return CLOCK_MONOTONIC;
  deadline->tv_sec -= ahead;
  return CLOCK_REALTIME;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline) {
  struct timespec shifted = *deadline;
  clockid_t id = true_deadline(&shifted);
  return pthread_cond_clockwait(cond, mutex, id, &shifted);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
  struct timespec shifted = *deadline;
  clockid_t id = true_deadline(&shifted);
  return sem_clockwait(semaphore, id, &shifted);
}
