/* The small grammar of limits (limit.h), from text to struct limit_condition. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "field.h"
#include "limit.h"
#include "text.h"

#include "ban.h"

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

/* Goes behind a word that stands here. */
static bool take_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length) != 0 || strchr(" <>", (*text)[length]) == NULL)
		return false;
	*text = skip_blanks(*text + length);
	return true;
}

/* --- parts ----------------------------------------------------------------------------- */

static int parse_statistic(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	size_t length = strcspn(*text, " <>=");
	char name[16];
	const char *nearest;
	int index;

	if (length == 0 || (length == strlen("reaches") && strncmp(*text, "reaches", length) == 0))
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

const char *limit_amount_parse(const char *text, double *amount_r, enum limit_unit *unit_r)
{
	char token[32], *end;
	size_t length = strcspn(text, " ");
	int64_t ns;

	snprintf(token, sizeof(token), "%.*s", (int)(length < 31 ? length : 31), text);
	if (duration_parse(token, &ns)) {
		*amount_r = clock_seconds(ns);
		*unit_r = LIMIT_SECONDS;
		return text + length;
	}
	if (strspn(token, "0123456789") == 0 || strpbrk(token, "xXeE") != NULL)
		return NULL;
	*amount_r = strtod(token, &end);
	*unit_r = LIMIT_NUMBER;
	if (*end == '%') {
		*amount_r /= 100;
		*unit_r = LIMIT_SHARE;
		end++;
	}
	return *end == '\0' ? text + length : NULL;
}

/* 30s, 250ms; 5%; 3 */
static int parse_threshold(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	const char *end = limit_amount_parse(*text, &condition->threshold, &condition->unit);

	if (end == NULL)
		return wrong(message, "has no threshold where one must be, such as 30s, 5% or 3");
	*text = skip_blanks(end);
	return 0;
}

static int parse_within(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	double seconds;
	enum limit_unit unit;
	const char *end;

	end = take_word(text, "within") ? limit_amount_parse(*text, &seconds, &unit) : NULL;
	if (end == NULL || unit != LIMIT_SECONDS)
		return wrong(message, "does not say within what time, such as within 14d");
	condition->within_ns = (int64_t)(seconds * (double)NS_PER_SECOND);
	*text = skip_blanks(end);
	return 0;
}

/* A slope is kept per week. */
static int parse_per(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	bool per = take_word(text, "per");

	if (per && take_word(text, "week"))
		return 0;
	if (!per || !take_word(text, "day"))
		return wrong(message, "does not say in what time, such as per week");
	condition->threshold *= 7;
	return 0;
}

static int parse_mads(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	const char *end = NULL;

	condition->kind = LIMIT_BASELINE;
	if (take_word(text, "+"))
		end = limit_amount_parse(*text, &condition->threshold, &condition->unit);
	if (end == NULL || condition->unit != LIMIT_NUMBER)
		return wrong(message, "must say by how much, such as > baseline + 4 mad");
	*text = skip_blanks(end);
	return take_word(text, "mad")
		? 0
		: wrong(message, "must say by how much, such as > baseline + 4 mad");
}

/* --- conditions ------------------------------------------------------------------------ */

static int parse_slope(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	condition->kind = LIMIT_SLOPE;
	if (parse_comparator(text, condition, message) != 0 ||
		parse_threshold(text, condition, message) != 0)
		return -1;
	return parse_per(text, condition, message);
}

static int parse_step(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	condition->kind = LIMIT_STEP;
	if (parse_comparator(text, condition, message) != 0 ||
		parse_threshold(text, condition, message) != 0)
		return -1;
	return parse_within(text, condition, message);
}

static int parse_reaches(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	condition->kind = LIMIT_REACHES;
	condition->or_equal = true;
	if (parse_threshold(text, condition, message) != 0)
		return -1;
	return parse_within(text, condition, message);
}

static int parse_value(const char **text, struct limit_condition *condition,
	char message[static LIMIT_MESSAGE_SIZE])
{
	if (parse_statistic(text, condition, message) != 0)
		return -1;
	if (take_word(text, "reaches"))
		return parse_reaches(text, condition, message);
	if (parse_comparator(text, condition, message) != 0)
		return -1;
	return take_word(text, "baseline") ? parse_mads(text, condition, message)
					   : parse_threshold(text, condition, message);
}

int limit_condition_parse(const char *text, struct limit_condition *condition_r,
	char message[static LIMIT_MESSAGE_SIZE])
{
	struct limit_condition condition = {.is_set = true};
	int result;

	text = skip_blanks(text);
	if (take_word(&text, "slope"))
		result = parse_slope(&text, &condition, message);
	else if (take_word(&text, "step"))
		result = parse_step(&text, &condition, message);
	else
		result = parse_value(&text, &condition, message);
	if (result != 0)
		return -1;
	if (*text != '\0')
		return wrong(message, "ends in something that does not belong to it");
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
