#include "policy.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "text.h"

#include "ban.h"

#define VALUE_SIZE 2048
#define KEY_BITS_MIN 1024 /* RFC 8301 */

static void say(struct policy *policy, enum policy_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct policy *policy, enum policy_verdict verdict, const char *format, ...)
{
	char text[sizeof(policy->detail)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	policy->verdict = verdict;
	text_printable_copy(policy->detail, sizeof(policy->detail), text, strlen(text));
}

static void copy_value(const char *from, char value[static VALUE_SIZE])
{
	size_t used = 0;

	for (; *from != '\0' && *from != ';' && used < VALUE_SIZE - 1; from++)
		if (!isspace((unsigned char)*from))
			value[used++] = *from;
	value[used] = '\0';
}

/* The value of a tag of "a=b; c=d", without white space; false if there is no such tag. */
static bool tag(const char *text, const char *name, char value[static VALUE_SIZE])
{
	size_t length = strlen(name);

	for (; *text != '\0'; text += strcspn(text, ";")) {
		text += strspn(text, " \t;");
		if (strncmp(text, name, length) != 0 ||
			text[length + strspn(text + length, " \t")] != '=')
			continue;
		copy_value(strchr(text, '=') + 1, value);
		return true;
	}
	return false;
}

static void judge_spf(const char *text, struct policy *policy)
{
	const char *all = strcasestr(text, "all");

	for (; all != NULL; all = strcasestr(all + 3, "all"))
		if ((all[3] == '\0' || all[3] == ' ') && (all[-1] == ' ' || all[-1] == '+')) {
			say(policy, POLICY_BROKEN, "lets anybody send: %s", text);
			return;
		}
	say(policy, POLICY_GOOD, "%s", text);
}

static void judge_dmarc(const char *text, struct policy *policy)
{
	char value[VALUE_SIZE];

	if (!tag(text, "p", value))
		say(policy, POLICY_BROKEN, "has no policy (p=): %s", text);
	else if (strcasecmp(value, "none") != 0 && strcasecmp(value, "quarantine") != 0 &&
		strcasecmp(value, "reject") != 0)
		say(policy, POLICY_BROKEN, "has an unknown policy: %s", text);
	else
		say(policy, POLICY_GOOD, "%s", text);
}

static EVP_PKEY *read_key(const char *encoded, bool raw)
{
	unsigned char bytes[VALUE_SIZE];
	const unsigned char *at = bytes;
	size_t length = strlen(encoded);
	EVP_PKEY *key = NULL;
	int decoded;

	if (length % 4 != 0 || length == 0)
		return NULL;
	decoded = EVP_DecodeBlock(bytes, (const unsigned char *)encoded, (int)length);
	if (decoded > 0)
		decoded -= (encoded[length - 1] == '=') + (encoded[length - 2] == '=');
	if (decoded > 0)
		key = raw ? EVP_PKEY_new_raw_public_key(
				    EVP_PKEY_ED25519, NULL, bytes, (size_t)decoded)
			  : d2i_PUBKEY(NULL, &at, decoded);
	ERR_clear_error();
	return key;
}

static void judge_dkim(const char *text, struct policy *policy)
{
	char value[VALUE_SIZE], type[VALUE_SIZE] = "rsa";
	bool ed25519;
	EVP_PKEY *key;

	if (tag(text, "v", value) && strcmp(value, "DKIM1") != 0) {
		say(policy, POLICY_BROKEN, "has the unknown version \"%.20s\"", value);
		return;
	}
	tag(text, "k", type);
	ed25519 = strcmp(type, "ed25519") == 0;
	if (!tag(text, "p", value)) {
		say(policy, POLICY_BROKEN, "has no key (p=)");
		return;
	}
	if (value[0] == '\0') {
		say(policy, POLICY_BROKEN, "the key was revoked (p= is empty)");
		return;
	}
	key = read_key(value, ed25519);
	if (key == NULL)
		say(policy, POLICY_BROKEN, "the key cannot be read");
	else if (!ed25519 && EVP_PKEY_get_bits(key) < KEY_BITS_MIN)
		say(policy, POLICY_BROKEN, "the key has only %d bits", EVP_PKEY_get_bits(key));
	else
		say(policy, POLICY_GOOD, "%.20s key of %d bits", type, EVP_PKEY_get_bits(key));
	EVP_PKEY_free(key);
}

/* RFC 8461, 3.1. */
static bool is_id(const char *value)
{
	size_t length = 0;

	while (isalnum((unsigned char)value[length]))
		length++;
	return length > 0 && length <= 32 && value[length] == '\0';
}

static void judge_mta_sts(const char *text, struct policy *policy)
{
	char value[VALUE_SIZE];

	if (!tag(text, "id", value) || !is_id(value))
		say(policy, POLICY_BROKEN, "has no id of 1 to 32 letters and digits: %s", text);
	else {
		say(policy, POLICY_GOOD, "%s", text);
		text_copy(policy->id, sizeof(policy->id), value);
	}
}

static void judge_tlsrpt(const char *text, struct policy *policy)
{
	char value[VALUE_SIZE];

	if (!tag(text, "rua", value) ||
		(strncmp(value, "mailto:", 7) != 0 && strncmp(value, "https:", 6) != 0))
		say(policy, POLICY_BROKEN, "names nowhere to report to: %s", text);
	else
		say(policy, POLICY_GOOD, "%s", text);
}

static const struct {
	const char *mark; /* what such a record begins with */
	void (*judge)(const char *text, struct policy *policy);
} kinds[] = {
	[POLICY_SPF] = {"v=spf1", judge_spf},
	[POLICY_DMARC] = {"v=DMARC1", judge_dmarc},
	[POLICY_DKIM] = {"", judge_dkim},
	[POLICY_MTA_STS] = {"v=STSv1", judge_mta_sts},
	[POLICY_TLSRPT] = {"v=TLSRPTv1", judge_tlsrpt},
};

static bool is_own(enum policy_kind kind, const char *text)
{
	size_t length = strlen(kinds[kind].mark);

	return strncasecmp(text, kinds[kind].mark, length) == 0 &&
		(length == 0 || strchr(" ;\t", text[length]) != NULL);
}

void policy_judge(
	enum policy_kind kind, const char *const *texts, size_t count, struct policy *policy_r)
{
	const char *own = NULL;
	size_t found = 0;

	*policy_r = (struct policy){.verdict = POLICY_ABSENT};
	for (size_t i = 0; i < count; i++)
		if (is_own(kind, texts[i])) {
			own = texts[i];
			found++;
		}
	if (found > 1)
		say(policy_r, POLICY_BROKEN, "%zu records instead of one: receivers use none",
			found);
	else if (found == 1)
		kinds[kind].judge(own, policy_r);
}
