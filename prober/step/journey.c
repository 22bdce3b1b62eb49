#include "journey.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "field.h"
#include "step.h"

#include "ban.h"

/* Goes back to the last * only, so that no pattern takes longer than the product of both lengths. */
static bool fits(const char *pattern, const char *host)
{
	const char *star = NULL, *from = host;

	while (*host != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = host;
		} else if (*pattern == '?' ||
			tolower((unsigned char)*pattern) == tolower((unsigned char)*host)) {
			pattern++;
			host++;
		} else if (star != NULL) {
			pattern = star;
			host = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

const char *journey_component(const struct journey *journey, const char *host)
{
	const char *name;
	json_t *patterns, *pattern;
	size_t index;

	if (host[0] == '\0')
		return NULL;
	/* jansson's iterators take no const, though they change nothing. */
	json_object_foreach((json_t *)(uintptr_t)journey->components, name, patterns) {
		if (json_is_string(patterns) && fits(json_string_value(patterns), host))
			return name;
		json_array_foreach(patterns, index, pattern)
			if (fits(json_string_value(pattern), host))
				return name;
	}
	return NULL;
}

const struct account *journey_account(const struct journey *journey, const char *name)
{
	for (size_t i = 0; i < journey->account_count; i++)
		if (strcmp(journey->accounts[i].name, name) == 0)
			return &journey->accounts[i];
	return NULL;
}

const struct step *journey_step(const struct journey *journey, const char *id)
{
	for (size_t i = 0; i < journey->step_count; i++)
		if (strcmp(journey->steps[i].id, id) == 0)
			return &journey->steps[i];
	return NULL;
}

const struct account *journey_mailbox_of(
	const struct journey *journey, const char *id, const char *to)
{
	const struct account *addressed = NULL;

	for (size_t i = 0; i < journey->step_count; i++) {
		const struct step *step = &journey->steps[i];
		const struct account *account;

		if (!step->type->looks_through)
			continue;
		account = journey_account(journey, step_string(step, "account"));
		if (account != NULL && strcmp(step_string(step, "mail"), id) == 0)
			return account;
		if (account != NULL && strcasecmp(account->address, to) == 0)
			addressed = account;
	}
	return addressed;
}

bool journey_chooses(const char *const *only, const char *id)
{
	for (size_t i = 0; only != NULL && only[i] != NULL; i++)
		if (strcmp(only[i], id) == 0)
			return true;
	return only == NULL;
}

bool journey_submits(const struct journey *journey, const struct account *account)
{
	for (size_t i = 0; i < journey->step_count; i++) {
		const struct step *step = &journey->steps[i];

		if (step->type->sends_mail && !step->type->goes_to_exchanger &&
			strcmp(step_string(step, "from"), account->name) == 0)
			return true;
	}
	return false;
}

bool journey_listens(const struct journey *journey, const char *mail)
{
	for (size_t i = 0; i < journey->step_count; i++)
		if (journey->steps[i].type->listens &&
			strcmp(step_string(&journey->steps[i], "mail"), mail) == 0)
			return true;
	return false;
}

const char *step_string(const struct step *step, const char *name)
{
	return json_string_value(json_object_get(step->config, name));
}

bool step_bool(const struct step *step, const char *name)
{
	return json_is_true(json_object_get(step->config, name));
}

size_t step_size(const struct step *step, const char *name)
{
	const char *text = step_string(step, name);
	size_t bytes = 0;

	/* The loader has checked it; left out is 0. */
	if (text != NULL)
		size_parse(text, &bytes);
	return bytes;
}

int64_t step_duration(const struct step *step, const char *name)
{
	const char *text = step_string(step, name);
	int64_t ns = 0;

	/* The loader has checked it; left out is 0. */
	if (text != NULL)
		duration_parse(text, &ns);
	return ns;
}

json_int_t step_integer(const struct step *step, const char *name)
{
	return json_integer_value(json_object_get(step->config, name));
}
