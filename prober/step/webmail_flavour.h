/* webmail_flavour - what is known of each webmail: how to know it, log in, and tell a mailbox from
 * anything else that a server shows with status 200.
 *
 * Where only expressions are needed, a flavour is one row of the table in webmail_flavour.c. A
 * webmail whose login is made by a script has functions of its own (webmail_script.c).
 */
#ifndef MAILPROBE_WEBMAIL_FLAVOUR_H
#define MAILPROBE_WEBMAIL_FLAVOUR_H

#include <stdbool.h>

#include "failure.h"

struct webmail;

/* A control that a browser's script would fill in. */
struct webmail_extra {
	const char *name;
	const char *value;
};

/* Expressions are XPath over the page. */
struct webmail_flavour {
	const char *name;
	const char *detect;                 /* true on the login page */
	const char *token;                  /* control that the login form must have, or NULL */
	const struct webmail_extra *extras; /* or NULL; no name at the end */
	const char *shown;                  /* true where a mailbox is shown */
	bool shown_is_vague;                /* other pages behind the login may bear it, too */
	const char *owner;                  /* text that says whose it is, or NULL */
	const char *logout;                 /* where to log out, as a reference; or NULL */
	/* Sends the credentials; NULL: by the form. Leaves the page to be judged. */
	int (*login)(struct webmail *webmail, struct failure *why);
	/* Gets the page of the mailbox, if the login does not lead there; or NULL. */
	int (*mailbox)(struct webmail *webmail, struct failure *why);
	/* Switches to a folder and counts its messages; or NULL. */
	int (*folder)(struct webmail *webmail, const char *name, struct failure *why);
	/* Logs out; NULL: by `logout`. */
	int (*leave)(struct webmail *webmail, struct failure *why);
};

/* All of them, the generic one last; NULL at the end. */
extern const struct webmail_flavour *const webmail_flavours[];
extern const char *const webmail_flavour_names[];

#endif
