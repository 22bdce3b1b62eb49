/* url - the addresses of servers: "smtps://mail.acme.test:465", "[::1]:53". */
#ifndef MAILPROBE_URL_H
#define MAILPROBE_URL_H

#include <stdbool.h>

#define URL_HOST_SIZE 256
#define URL_MESSAGE_SIZE 160

struct url {
	char scheme[16];
	char host[URL_HOST_SIZE]; /* a name, or an IP address without brackets */
	int port;                 /* the scheme's own if none is written */
	bool implicit_tls;        /* by the scheme: smtps, imaps, https, tls */
	bool has_path;            /* more follows the port than one "/" */
};

/* Takes apart SCHEME://HOST[:PORT][/PATH] of the schemes smtp smtps imap imaps pop3 pop3s http https
 * tcp tls. On -1 the message says what is wrong with it. */
int url_parse(const char *text, struct url *url_r, char message[static URL_MESSAGE_SIZE]);

/* Takes apart IP[:PORT]; an IPv6 address with a port stands in brackets. port_r is untouched
 * if there is none. */
int url_parse_ip(const char *text, char host_r[static URL_HOST_SIZE], int *port_r,
	char message[static URL_MESSAGE_SIZE]);

#endif
