/* parse - libfyaml's events to a jansson tree and its places. Used by source.c alone. */
#ifndef MAILPROBE_PARSE_H
#define MAILPROBE_PARSE_H

#include "source.h"

/* Fills index, places and hidden of the source and returns its tree; NULL, and complaints, if
 * the text is not well-formed. */
json_t *parse_source(struct source *source, bool is_json, struct complaints *complaints);

#endif
