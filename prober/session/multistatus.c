#include "multistatus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "ban.h"

struct multistatus {
	xmlDoc *document;
	xmlXPathContext *context;
	xmlXPathObject *responses;
};

void multistatus_preload(void)
{
	xmlInitParser();
}

static xmlXPathObject *evaluate(
	const struct multistatus *multistatus, xmlNode *node, const char *expression)
{
	multistatus->context->node = node;
	return xmlXPathEvalExpression((const xmlChar *)expression, multistatus->context);
}

static size_t count_of(const xmlXPathObject *object)
{
	return object != NULL && object->nodesetval != NULL ? (size_t)object->nodesetval->nodeNr
							    : 0;
}

/* Errors come back as NULL; nobody wants them on stderr. */
static void quiet(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

static int open_context(struct multistatus *multistatus)
{
	static const struct {
		const char *prefix, *uri;
	} spaces[] = {{"d", "DAV:"}, {"c", "urn:ietf:params:xml:ns:caldav"},
		{"a", "urn:ietf:params:xml:ns:carddav"}, {"cs", "http://calendarserver.org/ns/"}};

	multistatus->context = xmlXPathNewContext(multistatus->document);
	if (multistatus->context == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		xmlXPathRegisterNs(multistatus->context, (const xmlChar *)spaces[i].prefix,
			(const xmlChar *)spaces[i].uri);
	multistatus->responses = evaluate(
		multistatus, (xmlNode *)multistatus->document, "/d:multistatus/d:response");
	return xmlDocGetRootElement(multistatus->document) != NULL &&
			strcmp((const char *)xmlDocGetRootElement(multistatus->document)->name,
				"multistatus") == 0
		? 0
		: -1;
}

/* libxml2 has no code of its own for its limit of 256 levels. */
static bool is_too_deep(void)
{
	const xmlError *error = xmlGetLastError();

	return error != NULL && error->message != NULL &&
		strstr(error->message, "xcessive depth") != NULL;
}

/* Entities stay unexpanded, document types are not even handed to the parser, and nothing is
 * fetched. */
static xmlDoc *read_document(const char *bytes, size_t length, struct failure *why)
{
	xmlDoc *document = NULL;
	bool has_type = memmem(bytes, length, "<!DOCTYPE", 9) != NULL;

	xmlSetGenericErrorFunc(NULL, quiet);
	if (!has_type)
		document = xmlReadMemory(bytes, (int)length, "answer", NULL,
			XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
				XML_PARSE_NOCDATA);
	/* In another encoding the word looks different before the parser has read it. */
	has_type = has_type || (document != NULL && document->intSubset != NULL);
	if (has_type)
		failure_set(
			why, ERROR_DAV_XML_POLICY, "the answer declares a document type (DOCTYPE)");
	else if (document == NULL && is_too_deep())
		failure_set(why, ERROR_DAV_XML_POLICY,
			"the answer is nested deeper than any calendar or address book");
	else if (document == NULL)
		failure_set(why, ERROR_DAV_MALFORMED, "the answer is no well-formed XML");
	if (!has_type)
		return document;
	xmlFreeDoc(document);
	return NULL;
}

struct multistatus *multistatus_parse(const char *bytes, size_t length, struct failure *why)
{
	struct multistatus *multistatus = calloc(1, sizeof(*multistatus));

	if (multistatus == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	multistatus->document = read_document(bytes, length, why);
	if (multistatus->document != NULL && open_context(multistatus) == 0)
		return multistatus;
	failure_set(why, ERROR_DAV_MALFORMED, "the answer is XML, but no multistatus");
	multistatus_free(&multistatus);
	return NULL;
}

void multistatus_free(struct multistatus **multistatus)
{
	if (*multistatus == NULL)
		return;
	xmlXPathFreeObject((*multistatus)->responses);
	xmlXPathFreeContext((*multistatus)->context);
	xmlFreeDoc((*multistatus)->document);
	free(*multistatus);
	*multistatus = NULL;
}

size_t multistatus_count(const struct multistatus *multistatus)
{
	return count_of(multistatus->responses);
}

static xmlNode *response_of(const struct multistatus *multistatus, size_t index)
{
	return multistatus->responses->nodesetval->nodeTab[index];
}

const char *multistatus_href(const struct multistatus *multistatus, size_t index)
{
	for (const xmlNode *node = response_of(multistatus, index)->children; node != NULL;
		node = node->next)
		if (node->type == XML_ELEMENT_NODE &&
			strcmp((const char *)node->name, "href") == 0 && node->children != NULL &&
			node->children->content != NULL)
			return (const char *)node->children->content;
	return "";
}

#define EXPRESSION_SIZE 512

static xmlXPathObject *find(
	const struct multistatus *multistatus, size_t index, const char *expression)
{
	char whole[EXPRESSION_SIZE];

	snprintf(whole, sizeof(whole), "d:propstat[contains(d:status, ' 200')]/d:prop/%s",
		expression);
	return evaluate(multistatus, response_of(multistatus, index), whole);
}

char *multistatus_text(const struct multistatus *multistatus, size_t index, const char *expression)
{
	xmlXPathObject *found = find(multistatus, index, expression);
	xmlChar *content =
		count_of(found) > 0 ? xmlNodeGetContent(found->nodesetval->nodeTab[0]) : NULL;
	char *text = content != NULL ? strdup((const char *)content) : NULL;

	xmlFree(content);
	xmlXPathFreeObject(found);
	return text;
}

bool multistatus_has(const struct multistatus *multistatus, size_t index, const char *expression)
{
	xmlXPathObject *found = find(multistatus, index, expression);
	bool has = count_of(found) > 0;

	xmlXPathFreeObject(found);
	return has;
}
