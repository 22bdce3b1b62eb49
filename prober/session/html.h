/* html - pages as a browser sees them: text, links, and forms ready to be sent.
 *
 * libxml2 reads them, forgiving and cut off from files and network. Pages are hostile: their
 * depth is limited, and what they name is resolved by the same URL parser that fetches it.
 */
#ifndef MAILPROBE_HTML_H
#define MAILPROBE_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "failure.h"
#include "text.h"

#define HTML_DEPTH_MAX 255               /* what libxml2 itself allows */
#define HTML_BYTES_MAX ((size_t)3 << 20) /* a page takes up to forty times its size in memory */

struct html;

/* Loads what libxml2 sets up once. Before the jail, and before any thread. */
void html_preload(void);

/* Reads a page; `url` is where it came from. Any bytes are a page, if perhaps an empty one. NULL
 * with limit.size, limit.depth, limit.time or local.resource. */
struct html *html_parse(const char *bytes, size_t length, const char *url, struct deadline deadline,
	struct failure *why);
void html_free(struct html **html);

/* Expressions are XPath 1.0 with two functions of our own: lower(string), and any(string, "a|b"),
 * true if one of the words is in the string in any case of letters. Elements and attributes have
 * lower-case names. */

/* True if the expression finds a node, or is true, or a string that is not empty, or a
 * number that is not 0. `$name` stands for a string with the value of `word`; NULL: none. False
 * also for an expression that costs too much. */
bool html_has(const struct html *html, const char *xpath, const char *word);

/* The text of what the expression finds first, blanks folded; NULL if it finds nothing. The
 * caller frees it. */
char *html_text(const struct html *html, const char *xpath);

/* Whether XPath is spelled right; else says what is wrong. */
bool html_xpath_check(const char *xpath);

/* What `reference` means on this page, with its <base>; as http_url_join. */
char *html_url(const struct html *html, const char *reference);

/* Where the page goes by itself after less than ten seconds (<meta http-equiv="refresh">), or
 * NULL. The caller frees it. */
char *html_refresh(const struct html *html);

/* --- forms ------------------------------------------------------------------------------- */

struct html_control {
	char *name;
	char *value;
};

struct html_form {
	char *action; /* absolute URL; NULL if it is no web page */
	bool is_post;
	bool is_multipart;
	struct html_control *controls; /* those that a browser would send, in their order */
	size_t count;
	char *user_name; /* names of the controls to fill in; NULL: not found */
	char *password_name;
};

/* The form that a user logs in by: the first with exactly one password field (a form to change
 * the password has more). 0, or -1 if the page has none. */
int html_login_form(const struct html *html, struct html_form *form_r);
void html_form_free(struct html_form *form);

/* Sets the value of a control, or adds it. Memory that held the value is wiped when freed. */
void html_form_set(struct html_form *form, const char *name, const char *value);

/* The form's data (HTML, form submission; application/x-www-form-urlencoded). */
void html_form_encode(const struct html_form *form, struct text *body);

#endif
