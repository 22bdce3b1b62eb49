/* How it works: a text is looked at through several views (as it is, and with each kind of
 * escape decoded), each without line breaks, with a map from every byte back to the text. In
 * each view a few patterns made from every secret are searched for. So an escape within base64,
 * or a percent sign before only some letters, needs no pattern of its own. */
#include "redact.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "redact_pattern.h"
#include "redact_view.h"
#include "text.h"

#include <openssl/evp.h>

#include "ban.h"

#define MASK "***"
/* Anything shorter would be found in every second text. */
#define PATTERN_MIN 4

/* Learnt before there are threads, but for access tokens. */
static pthread_rwlock_t learning = PTHREAD_RWLOCK_INITIALIZER;
static struct {
	struct patterns patterns;
	char **tiny; /* too short to be searched for */
	size_t tiny_count;
	char **words; /* known to everybody */
	size_t word_count;
} known;

/* --- learning -------------------------------------------------------------------------- */

static void add_string(char ***list, size_t *count, const char *string)
{
	char **grown = realloc(*list, (*count + 1) * sizeof(**list));

	/* Rather no run than one that may print a secret. */
	if (grown == NULL)
		abort();
	*list = grown;
	grown[*count] = strdup(string);
	if (grown[(*count)++] == NULL)
		abort();
}

static bool have_pattern(const struct pattern *pattern)
{
	const struct patterns *all = &known.patterns;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].length == pattern->length &&
			all->list[i].any_case == pattern->any_case &&
			memcmp(all->list[i].bytes, pattern->bytes, pattern->length) == 0)
			return true;
	return false;
}

/* What views leave out is left out of the pattern as well. */
static void add_pattern(struct pattern pattern)
{
	struct view view;

	view_make(&view, VIEW_RAW, pattern.bytes, pattern.length, pattern.any_case);
	pattern.bytes = view.bytes;
	pattern.length = view.length;
	free(view.from);
	if (pattern.length < PATTERN_MIN || have_pattern(&pattern)) {
		explicit_bzero(pattern.bytes, pattern.length);
		free(pattern.bytes);
		return;
	}
	patterns_add(&known.patterns, pattern);
}

static void learn_plain(const unsigned char *bytes, size_t length)
{
	char *copy = malloc(length);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, length);
	add_pattern((struct pattern){
		.bytes = copy, .length = length, .any_case = true, .in_parts = true});
	for (size_t i = 0; i < length; i++)
		copy[i] = (char)bytes[length - 1 - i];
	add_pattern((struct pattern){.bytes = copy, .length = length, .any_case = true});
	/* The same by characters: the bytes of each are put back in order. */
	for (size_t i = 0, first = 0; i < length; i++) {
		if (((unsigned char)copy[i] & 0xc0) == 0x80)
			continue;
		for (size_t a = first, b = i; a < b; a++, b--) {
			char byte = copy[a];

			copy[a] = copy[b];
			copy[b] = byte;
		}
		first = i + 1;
	}
	add_pattern((struct pattern){.bytes = copy, .length = length, .any_case = true});
	explicit_bzero(copy, length);
	free(copy);
}

static void learn_hex(const unsigned char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = malloc(2 * length);

	if (hex == NULL)
		abort();
	for (size_t i = 0; i < length; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	add_pattern((struct pattern){.bytes = hex, .length = 2 * length, .any_case = true});
	explicit_bzero(hex, 2 * length);
	free(hex);
}

/* Base64 of `lead` unknown bytes and then the secret: of it only what the secret alone settles.
 * So it is found wherever it lies in a longer text. */
static void learn_base64_at(const unsigned char *bytes, size_t length, size_t lead, bool url)
{
	size_t total = lead + length, first = (lead * 8 + 5) / 6, end = total * 8 / 6;
	unsigned char *whole = calloc(total + 3, 1);
	char *code = malloc(total / 3 * 4 + 8);

	if (whole == NULL || code == NULL)
		abort();
	memcpy(whole + lead, bytes, length);
	EVP_EncodeBlock((unsigned char *)code, whole, (int)total);
	for (size_t i = 0; url && i < end; i++) {
		if (code[i] == '+')
			code[i] = '-';
		else if (code[i] == '/')
			code[i] = '_';
	}
	if (end > first)
		add_pattern((struct pattern){.bytes = code + first,
			.length = end - first,
			.in_parts = !url,
			.before = lead > 0,
			.after = total * 8 % 6 != 0});
	explicit_bzero(whole, total);
	explicit_bzero(code, total / 3 * 4 + 4);
	free(whole);
	free(code);
}

static void learn_base64(const unsigned char *bytes, size_t length)
{
	for (size_t lead = 0; lead < 3; lead++) {
		learn_base64_at(bytes, length, lead, false);
		learn_base64_at(bytes, length, lead, true);
	}
}

static void learn_hashes(const unsigned char *bytes, size_t length)
{
	static const char *const names[] = {"MD5", "SHA1", "SHA256"};
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t size;

	/* One that this OpenSSL does not offer cannot be made from it by us either. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (EVP_Q_digest(NULL, names[i], NULL, bytes, length, digest, &size) == 1)
			learn_hex(digest, size);
}

/* Views drop NULs, so that UTF-16 of ASCII is covered as it is; this is for the rest. */
static void learn_utf16(const char *secret)
{
	struct text wide[2];

	for (int big = 0; big < 2; big++) {
		text_init(&wide[big], 8 * strlen(secret));
		view_utf16(&wide[big], secret, big);
		learn_plain((const unsigned char *)wide[big].bytes, wide[big].length);
		learn_base64((const unsigned char *)wide[big].bytes, wide[big].length);
		learn_hex((const unsigned char *)wide[big].bytes, wide[big].length);
		explicit_bzero(wide[big].bytes, wide[big].length);
		text_free(&wide[big]);
	}
}

void redact_learn(const char *secret)
{
	const unsigned char *bytes = (const unsigned char *)secret;
	size_t length = strlen(secret);

	if (length == 0)
		return;
	pthread_rwlock_wrlock(&learning);
	if (length < PATTERN_MIN) {
		add_string(&known.tiny, &known.tiny_count, secret);
	} else {
		learn_plain(bytes, length);
		learn_hex(bytes, length);
		learn_base64(bytes, length);
		learn_hashes(bytes, length);
		learn_utf16(secret);
	}
	pthread_rwlock_unlock(&learning);
}

void redact_public(const char *word)
{
	if (word != NULL)
		add_string(&known.words, &known.word_count, word);
}

static void forget_list(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		explicit_bzero((*list)[i], strlen((*list)[i]));
		free((*list)[i]);
	}
	free(*list);
	*list = NULL;
	*count = 0;
}

void redact_forget(void)
{
	patterns_clear(&known.patterns);
	forget_list(&known.tiny, &known.tiny_count);
	forget_list(&known.words, &known.word_count);
}

/* --- searching ------------------------------------------------------------------------- */

static bool in_list(char *const *list, size_t count, const char *bytes, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == length && memcmp(list[i], bytes, length) == 0)
			return true;
	return false;
}

/* Sets hit[i] for each byte of the text that belongs to a secret. */
static void search(const char *bytes, size_t length, char *hit)
{
	patterns_search(&known.patterns, bytes, length, hit);
}

/* The text with one mask for each run of hits. */
static char *masked(const char *bytes, size_t length, const char *hit, size_t *length_r)
{
	/* A run of hits is never shorter than a byte, a mask never longer than three. */
	char *out = malloc(3 * length + 1);
	size_t used = 0;

	if (out == NULL)
		abort();
	for (size_t i = 0; i < length; i++) {
		if (!hit[i]) {
			out[used++] = bytes[i];
		} else if (i == 0 || !hit[i - 1]) {
			memcpy(out + used, MASK, strlen(MASK));
			used += strlen(MASK);
		}
	}
	out[used] = '\0';
	*length_r = used;
	return out;
}

static bool is_timestamp(const char *bytes, size_t length)
{
	char text[CLOCK_TIMESTAMP_SIZE];
	int64_t ns;

	if (length >= sizeof(text))
		return false;
	memcpy(text, bytes, length);
	text[length] = '\0';
	return clock_parse(text, &ns) == 0;
}

/* A new string, or NULL if there is nothing to hide. */
static char *redact_bytes(const char *bytes, size_t length, size_t *length_r)
{
	char *hit, *out = NULL;

	if (in_list(known.words, known.word_count, bytes, length))
		return NULL;
	if (in_list(known.tiny, known.tiny_count, bytes, length)) {
		*length_r = strlen(MASK);
		return strdup(MASK);
	}
	if (known.patterns.count == 0 || length < PATTERN_MIN)
		return NULL;
	hit = calloc(length, 1);
	if (hit == NULL)
		abort();
	search(bytes, length, hit);
	/* A password such as "2026" must not make a record unreadable. */
	if (memchr(hit, 1, length) != NULL &&
		(memchr(hit, 0, length) == NULL || !is_timestamp(bytes, length)))
		out = masked(bytes, length, hit, length_r);
	free(hit);
	return out;
}

char *redact_string(const char *string)
{
	size_t length;
	char *out;

	pthread_rwlock_rdlock(&learning);
	out = redact_bytes(string, strlen(string), &length);
	pthread_rwlock_unlock(&learning);
	return out != NULL ? out : strdup(string);
}

/* --- trees ----------------------------------------------------------------------------- */

/* A cut through a character may be left over: what is not UTF-8 is hidden as a whole. */
static void set_string(json_t *string, const char *bytes, size_t length)
{
	if (json_string_setn(string, bytes, length) != 0)
		json_string_set(string, MASK);
}

static void redact_value(json_t *string)
{
	size_t length;
	char *out = redact_bytes(json_string_value(string), json_string_length(string), &length);

	if (out == NULL)
		return;
	set_string(string, out, length);
	free(out);
}

/* The lines of a transcript as one text, to find what is spread over several of them. */
static void redact_lines(json_t *array)
{
	struct text whole;
	size_t index, at = 0, length;
	json_t *item;
	char *hit;

	text_init(&whole, SIZE_MAX / 2);
	json_array_foreach(array, index, item)
	{
		json_t *line = json_object_get(item, "text");

		text_append(&whole, json_string_value(line), json_string_length(line));
		text_append(&whole, "\n", 1);
	}
	hit = whole.length > 0 ? calloc(whole.length, 1) : NULL;
	if (hit != NULL)
		search(whole.bytes, whole.length, hit);
	json_array_foreach(array, index, item)
	{
		json_t *line = json_object_get(item, "text");
		size_t size = json_string_length(line);

		if (hit != NULL && memchr(hit + at, 1, size) != NULL) {
			char *out = masked(whole.bytes + at, size, hit + at, &length);

			set_string(line, out, length);
			free(out);
		}
		at += size + 1;
	}
	free(hit);
	text_free(&whole);
}

static bool has_lines(json_t *array)
{
	size_t index;
	json_t *item;

	json_array_foreach(array, index,
		item) if (!json_is_string(json_object_get(item, "text"))) return false;
	return json_array_size(array) > 1 && known.patterns.count > 0;
}

static void redact_tree(json_t *tree);

static void redact_object(json_t *object)
{
	const char *key;
	json_t *value;
	void *next;
	size_t length;

	json_object_foreach_safe(object, next, key, value)
	{
		char *out = redact_bytes(key, strlen(key), &length);

		redact_tree(value);
		if (out == NULL)
			continue;
		json_object_set(object, out, value);
		json_object_del(object, key);
		free(out);
	}
}

static void redact_tree(json_t *tree)
{
	size_t index;
	json_t *item;

	switch (json_typeof(tree)) {
	case JSON_OBJECT:
		redact_object(tree);
		break;
	case JSON_ARRAY:
		if (has_lines(tree))
			redact_lines(tree);
		json_array_foreach(tree, index, item) redact_tree(item);
		break;
	case JSON_STRING:
		redact_value(tree);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
}

void redact_json(json_t *tree)
{
	pthread_rwlock_rdlock(&learning);
	redact_tree(tree);
	pthread_rwlock_unlock(&learning);
}
