/* other_clock - a library to preload: the clocks of a machine that is not the one we are on.
 *
 *	OTHER_CLOCK_SYNCED   0 or 1: what the kernel says of the clock
 *	OTHER_CLOCK_AHEAD    seconds that the wall clock is ahead from the start
 *	OTHER_CLOCK_JUMP     seconds that it jumps by, OTHER_CLOCK_AT seconds after the start
 *	OTHER_CLOCK_SLEEP    seconds that the boot and wall clocks gain then, as if suspended
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static double ahead, jump, slept, at = 1;
static int synced = -1;
static time_t begun;

static double number(const char *name, double otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtod(text, NULL) : otherwise;
}

__attribute__((constructor)) static void begin(void)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	begun = now.tv_sec;
	ahead = number("OTHER_CLOCK_AHEAD", 0);
	jump = number("OTHER_CLOCK_JUMP", 0);
	slept = number("OTHER_CLOCK_SLEEP", 0);
	at = number("OTHER_CLOCK_AT", 1);
	synced = (int)number("OTHER_CLOCK_SYNCED", -1);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	struct timespec real;
	int result = (int)syscall(SYS_clock_gettime, id, now);

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &real);
	if (id == CLOCK_REALTIME)
		now->tv_sec += (time_t)ahead;
	if (real.tv_sec - begun >= at && (id == CLOCK_REALTIME || id == CLOCK_BOOTTIME))
		now->tv_sec += (time_t)(slept + (id == CLOCK_REALTIME ? jump : 0));
	return result;
}

time_t time(time_t *to)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (to != NULL)
		*to = now.tv_sec;
	return now.tv_sec;
}

int adjtimex(struct timex *state)
{
	int result = (int)syscall(SYS_adjtimex, state);

	if (synced >= 0)
		state->status = synced != 0 ? state->status & ~STA_UNSYNC : state->status | STA_UNSYNC;
	if (synced == 1)
		state->maxerror = 5000;
	return result;
}
