/* step - what a step type is: one const descriptor at the foot of its file.
 *
 * A new type is one file here and one line in meson.build; docs/adding-a-step.md walks through
 * it. Everything else (validation, schema, reference, metrics) reads the descriptor.
 */
#ifndef MAILPROBE_STEP_H
#define MAILPROBE_STEP_H

#include "failure.h"
#include "field.h"
#include "journey.h"
#include "probe.h"
#include "folder_grant.h"

struct step_type {
	const char *name;
	const char *summary;               /* one line: what the user does here */
	const struct field *fields;        /* its settings in a scenario */
	const struct field *facts;         /* what it adds to its record; NULL: nothing */
	const char *const *phases;         /* all phases it may go through, NULL at the end */
	const char *const *account_needs;  /* keys its account must have, such as "imap" */
	bool sends_mail;                   /* other steps may name it as their mail */
	bool looks_through;                /* it also settles what earlier runs have left (sweep.h) */
	bool listens;                      /* it runs behind the other steps of its chain, and they
					    * leave its mail where it is until then */
	bool password_only;                /* an access token is no help to it */
	bool begins_grant;                 /* it gets the account's first tokens (device_login.h) */
	bool goes_to_exchanger;            /* it delivers as a foreign server, not as a user */
	/* Loads what its libraries read from files; before the process is confined, as often as
	 * anybody likes. May be NULL. */
	void (*preload)(void);
	/* Opens what it needs of this machine's files, before the process is confined, and puts the
	 * folders that it reads later into reach. Once; a failure is the step's. May be NULL. */
	int (*open)(struct probe *probe, struct folder_grant *grant, struct failure *why);
	/* Connects and looks, before any mail of its chain gets its final dot. May be NULL. */
	int (*prepare)(struct probe *probe, struct failure *why);
	/* Does the user's action; leaves proof with probe_prove. */
	int (*run)(struct probe *probe, struct failure *why);
	/* What can wait until the other steps of the chain are through: if run succeeded and has
	 * set put_off. May be NULL. */
	int (*after)(struct probe *probe, struct failure *why);
	/* Ends what open, prepare, run and after left open, on any outcome. Untimed. May be NULL. */
	void (*finish)(struct probe *probe);
};

/* All types, NULL at the end. */
extern const struct step_type *const step_types[];

const struct step_type *step_type_find(const char *name);

/* The table of what a type adds to its record; NULL if there is no such type. For the store, which
 * lies below the types (state_know_facts). */
const struct field *step_type_facts(const char *name);

/* Keys that every step has, whatever its type: id, timeout. */
extern const struct field step_common_fields[];

#endif
