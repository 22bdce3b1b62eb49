#include "limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "field.h"
#include "text.h"

#include "ban.h"

static const char *const statistics[] = {"", "p50", "p95", "p99", "max", "min", NULL};

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
			"begins with \"%s\", which is not one of p50, p95, p99, max, min%s%s%s",
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
	if (**text == '<')
		return wrong(message,
			"says \"<\"; a limit states the breach, so it says \">\" or \">=\"");
	if (**text != '>')
		return wrong(message, "has no \">\" or \">=\" where one must be");
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
		return wrong(message,
			"has no threshold after the comparator, such as 30s, 5% or 3");
	condition->threshold = strtod(text, &end);
	condition->unit = *end == '%' ? LIMIT_SHARE : LIMIT_NUMBER;
	end += *end == '%';
	if (*skip_blanks(end) != '\0')
		return wrong(message,
			"ends in something that is no threshold, such as 30s, 5% or 3");
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
	return condition->or_equal ? value >= condition->threshold
				   : value > condition->threshold;
}
