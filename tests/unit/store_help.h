/* store_help - a folder that goes away again, and result records, for tests of the store. */
#ifndef MAILPROBE_STORE_HELP_H
#define MAILPROBE_STORE_HELP_H

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "clock.h"
#include "failure.h"
#include "tap.h"
#include "uuid.h"

/* 2026-03-02T10:00:00Z, a Monday. */
#define TEST_START (INT64_C(1772445600) * NS_PER_SECOND)
#define TEST_MINUTE (60 * NS_PER_SECOND)

static char test_folder[64];

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
	(void)info;
	(void)flag;
	(void)walk;
	return remove(path);
}

static inline void remove_folder(void)
{
	nftw(test_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder; it goes when the test ends. */
static inline const char *make_folder(void)
{
	static bool registered;

	snprintf(test_folder, sizeof(test_folder), "/tmp/mailprobe-store-XXXXXX");
	if (mkdtemp(test_folder) == NULL)
		abort();
	if (!registered)
		atexit(remove_folder);
	registered = true;
	return test_folder;
}

/* A path in the folder. */
__attribute__((format(printf, 1, 2))) static inline const char *in_folder(const char *format, ...)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];
	char rest[400];
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	snprintf(path, sizeof(paths[0]), "%s/%s", test_folder, rest);
	return path;
}

/* A whole file, ended by NUL; the caller frees it. NULL if there is none. */
static inline char *read_whole(const char *path, size_t *size_r)
{
	FILE *file = fopen(path, "re");
	char *bytes;

	if (file == NULL)
		return NULL;
	bytes = calloc(1, 1 << 22);
	*size_r = fread(bytes, 1, (1 << 22) - 1, file);
	fclose(file);
	return bytes;
}

static inline void write_whole(const char *path, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
}

static inline void set_time(json_t *object, const char *key, int64_t at_ns)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	clock_format(at_ns, text);
	json_object_set_new(object, key, json_string(text));
}

/* The result of a run of 10 s without steps. */
static inline json_t *make_result(int64_t at_ns, const char *outcome)
{
	json_t *record;
	char run_id[UUID_SIZE];

	uuid_v7(at_ns, run_id);
	record = json_pack("{s:s, s:s, s:s, s:s, s:s}", "schema", "mailprobe.result/1", "run_id",
		run_id, "customer", "acme", "scenario", "mail", "vantage", "here");
	set_time(record, "started_at", at_ns);
	set_time(record, "ended_at", at_ns + 10 * NS_PER_SECOND);
	json_object_set_new(record, "duration_seconds", json_real(10));
	json_object_set_new(record, "outcome", json_string(outcome));
	json_object_set_new(record, "sandbox", json_string("full"));
	json_object_set_new(record, "steps", json_array());
	json_object_set_new(record, "mails", json_array());
	return record;
}

/* Adds a step without phases. */
static inline json_t *add_step(json_t *record, const char *id, const char *outcome, double seconds)
{
	json_t *step = json_pack("{s:s, s:s, s:s, s:f, s:[]}", "id", id, "type", "imap_login",
		"outcome", outcome, "duration_seconds", seconds, "phases");

	json_array_append_new(json_object_get(record, "steps"), step);
	return step;
}

static inline void add_phase(json_t *step, const char *name, double start, double seconds)
{
	json_array_append_new(json_object_get(step, "phases"),
		json_pack("{s:s, s:f, s:f}", "name", name, "start_seconds", start,
			"duration_seconds", seconds));
}

static inline json_t *make_mail(const char *id, const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "mail", id, "step", "in", "message_id",
		"x@acme.test", "from", "probe@elsewhere.test", "to", "probe@acme.test", "state",
		state);
}

/* 0, and the failure told if there is one. */
static inline int went_well(int result, struct failure *why, const char *name)
{
	if (!ok(result == 0, "%s", name))
		diag("%s: %s", error_info(why->type)->name, why->text);
	*why = (struct failure){0};
	return result;
}

/* -1 with that type and a sentence that says so. */
static inline void went_wrong(
	int result, struct failure *why, enum error_type type, const char *says, const char *name)
{
	bool as_told = result == -1 && why->type == type && strstr(why->text, says) != NULL;

	if (!ok(as_told, "%s", name))
		diag("result %d, %s: \"%s\", want \"%s\"", result, error_info(why->type)->name,
			why->text, says);
	*why = (struct failure){0};
}

#endif
