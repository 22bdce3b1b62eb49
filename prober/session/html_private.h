/* html_private - the parsed page, for the files that look into it. */
#ifndef MAILPROBE_HTML_PRIVATE_H
#define MAILPROBE_HTML_PRIVATE_H

#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "html.h"

struct html {
	xmlDocPtr document; /* NULL: an empty page */
	char *url;          /* that references are relative to */
	size_t *steps;      /* that looking at it may still cost */
};

static inline const xmlChar *xml_text(const char *text)
{
	return (const xmlChar *)text;
}

/* What the expression is; NULL if it is wrong or costs too much. The caller frees it. */
xmlXPathObjectPtr html_evaluate(const struct html *html, const char *xpath, const char *word);

/* A copy of an attribute's value, NULL if it is missing. */
char *html_attribute(xmlNodePtr node, const char *name);

#endif
