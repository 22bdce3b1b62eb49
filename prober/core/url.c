#include "url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#include "ban.h"

struct scheme {
	const char *name;
	int port;
	bool implicit_tls;
};

static const struct scheme schemes[] = {
	{"smtp", 587, false}, /* submission (RFC 6409) */
	{"smtps", 465, true}, /* RFC 8314 */
	{"imap", 143, false},
	{"imaps", 993, true},
	{"pop3", 110, false},
	{"pop3s", 995, true},
	{"http", 80, false},
	{"https", 443, true},
	{"tcp", 601, false},  /* syslog (RFC 6587) */
	{"tls", 6514, true},  /* syslog (RFC 5425) */
};

static int wrong(char message[static URL_MESSAGE_SIZE], const char *what)
{
	text_copy(message, URL_MESSAGE_SIZE, what);
	return -1;
}

static const struct scheme *scheme_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].name) == length && memcmp(schemes[i].name, name, length) == 0)
			return &schemes[i];
	return NULL;
}

static int parse_port(const char *text, int *port_r, char message[static URL_MESSAGE_SIZE])
{
	size_t length = strspn(text, "0123456789");
	long port = length > 0 && length <= 5 ? strtol(text, NULL, 10) : 0;

	if (text[length] != '\0' || port < 1 || port > 65535)
		return wrong(message, "the port must be a number from 1 to 65535");
	*port_r = (int)port;
	return 0;
}

static bool is_ip(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Labels of 1 to 63 letters, digits, "-" and "_"; RFC 1123 does not know "_", real zones do. */
static bool is_host_name(const char *host)
{
	while (*host != '\0') {
		size_t length = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789-_");

		if (length == 0 || length > 63 || host[0] == '-' || host[length - 1] == '-')
			return false;
		host += length;
		if (*host == '\0')
			return true;
		if (*host++ != '.')
			return false;
	}
	return true; /* a full stop at the end is the root */
}

static int check_host(const char *host, char message[static URL_MESSAGE_SIZE])
{
	if (host[0] == '\0')
		return wrong(message, "the name of the host is missing");
	for (const char *at = host; *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			return wrong(message, "the name of the host must be written in ASCII "
					      "(xn--...)");
	if (strchr(host, ':') != NULL)
		return wrong(message, "an IPv6 address stands in brackets: [::1]");
	if (host[strspn(host, "0123456789.")] == '\0' && !is_ip(host))
		return wrong(message, "that is no IPv4 address");
	return is_host_name(host) ? 0 : wrong(message, "that is no name of a host");
}

/* "[::1]" or "[::1]:53"; `text` is behind the bracket. */
static int parse_bracket(char *text, char host_r[static URL_HOST_SIZE], int *port_r,
	char message[static URL_MESSAGE_SIZE])
{
	unsigned char address[sizeof(struct in6_addr)];
	char *end = strchr(text, ']');

	if (end == NULL)
		return wrong(message, "the bracket is not closed");
	*end++ = '\0';
	if (inet_pton(AF_INET6, text, address) != 1)
		return wrong(message, "that is no IPv6 address");
	text_copy(host_r, URL_HOST_SIZE, text);
	if (*end == '\0')
		return 0;
	if (*end != ':')
		return wrong(message, "only a port may follow the bracket");
	return parse_port(end + 1, port_r, message);
}

static int parse_authority(char *text, char host_r[static URL_HOST_SIZE], int *port_r,
	char message[static URL_MESSAGE_SIZE])
{
	char *colon;

	if (text[0] == '[')
		return parse_bracket(text + 1, host_r, port_r, message);
	colon = strrchr(text, ':');
	if (colon != NULL && strchr(text, ':') == colon) {
		if (parse_port(colon + 1, port_r, message) != 0)
			return -1;
		*colon = '\0';
	}
	if (check_host(text, message) != 0)
		return -1;
	text_copy(host_r, URL_HOST_SIZE, text);
	return 0;
}

static int unknown_scheme(
	const char *text, size_t length, char message[static URL_MESSAGE_SIZE])
{
	const char *names[sizeof(schemes) / sizeof(schemes[0]) + 1] = {NULL};
	char scheme[32];
	const char *nearest;

	snprintf(scheme, sizeof(scheme), "%.*s", (int)(length < 31 ? length : 31), text);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		names[i] = schemes[i].name;
	nearest = text_nearest(scheme, names);
	if (nearest != NULL)
		snprintf(message, URL_MESSAGE_SIZE, "did you mean \"%s://\"?", nearest);
	else
		snprintf(message, URL_MESSAGE_SIZE, "\"%s://\" is not known here", scheme);
	return -1;
}

int url_parse(const char *text, struct url *url_r, char message[static URL_MESSAGE_SIZE])
{
	const char *rest = strstr(text, "://");
	const struct scheme *scheme;
	struct url url = {.port = 0};
	char authority[URL_HOST_SIZE + 16];
	size_t length;

	if (rest == NULL)
		return wrong(message, "it begins with no scheme, such as smtps:// or imaps://");
	scheme = scheme_find(text, (size_t)(rest - text));
	if (scheme == NULL)
		return unknown_scheme(text, (size_t)(rest - text), message);
	rest += 3;
	length = strcspn(rest, "/?#");
	if (memchr(rest, '@', length) != NULL)
		return wrong(message, "user and password have keys of their own");
	if (length >= sizeof(authority) || length >= URL_HOST_SIZE)
		return wrong(message, "the name of the host is too long");
	memcpy(authority, rest, length);
	authority[length] = '\0';
	text_copy(url.scheme, sizeof(url.scheme), scheme->name);
	url.port = scheme->port;
	url.implicit_tls = scheme->implicit_tls;
	url.has_path = rest[length] != '\0' && strcmp(rest + length, "/") != 0;
	if (parse_authority(authority, url.host, &url.port, message) != 0)
		return -1;
	*url_r = url;
	return 0;
}

int url_parse_ip(const char *text, char host_r[static URL_HOST_SIZE], int *port_r,
	char message[static URL_MESSAGE_SIZE])
{
	char authority[URL_HOST_SIZE], host[URL_HOST_SIZE];
	int port = *port_r;

	if (is_ip(text)) {
		text_copy(host_r, URL_HOST_SIZE, text);
		return 0;
	}
	if (!text_copy(authority, sizeof(authority), text))
		return wrong(message, "that is too long");
	if (parse_authority(authority, host, &port, message) != 0)
		return -1;
	if (!is_ip(host))
		return wrong(message, "a name would need a resolver to find the resolver");
	text_copy(host_r, URL_HOST_SIZE, host);
	*port_r = port;
	return 0;
}
