/* URLs, all by libcurl's parser: two parsers that disagree are a hole. */
#include "http_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ban.h"

static CURLU *parse(const char *url)
{
	CURLU *handle = curl_url();

	if (handle != NULL && curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK)
		return handle;
	curl_url_cleanup(handle);
	return NULL;
}

static char *get(CURLU *handle, CURLUPart part, unsigned int flags)
{
	char *text = NULL;

	if (handle == NULL || curl_url_get(handle, part, &text, flags) != CURLUE_OK)
		return NULL;
	return text;
}

static bool is_web(CURLU *handle)
{
	char *scheme = get(handle, CURLUPART_SCHEME, 0);
	bool web = scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

	curl_free(scheme);
	return web;
}

/* What libcurl hands out must go back to it. */
static char *keep(char *text)
{
	char *kept = text != NULL ? strdup(text) : NULL;

	curl_free(text);
	return kept;
}

char *http_url_join(const char *base, const char *reference)
{
	CURLU *handle = parse(base);
	char *url = NULL;

	/* An empty reference is the page itself (RFC 3986, 5.2.2). */
	if (handle != NULL &&
		(reference[0] == '\0' ||
			curl_url_set(handle, CURLUPART_URL, reference, 0) == CURLUE_OK) &&
		is_web(handle)) {
		curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
		url = keep(get(handle, CURLUPART_URL, 0));
	}
	curl_url_cleanup(handle);
	return url;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *one = get(a, part, CURLU_DEFAULT_PORT), *other = get(b, part, CURLU_DEFAULT_PORT);
	bool same = one != NULL && other != NULL && strcasecmp(one, other) == 0;

	curl_free(one);
	curl_free(other);
	return same;
}

bool http_same_origin(const char *a, const char *b)
{
	CURLU *one = parse(a), *other = parse(b);
	bool same = one != NULL && other != NULL && same_part(one, other, CURLUPART_SCHEME) &&
		same_part(one, other, CURLUPART_HOST) && same_part(one, other, CURLUPART_PORT);

	curl_url_cleanup(one);
	curl_url_cleanup(other);
	return same;
}

void http_url_shown(const char *url, struct text *shown)
{
	CURLU *handle = parse(url);
	char *query = get(handle, CURLUPART_QUERY, 0);
	char *bare = NULL;

	if (handle != NULL) {
		curl_url_set(handle, CURLUPART_QUERY, NULL, 0);
		curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
		curl_url_set(handle, CURLUPART_USER, NULL, 0);
		curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
		bare = get(handle, CURLUPART_URL, 0);
	}
	if (bare == NULL)
		text_puts(shown, "(no URL)");
	else
		/* Sessions are kept behind a semicolon, too. */
		text_printable(shown, bare, strcspn(bare, ";"));
	if (query != NULL || (bare != NULL && strchr(bare, ';') != NULL))
		text_puts(shown, "?...");
	curl_free(query);
	curl_free(bare);
	curl_url_cleanup(handle);
}

void http_url_host(const char *url, char *host, size_t size)
{
	CURLU *handle = parse(url);
	char *part = get(handle, CURLUPART_HOST, 0);
	size_t length = part != NULL ? strlen(part) : 0;

	host[0] = '\0';
	if (length > 2 && part[0] == '[') {
		part[length - 1] = '\0';
		text_copy(host, size, part + 1);
	} else if (length > 0) {
		text_copy(host, size, part);
	}
	for (char *at = host; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	curl_free(part);
	curl_url_cleanup(handle);
}

static void add_escaped(struct text *form, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		char escape[3] = {'%', hex[byte >> 4], hex[byte & 15]};

		if (byte == ' ')
			text_puts(form, "+");
		else if (isalnum(byte) || strchr("*-._", byte) != NULL)
			text_append(form, text, 1);
		else
			text_append(form, escape, 3);
	}
}

void http_form_add(struct text *form, const char *name, const char *value)
{
	if (form->length > 0)
		text_puts(form, "&");
	add_escaped(form, name);
	text_puts(form, "=");
	add_escaped(form, value);
}
