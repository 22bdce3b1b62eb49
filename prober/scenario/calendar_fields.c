#include "calendar_fields.h"

#include <stdio.h>

#include "calendar.h"
#include "text.h"

#include "ban.h"

#define R FIELD_REQUIRED
#define DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}"

static json_t *schema_pattern(const char *pattern)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

/* --- a zone ------------------------------------------------------------------------------ */

static bool check_zone(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	struct zone *zone = zone_load(json_string_value(value));
	bool known = zone != NULL;

	(void)field;
	(void)must_be;
	zone_free(&zone);
	return known;
}

static void hint_zone(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	char name[ZONE_NAME_MAX];

	(void)field;
	if (json_is_string(value) && zone_nearest(json_string_value(value), name))
		snprintf(hint, FIELD_MESSAGE_SIZE, "did you mean \"%s\"?", name);
}

static json_t *schema_zone(const struct field *field)
{
	(void)field;
	return schema_pattern("^[A-Za-z0-9_+/-]{1,63}$");
}

static const struct field_kind field_zone = {
	.name = "a zone of this machine's tz database, such as Europe/Berlin, or UTC",
	.types = FIELD_STRING,
	.check = check_zone,
	.hint = hint_zone,
	.schema = schema_zone,
};

/* --- times ------------------------------------------------------------------------------- */

static bool check_span(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	struct week_span span;

	(void)field;
	(void)must_be;
	return span_parse(json_string_value(value), &span);
}

static json_t *schema_span(const struct field *field)
{
	(void)field;
	return schema_pattern("^(daily|[A-Z][a-z]{2}([.,]{1,2}[A-Z][a-z]{2})*) "
			      "[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$");
}

static const struct field_kind field_span = {
	.name = "days and times, such as \"Mon..Fri 08:00-18:00\", \"Sat,Sun 10:00-12:00\" or "
		"\"daily 22:00-06:00\"",
	.types = FIELD_STRING,
	.check = check_span,
	.schema = schema_span,
};

static bool check_days(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	int64_t first, last;

	(void)field;
	(void)must_be;
	return days_parse(json_string_value(value), &first, &last);
}

static json_t *schema_days(const struct field *field)
{
	(void)field;
	return schema_pattern("^" DATE "([.]{2}" DATE ")?$");
}

static const struct field_kind field_days = {
	.name = "a date such as 2026-12-25, or two, such as 2026-12-24..2027-01-01",
	.types = FIELD_STRING,
	.check = check_days,
	.schema = schema_days,
};

static bool check_moment(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	int64_t shown;

	(void)field;
	(void)must_be;
	return moment_parse(json_string_value(value), &shown);
}

static json_t *schema_moment(const struct field *field)
{
	(void)field;
	return schema_pattern("^" DATE " [0-9]{2}:[0-9]{2}$");
}

static const struct field_kind field_moment = {
	.name = "a date and a time, such as \"2026-03-01 02:00\"",
	.types = FIELD_STRING,
	.check = check_moment,
	.schema = schema_moment,
};

/* --- the tables -------------------------------------------------------------------------- */

const struct field calendar_fields[] = {
	{"zone", &field_zone, R, "whose clocks: a name of the tz database, such as Europe/Berlin"},
	{"open", &field_list, R, "days and times, such as Mon..Fri 08:00-18:00", .item = &field_span},
	{"closed", &field_list, 0, "dates at which nothing opens", .item = &field_days},
	{0},
};

const struct field maintenance_fields[] = {
	{"name", &field_text, R, "what is done: each run that it touches is marked with it"},
	{"zone", &field_zone, 0, "whose clocks from, to and weekly go by"},
	{"from", &field_moment, 0, "when it begins, once"},
	{"to", &field_moment, 0, "and when it ends"},
	{"weekly", &field_list, 0, "days and times at which it comes again", .item = &field_span},
	{"calendar", &field_name, 0, "the calendar that is open while it goes on"},
	{0},
};
