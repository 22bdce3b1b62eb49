/* tap - the Test Anything Protocol for our unit tests, in one header. */
#ifndef MAILPROBE_TAP_H
#define MAILPROBE_TAP_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failures;

/* One test; on failure shows where, and whatever `diag` lines follow. Yields `passed`. */
#define ok(passed, ...) tap_ok((passed), __FILE__, __LINE__, __VA_ARGS__)
#define diag(...) (printf("# " __VA_ARGS__), printf("\n"))

__attribute__((format(printf, 4, 5))) static inline bool tap_ok(
	bool passed, const char *file, int line, const char *format, ...)
{
	char name[512];
	__builtin_va_list args;

	__builtin_va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	__builtin_va_end(args);
	printf("%sok %d - %s\n", passed ? "" : "not ", ++tap_count, name);
	if (!passed) {
		tap_failures++;
		diag("at %s:%d", file, line);
	}
	return passed;
}

static inline bool is_string(const char *got, const char *want, const char *name)
{
	bool same = got == want || (got != NULL && want != NULL && strcmp(got, want) == 0);

	if (!ok(same, "%s", name))
		diag("got \"%s\", want \"%s\"", got ? got : "(null)", want ? want : "(null)");
	return same;
}

static inline bool is_integer(long long got, long long want, const char *name)
{
	if (!ok(got == want, "%s", name))
		diag("got %lld, want %lld", got, want);
	return got == want;
}

static inline bool is_near(double got, double want, double within, const char *name)
{
	bool near = fabs(got - want) <= within;

	if (!ok(near, "%s", name))
		diag("got %.9g, want %.9g within %.3g", got, want, within);
	return near;
}

/* The plan; call it last and return it from main. */
static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_failures == 0 && tap_count > 0 ? 0 : 1;
}

#endif
