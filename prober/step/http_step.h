/* http_step - the parts of the step type http, for its own files. */
#ifndef MAILPROBE_HTTP_STEP_H
#define MAILPROBE_HTTP_STEP_H

#include "field.h"
#include "html.h"
#include "http.h"
#include "probe.h"

/* --- http_template.c: {{name}} ----------------------------------------------------------- */

/* What {{name}} stands for: username, password and address of the account, and what earlier
 * requests have captured. */
struct values {
	const struct account *account; /* or NULL */
	const char *password;
	json_t *captured; /* strings by name */
};

enum template_use {
	TEMPLATE_PLAIN,
	TEMPLATE_URL, /* percent-encoded, unless the text begins with it */
};

/* Puts the values in; the text is the caller's to free. NULL if a value is not known. *secret_r
 * becomes true if the password is among them, and is else left alone. */
char *template_fill(
	const struct values *values, const char *text, enum template_use use, bool *secret_r);

/* The same in all strings of a JSON tree: a new reference. */
json_t *template_fill_json(const struct values *values, const json_t *tree, bool *secret_r);

/* The first name in the text, or in any string of the tree, that is none of the account's and
 * not in `captured`; NULL if all are known. The caller frees it. */
char *template_unknown(const struct values *values, const json_t *tree);

/* --- http_expect.c ----------------------------------------------------------------------- */

/* An answer, read as what is asked of it: a page is parsed at most once. */
struct answer {
	const struct http_reply *reply;
	struct deadline deadline;
	double seconds; /* the whole request, redirects included */
	struct html *page;
	json_t *json;
};

extern const struct field expect_fields[];
extern const struct field capture_fields[];

/* http.expect, or what the status says, if something is not as expected. */
int expect_check(struct answer *answer, const struct values *values, const json_t *expect,
	struct failure *why);

/* Takes the values out of the answer that later requests use; http.expect if one is not there. */
int expect_capture(
	struct answer *answer, const json_t *capture, json_t *captured, struct failure *why);

void answer_free(struct answer *answer);

#endif
