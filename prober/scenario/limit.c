#include "limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "field.h"
#include "text.h"

#include "ban.h"

#define RECOVERY 0.9
#define MIN_FAILURES 2 /* one failure is no rate */

static const char *const statistics[] = {"", "p50", "p95", "p99", "max", "min", "sum", NULL};

const char *limit_statistic_name(enum limit_statistic statistic)
{
	return statistics[statistic];
}

static int wrong(char message[static LIMIT_MESSAGE_SIZE], const char *what)
{
	text_copy(message, LIMIT_MESSAGE_SIZE, what);
	return -1;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " ");
}

static int parse_statistic(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	size_t length = strcspn(*text, " <>=");
	char name[16];
	const char *nearest;
	int index;

	if (length == 0)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(length < 15 ? length : 15), *text);
	index = name_index(statistics, name);
	if (index <= 0) {
		nearest = text_nearest(name, statistics + 1);
		snprintf(message, LIMIT_MESSAGE_SIZE,
			"begins with \"%s\", which is not one of p50, p95, p99, max, min, "
			"sum%s%s%s",
			name, nearest != NULL ? "; did you mean \"" : "",
			nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
		return -1;
	}
	condition->statistic = (enum limit_statistic)index;
	*text = skip_blanks(*text + length);
	return 0;
}

static int parse_comparator(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	if (**text != '>' && **text != '<')
		return wrong(message, "has no \">\", \">=\", \"<\" or \"<=\" where one must be");
	condition->below = **text == '<';
	condition->or_equal = (*text)[1] == '=';
	*text = skip_blanks(*text + 1 + condition->or_equal);
	return 0;
}

/* 30s, 250ms; 5%; 3 */
static int parse_threshold(const char *text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	char *end;
	int64_t ns;

	if (duration_parse(text, &ns)) {
		condition->threshold = clock_seconds(ns);
		condition->unit = LIMIT_SECONDS;
		return 0;
	}
	if (strspn(text, "0123456789") == 0 || strpbrk(text, "xXeE") != NULL)
		return wrong(
			message, "has no threshold after the comparator, such as 30s, 5% or 3");
	condition->threshold = strtod(text, &end);
	condition->unit = *end == '%' ? LIMIT_SHARE : LIMIT_NUMBER;
	end += *end == '%';
	if (*skip_blanks(end) != '\0')
		return wrong(
			message, "ends in something that is no threshold, such as 30s, 5% or 3");
	if (condition->unit == LIMIT_SHARE)
		condition->threshold /= 100;
	return 0;
}

int limit_condition_parse(const char *text, struct limit_condition *condition_r,
	char message[static LIMIT_MESSAGE_SIZE])
{
	struct limit_condition condition = {.is_set = true};

	text = skip_blanks(text);
	if (parse_statistic(&text, &condition, message) != 0 ||
		parse_comparator(&text, &condition, message) != 0 ||
		parse_threshold(text, &condition, message) != 0)
		return -1;
	*condition_r = condition;
	return 0;
}

int limit_for_parse(
	const char *text, int *need_r, int *of_r, char message[static LIMIT_MESSAGE_SIZE])
{
	static const char form[] = "must read N of M, such as 3 of 5";
	char *end;
	long need, of;

	text = skip_blanks(text);
	if (strspn(text, "0123456789") == 0)
		return wrong(message, form);
	need = strtol(text, &end, 10);
	text = skip_blanks(end);
	if (strncmp(text, "of ", 3) != 0)
		return wrong(message, form);
	text = skip_blanks(text + 3);
	if (strspn(text, "0123456789") == 0)
		return wrong(message, form);
	of = strtol(text, &end, 10);
	if (*skip_blanks(end) != '\0')
		return wrong(message, form);
	if (need < 1 || need > of || of > 1000)
		return wrong(message, "must read N of M with N from 1 to M, and M at most 1000");
	*need_r = (int)need;
	*of_r = (int)of;
	return 0;
}

bool limit_breached(const struct limit_condition *condition, double value)
{
	if (!condition->is_set)
		return false;
	if (condition->or_equal && value >= condition->threshold && value <= condition->threshold)
		return true;
	return condition->below ? value < condition->threshold : value > condition->threshold;
}

/* From a threshold of 0 there is no way to come further down. */
static bool is_well_off(const struct limit_condition *condition, double value)
{
	if (limit_breached(condition, value))
		return false;
	if (condition->below)
		return RECOVERY * value > condition->threshold;
	return condition->threshold <= 0 || value < RECOVERY * condition->threshold;
}

bool limit_recovered(
	const struct limit *limit, const struct limit_condition *condition, double value)
{
	bool is_lowest = condition == (limit->warn.is_set ? &limit->warn : &limit->crit);

	return limit->recover.is_set && is_lowest ? limit_breached(&limit->recover, value)
						  : is_well_off(condition, value);
}

/* --- the whole ------------------------------------------------------------------------- */

static const char *get_string(const json_t *config, const char *key)
{
	return json_string_value(json_object_get(config, key));
}

static void build_condition(
	const json_t *config, const char *key, struct limit_condition *condition)
{
	const char *text = get_string(config, key);
	char message[LIMIT_MESSAGE_SIZE];

	if (text != NULL)
		limit_condition_parse(text, condition, message);
}

static int64_t duration_of(const json_t *config, const char *key)
{
	const char *text = get_string(config, key);
	int64_t ns = 0;

	return text != NULL && duration_parse(text, &ns) ? ns : 0;
}

void limit_build(const json_t *config, struct limit *limit_r)
{
	const char *count = get_string(config, "for");
	const json_t *failures = json_object_get(config, "min_failures");
	char message[LIMIT_MESSAGE_SIZE];

	*limit_r = (struct limit){
		.name = get_string(config, "name"),
		.metric = get_string(config, "metric"),
		.over_ns = duration_of(config, "over"),
		.min_failures = failures != NULL ? (int)json_integer_value(failures) : MIN_FAILURES,
		.keep = (int)json_integer_value(json_object_get(config, "keep")),
		.severity = get_string(config, "severity"),
		.runbook_url = get_string(config, "runbook_url"),
		.config = config,
	};
	build_condition(config, "warn", &limit_r->warn);
	build_condition(config, "crit", &limit_r->crit);
	build_condition(config, "recover", &limit_r->recover);
	if (count != NULL)
		limit_for_parse(count, &limit_r->need, &limit_r->of, message);
}
