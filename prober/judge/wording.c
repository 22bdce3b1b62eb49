#include "wording.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "text.h"

#include "ban.h"

/* At most three decimals; printf's %f would put the locale's comma. */
static void put_number(struct text *text, double value)
{
	long long thousandths = llround(value * 1000);
	unsigned int rest = (unsigned int)(llabs(thousandths) % 1000);
	char decimals[8];
	int length;

	text_printf(text, "%s%lld", thousandths < 0 ? "-" : "", llabs(thousandths) / 1000);
	if (rest == 0)
		return;
	length = snprintf(decimals, sizeof(decimals), ".%03u", rest);
	while (decimals[length - 1] == '0')
		length--;
	text_append(text, decimals, (size_t)length);
}

static void put_value(struct text *text, double value, enum limit_unit unit)
{
	switch (unit) {
	case LIMIT_NUMBER:
		put_number(text, value);
		break;
	case LIMIT_SECONDS:
		put_number(text, value);
		text_puts(text, " s");
		break;
	case LIMIT_SHARE:
		put_number(text, value * 100);
		text_puts(text, "%");
		break;
	}
}

static void hand_over(struct text *from, char *to, size_t size)
{
	text_copy(to, size, from->bytes != NULL ? from->bytes : "");
	text_free(from);
}

void wording_value(double value, enum limit_unit unit, char *text, size_t size)
{
	struct text all;

	text_init(&all, 64);
	put_value(&all, value, unit);
	hand_over(&all, text, size);
}

static void put_within(struct text *text, int64_t ns)
{
	int64_t hours = ns / (3600 * NS_PER_SECOND);

	if (hours == 0)
		text_printf(text, " within %" PRId64 "s", ns / NS_PER_SECOND);
	else if (hours % 24 == 0 && hours > 24)
		text_printf(text, " within %" PRId64 "d", hours / 24);
	else
		text_printf(text, " within %" PRId64 "h", hours);
}

static void put_condition(struct text *text, const struct limit_condition *condition)
{
	if (condition->kind == LIMIT_REACHES) {
		text_puts(text, " reaches ");
	} else {
		text_puts(text, condition->below ? " <" : " >");
		text_puts(text, condition->or_equal ? "= " : " ");
	}
	if (condition->kind == LIMIT_BASELINE)
		text_puts(text, "baseline + ");
	put_value(text, condition->threshold, condition->unit);
	if (condition->kind == LIMIT_BASELINE)
		text_puts(text, " mad");
	if (condition->kind == LIMIT_SLOPE)
		text_puts(text, " per week");
	if (condition->within_ns > 0)
		put_within(text, condition->within_ns);
}

void wording_condition(const struct limit *limit, enum level level, char *text, size_t size)
{
	const struct limit_condition *condition = judge_condition(limit, level);
	struct text all;

	text_init(&all, 256);
	if (condition->is_set)
		put_condition(&all, condition);
	hand_over(&all, text, size);
}

void wording_subject(struct judgement *judgement, const struct limit *limit, enum level level,
	double value, bool at_least)
{
	const struct limit_condition *condition = judge_condition(limit, level);
	const char *statistic = limit_statistic_name(condition->statistic);
	struct text text;

	text_init(&text, 256);
	text_printf(&text, "%s%s%s %s", limit->metric, *statistic != '\0' ? " " : "", statistic,
		at_least ? "at least " : "");
	put_value(&text, value, condition->unit);
	hand_over(&text, judgement->subject, sizeof(judgement->subject));
}

const char *wording_over(const struct limit *limit)
{
	const char *over = json_string_value(json_object_get(limit->config, "over"));

	return over != NULL ? over : "its window";
}
