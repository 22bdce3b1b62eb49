#include "verdicts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "text.h"

#include "ban.h"

#define VALUE_SIZE 4096

/* --- Authentication-Results ------------------------------------------------------------ */

/* RFC 8601, 2.7; the better one first. */
static const char *const results[] = {"pass", "softfail", "neutral", "policy", "none", "temperror",
	"permerror", "fail", "hardfail", NULL};

static int rank_of(const char *word)
{
	int rank = 0;

	while (results[rank] != NULL && strcmp(results[rank], word) != 0)
		rank++;
	return rank;
}

/* Takes comments out (RFC 5322, 3.2.2), and ends each part at its semicolon. Returns the number of
 * parts; they follow each other, each ended by a NUL. */
static size_t split(char *value)
{
	size_t used = 0, parts = 1;
	bool quoted = false;
	int depth = 0;

	for (const char *at = value; *at != '\0'; at++) {
		quoted = depth == 0 && *at == '"' ? !quoted : quoted;
		depth += !quoted && *at == '(';
		if (depth == 0 && *at == ';' && !quoted) {
			value[used++] = '\0';
			parts++;
		} else if (depth == 0) {
			value[used++] = *at;
		}
		depth -= !quoted && *at == ')' && depth > 0;
	}
	value[used] = '\0';
	return parts;
}

/* True if name is domain, or below it. */
static bool is_within(const char *name, const char *domain)
{
	size_t length = strlen(name), tail = strlen(domain);

	if (tail == 0 || length < tail || strcasecmp(name + length - tail, domain) != 0)
		return false;
	return length == tail || name[length - tail - 1] == '.';
}

static bool counts(const char *id, const struct authserv *whose)
{
	if (whose->id != NULL)
		return strcasecmp(id, whose->id) == 0;
	/* A top-level domain is nobody's name. */
	return (strchr(id, '.') != NULL && is_within(whose->by, id)) ||
		is_within(id, whose->domain);
}

/* "  spf=pass smtp.mailfrom=x": the method and its result. */
static void take_result(const char *part, struct authentication *found)
{
	static const char *const methods[] = {"spf", "dkim", "dmarc"};
	char *const fields[] = {found->spf, found->dkim, found->dmarc};
	char word[sizeof(found->spf)] = "";

	part += strspn(part, " \t");
	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(methods[i]), used = 0;

		if (strncasecmp(part, methods[i], length) != 0 ||
			strchr("=/ \t", part[length]) == NULL)
			continue;
		part += strcspn(part, "=");
		part += *part == '=';
		part += strspn(part, " \t");
		while (isalpha((unsigned char)part[used]) && used + 1 < sizeof(word)) {
			word[used] = (char)tolower((unsigned char)part[used]);
			used++;
		}
		if (results[rank_of(word)] != NULL &&
			(fields[i][0] == '\0' || rank_of(word) < rank_of(fields[i])))
			memcpy(fields[i], word, sizeof(word));
		return;
	}
}

bool authentication_read(const char *text, size_t length, const struct authserv *whose,
	struct authentication *found_r)
{
	const char *end = header_end(text, length);
	char value[VALUE_SIZE];
	bool fits;

	while (header_next(&text, end, "Authentication-Results", value, sizeof(value), &fits)) {
		char *part = value, id[sizeof(found_r->authserv_id)];
		size_t parts = fits ? split(value) : 0;

		if (parts == 0)
			continue;
		part += strspn(part, " \t");
		text_printable_copy(id, sizeof(id), part, strcspn(part, " \t"));
		if (!counts(id, whose))
			continue;
		*found_r = (struct authentication){0};
		text_copy(found_r->authserv_id, sizeof(found_r->authserv_id), id);
		for (; parts > 1; parts--) {
			part += strlen(part) + 1;
			take_result(part, found_r);
		}
		return true;
	}
	return false;
}

/* --- spam ------------------------------------------------------------------------------ */

/* A number at the beginning of the text; the locale is C wherever this runs. */
static bool read_number(const char *text, double *value_r)
{
	char *end;
	double value;

	text += strspn(text, " \t");
	if (*text == '\0' || strchr("+-.0123456789", *text) == NULL)
		return false;
	value = strtod(text, &end);
	if (end == text || !isfinite(value) || fabs(value) > 1e6)
		return false;
	*value_r = value;
	return true;
}

static void take_flag(const char *value, struct spam_verdict *found)
{
	bool yes = strncasecmp(value, "yes", 3) == 0 || strncasecmp(value, "true", 4) == 0;
	bool no = strncasecmp(value, "no", 2) == 0 || strncasecmp(value, "false", 5) == 0;

	if (found->has_flag || (!yes && !no))
		return;
	found->has_flag = true;
	found->flag = yes;
}

/* "Yes, score=7.1 required=5.0 tests=..." (SpamAssassin; older ones say hits=). */
static void take_status(const char *value, struct spam_verdict *found)
{
	const char *score = strstr(value, "score="), *required = strstr(value, "required=");

	take_flag(value, found);
	score = score != NULL ? score : strstr(value, "hits=");
	if (!found->has_score && score != NULL)
		found->has_score = read_number(strchr(score, '=') + 1, &found->score);
	if (found->has_score && required != NULL)
		read_number(required + strlen("required="), &found->limit);
}

static void take_score(const char *value, struct spam_verdict *found)
{
	if (!found->has_score)
		found->has_score = read_number(value, &found->score);
}

/* "default: False [-0.10 / 15.00];" (Rspamd) */
static void take_rspamd(const char *value, struct spam_verdict *found)
{
	const char *open = strchr(value, '['), *colon = strchr(value, ':');
	const char *slash = open != NULL ? strchr(open, '/') : NULL;

	if (colon != NULL)
		take_flag(colon + 1 + strspn(colon + 1, " "), found);
	if (found->has_score || open == NULL || !read_number(open + 1, &found->score))
		return;
	found->has_score = true;
	if (slash != NULL)
		read_number(slash + 1, &found->limit);
}

static void take_level(const char *value, struct spam_verdict *found)
{
	double level;

	if (found->has_level || !read_number(value, &level) || level < -1 || level > 9)
		return;
	found->has_level = true;
	found->level = (int)level;
}

/* "CIP:192.0.2.1;CTRY:;LANG:en;SCL:5;..." */
static void take_report(const char *value, struct spam_verdict *found)
{
	const char *level = strncmp(value, "SCL:", 4) == 0 ? value : strstr(value, ";SCL:");

	if (level != NULL)
		take_level(strchr(level, ':') + 1, found);
}

static const struct {
	const char *name;
	void (*take)(const char *value, struct spam_verdict *found);
} fields[] = {
	{"X-Spam-Flag", take_flag},
	{"X-Spam-Status", take_status},
	{"X-Spamd-Result", take_rspamd},
	{"X-Spam", take_flag},
	{"X-Spam-Score", take_score},
	{"X-MS-Exchange-Organization-SCL", take_level},
	{"X-Forefront-Antispam-Report", take_report},
};

void spam_read(const char *text, size_t length, struct spam_verdict *found_r)
{
	char value[VALUE_SIZE];

	*found_r = (struct spam_verdict){0};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (header_value(text, length, fields[i].name, value, sizeof(value)))
			fields[i].take(value, found_r);
}
