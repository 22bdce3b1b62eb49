/* peer - where a connection goes and on what terms. */
#ifndef MAILPROBE_PEER_H
#define MAILPROBE_PEER_H

#include <stdbool.h>

enum ip_choice { IP_ANY, IP_4, IP_6 };

enum starttls_policy {
	STARTTLS_REQUIRED,      /* the default: no TLS, no conversation */
	STARTTLS_OPPORTUNISTIC, /* used where offered; credentials never go out in plain text */
	STARTTLS_OFF,
};

struct tls_settings {
	const char *ca_file; /* trusted instead of the system's store; NULL: the system's */
	int min_version;     /* TLS1_2_VERSION, TLS1_3_VERSION */
	enum starttls_policy starttls;
	bool report_only; /* an untrusted certificate is noted, not refused: as one MX trusts another */
};

struct endpoint {
	const char *host; /* a name, or an IP address without brackets */
	int port;
	bool implicit_tls; /* TLS from the first byte; otherwise STARTTLS by the policy */
};

#endif
