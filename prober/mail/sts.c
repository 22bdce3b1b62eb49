#include "sts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#include "ban.h"

#define KEY_SIZE 40
#define MAX_AGE_MAX 31557600 /* RFC 8461, 3.2 */

const char *const sts_modes[] = {"none", "testing", "enforce", NULL};

struct seen {
	bool version, mode, max_age;
};

static int broken(struct failure *why, const char *what)
{
	return failure_set(why, ERROR_SMTP_POLICY, "the MTA-STS policy %s", what);
}

static int take_mode(const char *value, struct sts_policy *policy, struct failure *why)
{
	for (int i = 0; sts_modes[i] != NULL; i++)
		if (strcmp(value, sts_modes[i]) == 0) {
			policy->mode = (enum sts_mode)i;
			return 0;
		}
	return broken(why, "has an unknown mode");
}

static bool is_age(const char *value)
{
	size_t digits = strspn(value, "0123456789");

	return digits > 0 && digits <= 10 && value[digits] == '\0' &&
	       strtoll(value, NULL, 10) <= MAX_AGE_MAX;
}

/* The first of each key counts, but every mx does. */
static int take(const char *key, const char *value, struct sts_policy *policy, struct seen *seen,
	struct failure *why)
{
	if (strcmp(key, "version") == 0 && !seen->version) {
		seen->version = true;
		return strcmp(value, "STSv1") == 0 ? 0 : broken(why, "is not of version STSv1");
	}
	if (strcmp(key, "mode") == 0 && !seen->mode) {
		seen->mode = true;
		return take_mode(value, policy, why);
	}
	if (strcmp(key, "max_age") == 0 && !seen->max_age) {
		seen->max_age = true;
		return is_age(value) ? 0 : broken(why, "has a max_age that is no number of seconds");
	}
	if (strcmp(key, "mx") == 0 && policy->pattern_count < STS_PATTERNS_MAX)
		text_copy(policy->patterns[policy->pattern_count++], sizeof(policy->patterns[0]),
			value);
	return 0;
}

static void copy_trimmed(const char *from, size_t length, char *to, size_t size)
{
	while (length > 0 && (from[0] == ' ' || from[0] == '\t')) {
		from++;
		length--;
	}
	while (length > 0 && strchr(" \t\r", from[length - 1]) != NULL)
		length--;
	if (length > size - 1)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

int sts_parse(const char *text, size_t length, struct sts_policy *policy_r, struct failure *why)
{
	struct seen seen = {0};

	*policy_r = (struct sts_policy){0};
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end != NULL ? (size_t)(end - text) : length;
		const char *colon = memchr(text, ':', line);
		char key[KEY_SIZE], value[256];

		if (colon != NULL) {
			copy_trimmed(text, (size_t)(colon - text), key, sizeof(key));
			copy_trimmed(colon + 1, line - (size_t)(colon + 1 - text), value,
				sizeof(value));
			if (take(key, value, policy_r, &seen, why) == -1)
				return -1;
		}
		line += end != NULL;
		text += line;
		length -= line;
	}
	if (!seen.version || !seen.mode || !seen.max_age)
		return broken(why, "lacks version, mode or max_age");
	if (policy_r->mode != STS_NONE && policy_r->pattern_count == 0)
		return broken(why, "names no mx");
	return 0;
}

bool sts_matches(const struct sts_policy *policy, const char *host)
{
	const char *rest = strchr(host, '.');

	for (size_t i = 0; i < policy->pattern_count; i++) {
		const char *pattern = policy->patterns[i];

		if (strcasecmp(pattern, host) == 0)
			return true;
		if (strncmp(pattern, "*.", 2) == 0 && rest != NULL && rest != host &&
			strcasecmp(pattern + 1, rest) == 0)
			return true;
	}
	return false;
}
