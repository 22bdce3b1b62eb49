/* Checks the rules of a draft: that each has one condition, and that all that it names is there. A rule
 * may name only rules above it, so that none rests upon itself. */
#include <stdio.h>
#include <string.h>

#include "combined_fields.h"
#include "draft.h"
#include "text.h"

#include "ban.h"

#define DEPTH_MAX 8
#define NAMES_MAX 256

static const char *const conditions[] = {"all", "any", "not", "at_least", NULL};

struct look {
	const struct draft *draft;
	const json_t *rules;
	size_t index;
};

static void complain(const struct look *look, const char *pointer, const char *code,
	const char *message, const char *hint)
{
	const struct remark remark = {
		.pointer = pointer, .spot = FIELD_AT_VALUE, .code = code, .hint = hint};

	draft_complain(look->draft, &remark, "%s", message);
}

static const char *name_of(const json_t *list, size_t index)
{
	return json_string_value(json_object_get(json_array_get(list, index), "name"));
}

static bool is_among(const json_t *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (name_of(list, i) != NULL && strcmp(name_of(list, i), name) == 0)
			return true;
	return false;
}

/* --- what a member names ---------------------------------------------------------------- */

static void unknown(const struct look *look, const char *pointer, const char *wrong)
{
	const json_t *limits = json_object_get(look->draft->tree, "limits");
	const char *names[NAMES_MAX + 1], *nearest;
	char hint[FIELD_MESSAGE_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(limits) && count < NAMES_MAX; i++)
		if (name_of(limits, i) != NULL)
			names[count++] = name_of(limits, i);
	for (size_t i = 0; i < look->index && count < NAMES_MAX; i++)
		if (name_of(look->rules, i) != NULL)
			names[count++] = name_of(look->rules, i);
	names[count] = NULL;
	nearest = text_nearest(wrong, names);
	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	else
		text_copy(hint, sizeof(hint), "a limit, a rule above, or SCENARIO/LIMIT");
	complain(look, pointer, "unknown-limit", "there is no limit of this name, and no rule above", hint);
}

static void check_name(const struct look *look, const char *pointer, const char *name)
{
	const json_t *limits = json_object_get(look->draft->tree, "limits");

	/* What other scenarios have, their files say. */
	if (strchr(name, '/') != NULL || is_among(limits, json_array_size(limits), name) ||
		is_among(look->rules, look->index, name))
		return;
	if (is_among(look->rules, json_array_size(look->rules), name))
		complain(look, pointer, "rule-sense", "a rule may name only rules above it",
			"so that none rests upon itself");
	else
		unknown(look, pointer, name);
}

/* --- conditions -------------------------------------------------------------------------- */

static void check_condition(
	const struct look *look, const char *pointer, const json_t *object, int depth);

static void check_member(
	const struct look *look, const char *pointer, const json_t *member, int depth)
{
	const struct field *const tables[] = {member_fields, NULL};
	const struct field_check check = {
		.complain = draft_complain_field, .context = (void *)(uintptr_t)look->draft};
	const char *name = json_string_value(json_object_get(member, "limit"));
	char inner[512];

	if (json_is_string(member)) {
		check_name(look, pointer, json_string_value(member));
		return;
	}
	/* The tables above have looked at the first; what is below it, only this does. */
	if (!json_is_object(member) || fields_check(tables, member, pointer, &check) > 0)
		return;
	if (name == NULL) {
		check_condition(look, pointer, member, depth + 1);
		return;
	}
	snprintf(inner, sizeof(inner), "%.400s/limit", pointer);
	check_name(look, inner, name);
	for (size_t i = 0; conditions[i] != NULL; i++)
		if (json_object_get(member, conditions[i]) != NULL)
			complain(look, pointer, "rule-sense", "this is a limit, and more",
				"one of limit, not, all, any and at_least");
}

static void check_members(
	const struct look *look, const char *pointer, const json_t *list, int depth)
{
	char inner[512];
	json_t *member;
	size_t index;

	if (json_is_array(list) && json_array_size(list) == 0)
		complain(look, pointer, "rule-sense", "there is nothing in it", NULL);
	json_array_foreach(list, index, member)
	{
		snprintf(inner, sizeof(inner), "%.400s/%zu", pointer, index);
		check_member(look, inner, member, depth);
	}
}

static void check_at_least(
	const struct look *look, const char *pointer, const json_t *at_least, int depth)
{
	const json_t *n = json_object_get(at_least, "n"), *of = json_object_get(at_least, "of");
	char inner[512];

	snprintf(inner, sizeof(inner), "%.400s/n", pointer);
	if (json_is_integer(n) && json_is_array(of) &&
		(json_integer_value(n) < 1 ||
			(size_t)json_integer_value(n) > json_array_size(of)))
		complain(look, inner, "rule-sense", "so many can never be, or always are",
			"from 1 to how many there are");
	snprintf(inner, sizeof(inner), "%.400s/of", pointer);
	check_members(look, inner, of, depth);
}

static void check_condition(
	const struct look *look, const char *pointer, const json_t *object, int depth)
{
	size_t count = json_object_get(object, "scenarios") != NULL;
	char inner[512];

	for (size_t i = 0; conditions[i] != NULL; i++)
		count += json_object_get(object, conditions[i]) != NULL;
	if (count != 1 || depth > DEPTH_MAX) {
		complain(look, pointer, "rule-sense",
			depth > DEPTH_MAX ? "this is too deep to be understood"
			: count == 0      ? "this has no condition"
					  : "this has several conditions",
			"one of all, any, not and at_least");
		return;
	}
	for (size_t i = 0; conditions[i] != NULL; i++) {
		const json_t *value = json_object_get(object, conditions[i]);

		snprintf(inner, sizeof(inner), "%.400s/%s", pointer, conditions[i]);
		if (value == NULL)
			continue;
		if (strcmp(conditions[i], "not") == 0)
			check_member(look, inner, value, depth);
		else if (strcmp(conditions[i], "at_least") == 0)
			check_at_least(look, inner, value, depth);
		else
			check_members(look, inner, value, depth);
	}
}

/* --- the whole --------------------------------------------------------------------------- */

static void check_own_name(const struct look *look, const char *name)
{
	const json_t *limits = json_object_get(look->draft->tree, "limits");
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/rules/%zu/name", look->index);
	if (name != NULL && (is_among(limits, json_array_size(limits), name) ||
				    is_among(look->rules, look->index, name)))
		complain(look, pointer, "rule-sense", "a limit or rule has this name already",
			"events are told apart by it");
}

static void check_business(const struct look *look, const json_t *rule)
{
	const char *calendar = json_string_value(
		json_object_get(json_object_get(rule, "business"), "calendar"));
	char pointer[64], hint[FIELD_MESSAGE_SIZE];

	if (calendar == NULL || draft_has_calendar(look->draft, calendar))
		return;
	snprintf(pointer, sizeof(pointer), "/rules/%zu/business/calendar", look->index);
	draft_calendar_hint(look->draft, calendar, hint);
	complain(look, pointer, "unknown-calendar", "there is no calendar of this name", hint);
}

static void check_when(const struct look *look, const json_t *rule)
{
	char pointer[64];
	json_t *item;
	size_t index;

	json_array_foreach(json_object_get(rule, "when"), index, item)
	{
		snprintf(pointer, sizeof(pointer), "/rules/%zu/when/%zu", look->index, index);
		if (json_is_object(item))
			check_condition(look, pointer, item, 0);
	}
}

void draft_check_rules(const struct draft *draft)
{
	const json_t *rules = json_object_get(draft->tree, "rules");
	char pointer[64];
	json_t *rule;
	size_t index;

	json_array_foreach(rules, index, rule)
	{
		const struct look look = {draft, rules, index};

		if (!json_is_object(rule))
			continue;
		snprintf(pointer, sizeof(pointer), "/rules/%zu", index);
		check_own_name(&look, name_of(rules, index));
		check_condition(&look, pointer, rule, 0);
		check_business(&look, rule);
		check_when(&look, rule);
	}
}
