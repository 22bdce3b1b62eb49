#include "default_limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record.h"
#include "step.h"
#include "text.h"

#include "ban.h"

/* What a row is written for once. */
enum scope {
	EACH_RUN,    /* the scenario */
	TIMED_RUNS,  /* the scenario, if it says how often it is run */
	MAILED_RUNS, /* the scenario, if it awaits any mail */
	EACH_MAIL,   /* a step that sends what another one awaits */
	EACH_LOGIN,  /* a step that is a login, and little else */
	EACH_SERVER, /* the first step that talks to a service of an account */
	EACH_QUOTA,  /* a step that asks for the quota */
};

/* The limits, as an author would write them. Names and metrics of steps get the step's id; {within} is
 * what the mail's await allows, and {many} 5 % of the mails of a day. The figures are tried by tests/years: each planted trouble is told, and
 * nothing else more than once in 90 days of ten scenarios. */
static const struct row {
	enum scope scope;
	const char *name, *metric;
	const char *over, *warn, *crit, *count, *severity, *min_step;
} rows[] = {
	/* One failure is chance, three of five are not. */
	{EACH_RUN, "failing", "failed", .count = "3 of 5", .severity = "critical"},
	/* Nobody knows whether it works: the vantage is down, or cannot judge. */
	{TIMED_RUNS, "silent", METRIC_AGE},
	/* One mail in a hundred may get lost where it passes through many hands. */
	{MAILED_RUNS, "losing", "lost", .over = "24h", .crit = "sum > {many}"},
	/* Slower than it was, at one time, and since. */
	{EACH_MAIL, "step", "delivery_seconds", .warn = "step > 2s within 3d"},
	{EACH_LOGIN, "step", "duration_seconds", .warn = "step > 1s within 3d"},
	/* Slower from week to week, and no chance. */
	{EACH_MAIL, "growth", "delivery_seconds", .warn = "slope > 300ms per week"},
	{EACH_MAIL, "reach", "delivery_seconds", .crit = "p95 reaches {within} within 14d"},
	/* Far from what is usual at this hour of the week. */
	{EACH_MAIL, "unusual", "delivery_seconds", .warn = "> baseline + 4 mad", .count = "4 of 6",
		.min_step = "10s"},
	/* What somebody has to see to before a certain day. */
	{EACH_SERVER, "certificate", METRIC_TLS_DAYS_LEFT, .warn = "< 14", .crit = "< 3"},
	{EACH_QUOTA, "quota", "storage_used_percent", .warn = "reaches 90 within 14d"},
	{EACH_QUOTA, "full", "storage_used_percent", .warn = "> 90", .crit = "> 97"},
};

#define DAY (INT64_C(86400) * INT64_C(1000000000))
/* Of a scenario that does not say. */
#define USUAL_EVERY (DAY / 288)
#define MANY_PERCENT 5
#define MANY_LEAST 2

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

struct steps {
	const struct step *items;
	size_t count;
	int64_t every_ns; /* 0: not known */
};

static const char *setting(const struct step *step, const char *key)
{
	const char *text = json_string_value(json_object_get(step->config, key));

	return text != NULL ? text : "";
}

/* --- what a step is -------------------------------------------------------------------- */

/* The step that awaits a step's mail; NULL: none does. */
static const struct step *await_of(const struct steps *steps, const struct step *sender)
{
	for (size_t i = 0; i < steps->count; i++)
		if (steps->items[i].type != NULL &&
			setting(&steps->items[i], "within")[0] != '\0' &&
			strcmp(setting(&steps->items[i], "mail"), sender->id) == 0)
			return &steps->items[i];
	return NULL;
}

static bool is_login(const struct step *step)
{
	static const char *const types[] = {"imap_login", "webmail_login", NULL};

	for (size_t i = 0; types[i] != NULL; i++)
		if (strcmp(step->type->name, types[i]) == 0)
			return strcmp(setting(step, "expect"), "refused") != 0;
	return false;
}

static const char *owner_of(const struct step *step)
{
	static const char *const keys[] = {"account", "from", "to", NULL};

	/* An exchanger is the recipient's. */
	if (strcmp(step->type->name, "mx_send") == 0)
		return setting(step, "to");
	for (size_t i = 0; keys[i] != NULL; i++)
		if (setting(step, keys[i])[0] != '\0')
			return setting(step, keys[i]);
	return "";
}

/* imap_login and imap_await go to one service. */
static bool is_same_service(const struct step *one, const struct step *other)
{
	size_t length = strcspn(one->type->name, "_");

	return length == strcspn(other->type->name, "_") &&
		strncmp(one->type->name, other->type->name, length) == 0 &&
		strcmp(owner_of(one), owner_of(other)) == 0;
}

static bool has_server(const struct step *step)
{
	const char *const *needs = step->type->account_needs;

	if (strcmp(step->type->name, "mx_send") == 0)
		return true;
	return needs != NULL && needs[0] != NULL && strcmp(needs[0], "maildir") != 0;
}

static bool is_first_of_server(const struct steps *steps, const struct step *step)
{
	if (!has_server(step))
		return false;
	for (const struct step *before = steps->items; before < step; before++)
		if (before->type != NULL && is_same_service(before, step))
			return false;
	return true;
}

static bool is_for(const struct row *row, const struct steps *steps, const struct step *step)
{
	switch (row->scope) {
	case EACH_RUN:
	case TIMED_RUNS:
	case MAILED_RUNS:
		break;
	case EACH_MAIL:
		return step->type->sends_mail && await_of(steps, step) != NULL;
	case EACH_LOGIN:
		return is_login(step);
	case EACH_SERVER:
		return is_first_of_server(steps, step);
	case EACH_QUOTA:
		return strcmp(step->type->name, "imap_quota") == 0;
	}
	return false;
}

/* --- writing it ------------------------------------------------------------------------ */

static void put(json_t *limit, const char *key, const char *text)
{
	if (text != NULL)
		json_object_set_new(limit, key, json_string(text));
}

/* Where its text has one of these, the figure of the scenario is put in its place. */
struct figure {
	const char *mark;
	char text[32];
};

static void put_condition(
	json_t *limit, const char *key, const char *text, const struct figure *figure)
{
	const char *at = text != NULL ? strstr(text, figure->mark) : NULL;
	struct text whole;

	if (at == NULL) {
		put(limit, key, text);
		return;
	}
	text_init(&whole, 256);
	text_append(&whole, text, (size_t)(at - text));
	text_puts(&whole, figure->text);
	text_puts(&whole, at + strlen(figure->mark));
	put(limit, key, whole.bytes);
	text_free(&whole);
}

/* What is rare at any cadence: single mails that get lost do not come near it. */
static struct figure many_mails(const struct steps *steps)
{
	int64_t every_ns = steps->every_ns > 0 ? steps->every_ns : USUAL_EVERY;
	struct figure figure = {.mark = "{many}"};
	int64_t mails = 0, many;

	for (size_t i = 0; i < steps->count; i++)
		mails += steps->items[i].type != NULL && steps->items[i].type->sends_mail &&
			await_of(steps, &steps->items[i]) != NULL;
	many = (mails * MANY_PERCENT * DAY / every_ns + 99) / 100;
	snprintf(figure.text, sizeof(figure.text), "%" PRId64, many > MANY_LEAST ? many : MANY_LEAST);
	return figure;
}

static struct figure within_of(const struct steps *steps, const struct step *step)
{
	const struct step *await = await_of(steps, step);
	struct figure figure = {.mark = "{within}"};

	if (await != NULL)
		text_copy(figure.text, sizeof(figure.text), setting(await, "within"));
	return figure;
}

/* `step` is NULL for what is about the run. */
static json_t *write_row(const struct row *row, const struct steps *steps, const struct step *step)
{
	const struct figure figure = step != NULL ? within_of(steps, step) : many_mails(steps);
	json_t *limit = json_object();

	json_object_set_new(limit, "name",
		step != NULL ? json_sprintf("%s-%s", row->name, step->id) : json_string(row->name));
	json_object_set_new(limit, "metric",
		step != NULL ? json_sprintf("%s.%s", step->id, row->metric)
			     : json_string(row->metric));
	put(limit, "over", row->over);
	put_condition(limit, "warn", row->warn, &figure);
	put_condition(limit, "crit", row->crit, &figure);
	put(limit, "for", row->count);
	put(limit, "min_step", row->min_step);
	put(limit, "severity", row->severity);
	return limit;
}

static bool is_for_scenario(const struct row *row, const struct steps *steps)
{
	switch (row->scope) {
	case EACH_RUN:
		return true;
	case TIMED_RUNS:
		return steps->every_ns > 0;
	case MAILED_RUNS:
		for (size_t i = 0; i < steps->count; i++)
			if (await_of(steps, &steps->items[i]) != NULL)
				return true;
		return false;
	case EACH_MAIL:
	case EACH_LOGIN:
	case EACH_SERVER:
	case EACH_QUOTA:
		break;
	}
	return false;
}

json_t *default_limits(const struct step *steps, size_t count, int64_t every_ns)
{
	const struct steps all = {steps, count, every_ns};
	json_t *limits = json_array();

	for (size_t r = 0; r < ROW_COUNT; r++) {
		if (is_for_scenario(&rows[r], &all))
			json_array_append_new(limits, write_row(&rows[r], &all, NULL));
		for (size_t i = 0; i < count; i++)
			if (steps[i].type != NULL && is_for(&rows[r], &all, &steps[i]))
				json_array_append_new(limits, write_row(&rows[r], &all, &steps[i]));
	}
	return limits;
}
