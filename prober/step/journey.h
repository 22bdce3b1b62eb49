/* journey - what a worker needs to know of a scenario: accounts and steps, checked and complete.
 *
 * Made by the loader (scenario.h), read by everything else, changed by nobody. A step's own
 * settings stay a jansson object that its field table has checked and filled with fallbacks.
 */
#ifndef MAILPROBE_JOURNEY_H
#define MAILPROBE_JOURNEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "peer.h"

struct step_type;

/* Where and how a mailbox is shown on the web. */
struct webmail_settings {
	const char *url;     /* of the login page; NULL: none given */
	const char *flavour; /* a name of webmail_flavours, or NULL: found out */
	const char *shows;   /* text that only this user's mailbox has, or NULL */
	const json_t *login_hosts; /* further hosts that may be given the password, or NULL */
};

/* Where access tokens come from, in place of a password (RFC 6749). */
struct oauth_settings {
	const char *token_url; /* NULL: none given */
	const char *device_url; /* to begin with a person's help (RFC 8628), or NULL */
	const char *client_id;
	const json_t *client_secret; /* a source for secret_read, or NULL */
	const json_t *refresh_token; /* the same; NULL with by_client, or if a person has begun */
	const char *scope;           /* or NULL */
	bool by_client;              /* the grant client_credentials */
};

/* A mailbox with its endpoints. Strings live as long as the journey. */
struct account {
	const char *name;
	const char *address;
	const char *username;     /* the address if the scenario gives none */
	const json_t *password;   /* a source for secret_read, or NULL */
	struct oauth_settings oauth2;
	const char *auth;         /* one of sasl_choices; NULL: the strongest offered */
	struct endpoint submission; /* .host NULL: none given */
	struct endpoint imap;
	struct endpoint pop3;
	struct webmail_settings webmail;
	const char *caldav;  /* URLs; NULL: none given */
	const char *carddav;
	const char *maildir; /* path of a folder of this machine; NULL: none given */
	struct tls_settings tls;
	const char *resolver; /* "address:port,..."; NULL: the system's */
	enum ip_choice ip;
	bool allow_private;
};

struct step {
	const struct step_type *type;
	const char *id;
	const json_t *config;
};

/* What tells trouble of this machine from trouble of the platform. */
struct control {
	const json_t *names; /* domain names to ask about; NULL: the scenario's own mail domains */
	bool off;            /* nothing is asked: what does not answer is the platform's */
	bool clock_trusted;  /* somebody keeps the clock true, whatever the kernel knows of it */
};

struct journey {
	const char *customer;
	const char *scenario;
	const char *base_dir; /* of the scenario file: relative paths start here */
	int64_t every_ns;     /* 0: not given */
	int64_t timeout_ns;   /* a whole run ends by then */
	int64_t confirm_ns;   /* what failed is tried again after so long; 0: it is not */
	int64_t horizon_ns;   /* a mail that did not come by then is lost */
	const struct account *accounts;
	size_t account_count;
	const json_t *components; /* name -> a pattern of hosts, or a list of them; may be NULL */
	struct control control;
	const struct account *nobody; /* connection settings of a step without an account */
	const struct step *steps;
	size_t step_count;
};

/* NULL if there is none of that name or id. */
const struct account *journey_account(const struct journey *journey, const char *name);
const struct step *journey_step(const struct journey *journey, const char *id);

/* The account whose mailbox is looked through for a mail until it is found: that of the step which
 * awaits the mail of step `id`, or else the one it goes `to`, if any step looks through that. NULL if
 * no run of this scenario would ever find out what became of it. */
const struct account *journey_mailbox_of(
	const struct journey *journey, const char *id, const char *to);

/* True if the step is one of `only`, which ends with NULL; or if that is NULL: then all are. */
bool journey_chooses(const char *const *only, const char *id);

/* True if a step submits mail as that account. */
bool journey_submits(const struct journey *journey, const struct account *account);

/* True if a step listens for that step's mail: it must stay where it is until the chain's end. */
bool journey_listens(const struct journey *journey, const char *mail);

/* The name that the scenario gives to a host: that of the first pattern that fits, in any case of letters
 * (* any number of characters, ? one). NULL if there is none. */
const char *journey_component(const struct journey *journey, const char *host);

/* Settings of a step, by the names of its field table. */
const char *step_string(const struct step *step, const char *name); /* NULL if left out */
bool step_bool(const struct step *step, const char *name);
int64_t step_duration(const struct step *step, const char *name); /* nanoseconds */
size_t step_size(const struct step *step, const char *name); /* bytes */
json_int_t step_integer(const struct step *step, const char *name);

#endif
