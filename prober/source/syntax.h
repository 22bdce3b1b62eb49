/* syntax - complaints about text that is no YAML or JSON. Used by parse.c alone. */
#ifndef MAILPROBE_SYNTAX_H
#define MAILPROBE_SYNTAX_H

#include "source.h"

/* Adds what the parser said of line and column, which count characters from 1. */
void syntax_complain(const struct source *source, const char *said, int line, int column,
	bool is_json, struct complaints *complaints);

/* True for the name of a key behind which a secret may be written. */
bool secret_key(const char *key);

/* Hides what looks like a secret, in a text of which the values' places are not known. */
void secret_hide_by_guess(struct source *source);

#endif
