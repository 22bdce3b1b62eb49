/* multistatus - what a DAV server answers to PROPFIND and REPORT (RFC 4918, section 13).
 *
 * libxml2 reads it, without entities, without network, without huge nodes. Only properties with
 * a status of 200 count (RFC 4918, 14.22). The namespaces d (DAV:), c (caldav) and a (carddav) are
 * known in expressions.
 */
#ifndef MAILPROBE_MULTISTATUS_H
#define MAILPROBE_MULTISTATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

struct multistatus;

/* Loads what libxml2 sets up once. Before the jail, and before any thread. */
void multistatus_preload(void);

/* Reads an answer. NULL with dav.malformed (no XML, or no multistatus) or dav.xml_policy (it
 * declares a document type, which nothing honest needs). */
struct multistatus *multistatus_parse(const char *bytes, size_t length, struct failure *why);
void multistatus_free(struct multistatus **multistatus);

/* Responses in it, in order. */
size_t multistatus_count(const struct multistatus *multistatus);

/* The href of a response, as the server wrote it; "" if it has none. Lent. */
const char *multistatus_href(const struct multistatus *multistatus, size_t index);

/* The text of a property that was found, by an expression below d:prop such as
 * "d:current-user-principal/d:href"; NULL if there is none. The caller frees it. */
char *multistatus_text(const struct multistatus *multistatus, size_t index, const char *expression);

/* True if the response has that element among its found properties. */
bool multistatus_has(const struct multistatus *multistatus, size_t index, const char *expression);

#endif
