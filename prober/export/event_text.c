#include "event_text.h"

#include <string.h>

#include "text.h"

#include "ban.h"

#define SHOWN_MAX 4096

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* What people wrote may hold anything. */
static void print_words(const char *words, FILE *to)
{
	struct text text;

	text_init(&text, SHOWN_MAX);
	text_printable(&text, words, strlen(words));
	if (text.length > 0)
		fputs(text.bytes, to);
	text_free(&text);
}

/* Whole seconds are enough for people. */
static void print_time(const char *at, FILE *to)
{
	fprintf(to, "%.19sZ", at);
}

static void print_said(const char *what, const json_t *said, const char *key, FILE *to)
{
	fprintf(to, "    %s", what);
	print_words(member(said, "by"), to);
	fputs(" at ", to);
	print_time(member(said, "at"), to);
	if (member(said, key)[0] != '\0')
		fputs(": ", to);
	print_words(member(said, key), to);
	fputc('\n', to);
}

static void print_healing(const json_t *one, FILE *to)
{
	const json_t *status = json_object_get(one, "exit");
	const json_t *killer = json_object_get(one, "signal");

	fputs("    command ", to);
	print_words(member(one, "sink"), to);
	fputs(" at ", to);
	print_time(member(one, "started"), to);
	if (status != NULL)
		fprintf(to, ": exited with status %d", (int)json_integer_value(status));
	else if (killer != NULL)
		fprintf(to, ": died of signal %d", (int)json_integer_value(killer));
	else if (json_is_true(json_object_get(one, "timed_out")))
		fputs(": did not end in its time", to);
	else if (json_is_true(json_object_get(one, "interrupted")))
		fputs(": interrupted, how it ended is not known", to);
	else
		fprintf(to, ": not run: %s", member(one, "skipped"));
	fputc('\n', to);
}

static void print_span(const json_t *event, FILE *to)
{
	const char *over = member(event, "resolved_at");

	print_time(member(event, "since"), to);
	if (strcmp(member(event, "state"), "resolved") != 0)
		return;
	fputs(" to ", to);
	print_time(over[0] != '\0' ? over : member(event, "at"), to);
}

void event_print(const json_t *event, FILE *to)
{
	const json_t *acknowledged = json_object_get(event, "acknowledged");
	const json_t *notes = json_object_get(event, "notes");
	const json_t *healing = json_object_get(event, "healing");
	const char *runbook = member(event, "runbook_url");
	const char *state = member(event, "state");

	if (strcmp(state, "update") == 0)
		state = "open";
	fprintf(to, "%-9s %-9s ", state, member(event, "severity"));
	print_span(event, to);
	fprintf(to, "  %s  %s\n    ", member(event, "dedup_key"), member(event, "event_id"));
	print_words(member(event, "summary"), to);
	fputc('\n', to);
	if (acknowledged != NULL)
		print_said("acknowledged by ", acknowledged, "note", to);
	for (size_t i = 0; i < json_array_size(notes); i++)
		print_said("note by ", json_array_get(notes, i), "text", to);
	for (size_t i = 0; i < json_array_size(healing); i++)
		print_healing(json_array_get(healing, i), to);
	if (runbook[0] != '\0') {
		fputs("    runbook: ", to);
		print_words(runbook, to);
		fputc('\n', to);
	}
}

void event_print_row(const json_t *event, FILE *to)
{
	print_time(member(event, "at"), to);
	fprintf(to, "  %-9s %-9s ", member(event, "state"), member(event, "severity"));
	print_words(member(event, "summary"), to);
	fputc('\n', to);
}

void event_print_json(const json_t *event, FILE *to)
{
	json_dumpf(event, to, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
	fputc('\n', to);
}
