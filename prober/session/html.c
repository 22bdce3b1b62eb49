#include "html_private.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>
#include <libxml/xpathInternals.h>

#include "http.h"

#include "ban.h"

/* Enough for any expressions over a page of a megabyte; a hostile page could make them cost hours.
 * The first is libxml2's count for one expression, the second ours, of letters compared. */
#define XPATH_STEPS 20000000
#define LETTERS_MAX 300000000
#define CHUNK 4096

/* --- the library ----------------------------------------------------------------------- */

static void stay_silent(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

static void preload(void)
{
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, stay_silent);
}

void html_preload(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, preload);
}

/* --- parsing --------------------------------------------------------------------------- */

/* By the bytes alone: other encodings would need the C library's tables, which lie in files. Of
 * those the ASCII part is read right, and that is what forms are made of. */
static xmlCharEncoding encoding_of(const char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		int size = (int)(length - at < 4 ? length - at : 4);

		if ((unsigned char)bytes[at] < 0x80)
			size = 1;
		else if (xmlGetUTF8Char((const unsigned char *)bytes + at, &size) < 0)
			return XML_CHAR_ENCODING_8859_1;
		at += (size_t)size;
	}
	return XML_CHAR_ENCODING_UTF8;
}

static int feed(htmlParserCtxtPtr parser, const char *bytes, size_t length,
	struct deadline deadline, struct failure *why)
{
	if (length > HTML_BYTES_MAX)
		return failure_set(
			why, ERROR_LIMIT_SIZE, "the page has more than %zu bytes", HTML_BYTES_MAX);
	for (size_t at = 0; at < length; at += CHUNK) {
		size_t size = length - at < CHUNK ? length - at : CHUNK;

		htmlParseChunk(parser, bytes + at, (int)size, 0);
		if (parser->nodeNr > HTML_DEPTH_MAX || parser->nameNr > HTML_DEPTH_MAX)
			return failure_set(why, ERROR_LIMIT_DEPTH,
				"the page is nested more than %d deep", HTML_DEPTH_MAX);
		if (deadline_passed(deadline))
			return failure_set(
				why, ERROR_LIMIT_TIME, "the page takes too long to be read");
	}
	htmlParseChunk(parser, NULL, 0, 1);
	return 0;
}

/* References are relative to <base>, if there is one. */
static void set_base(struct html *html, const char *url)
{
	xmlXPathObjectPtr found;
	char *base = NULL;

	html->url = strdup(url);
	found = html_evaluate(html, "//base/@href", NULL);
	if (found != NULL && !xmlXPathNodeSetIsEmpty(found->nodesetval)) {
		xmlChar *text = xmlXPathCastToString(found);

		base = http_url_join(url, (const char *)text);
		xmlFree(text);
	}
	xmlXPathFreeObject(found);
	if (base == NULL)
		return;
	free(html->url);
	html->url = base;
}

static htmlParserCtxtPtr open_parser(const char *bytes, size_t length)
{
	htmlParserCtxtPtr parser =
		htmlCreatePushParserCtxt(NULL, NULL, NULL, 0, NULL, encoding_of(bytes, length));

	if (parser != NULL)
		htmlCtxtUseOptions(parser,
			HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
				HTML_PARSE_NONET | HTML_PARSE_NOBLANKS | HTML_PARSE_COMPACT |
				HTML_PARSE_IGNORE_ENC);
	return parser;
}

struct html *html_parse(const char *bytes, size_t length, const char *url, struct deadline deadline,
	struct failure *why)
{
	struct html *html = calloc(1, sizeof(*html));
	size_t *steps = malloc(sizeof(*steps));
	htmlParserCtxtPtr parser;
	int result;

	html_preload();
	parser = open_parser(bytes, length);
	if (html == NULL || steps == NULL || parser == NULL) {
		htmlFreeParserCtxt(parser);
		free(html);
		free(steps);
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	result = feed(parser, bytes, length, deadline, why);
	html->document = parser->myDoc;
	html->steps = steps;
	*steps = LETTERS_MAX;
	htmlFreeParserCtxt(parser);
	/* Else to sort what is found could take time by the square of it. */
	if (html->document != NULL)
		xmlXPathOrderDocElems(html->document);
	if (result == 0)
		set_base(html, url);
	else
		html_free(&html);
	return html;
}

void html_free(struct html **html)
{
	if (*html == NULL)
		return;
	xmlFreeDoc((*html)->document);
	free((*html)->url);
	free((*html)->steps);
	free(*html);
	*html = NULL;
}

/* --- looking --------------------------------------------------------------------------- */

/* lower(string): ASCII letters only; XPath 1.0 has no such thing. */
static void xpath_lower(xmlXPathParserContextPtr ctxt, int nargs)
{
	xmlChar *text;

	CHECK_ARITY(1);
	text = xmlXPathPopString(ctxt);
	CHECK_ERROR;
	for (xmlChar *at = text; at != NULL && *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at |= 0x20;
	valuePush(ctxt, xmlXPathWrapString(text));
}

/* False if it would cost more than what is left. */
static bool spend(xmlXPathParserContextPtr ctxt, size_t letters)
{
	size_t *left = ctxt->context->userData;

	if (*left < letters) {
		*left = 0;
		xmlXPathErr(ctxt, XPATH_OP_LIMIT_EXCEEDED);
		return false;
	}
	*left -= letters;
	return true;
}

static size_t count_words(const char *words)
{
	size_t count = 1;

	for (; *words != '\0'; words++)
		count += *words == '|';
	return count;
}

static bool has_any(const char *text, const char *words)
{
	while (*words != '\0') {
		size_t length = strcspn(words, "|");

		/* Words are short, texts may be long. */
		for (const char *at = text; *at != '\0'; at++)
			if (strncasecmp(at, words, length) == 0)
				return true;
		words += length;
		words += strspn(words, "|");
	}
	return false;
}

/* any(string, "one|other"): one of the words is in it, in any case of letters. */
static void xpath_any(xmlXPathParserContextPtr ctxt, int nargs)
{
	xmlChar *text, *words;

	CHECK_ARITY(2);
	words = xmlXPathPopString(ctxt);
	text = xmlXPathPopString(ctxt);
	if (text != NULL && words != NULL &&
		spend(ctxt, (strlen((const char *)text) + 1) * count_words((const char *)words)))
		valuePush(
			ctxt, xmlXPathNewBoolean(has_any((const char *)text, (const char *)words)));
	xmlFree(text);
	xmlFree(words);
}

xmlXPathObjectPtr html_evaluate(const struct html *html, const char *xpath, const char *word)
{
	xmlXPathContextPtr context;
	xmlXPathObjectPtr found;

	if (html->document == NULL)
		return NULL;
	context = xmlXPathNewContext(html->document);
	if (context == NULL)
		return NULL;
	context->opLimit = XPATH_STEPS;
	context->node = xmlDocGetRootElement(html->document);
	context->userData = html->steps;
	if (word != NULL)
		xmlXPathRegisterVariable(context, xml_text("name"), xmlXPathNewCString(word));
	xmlXPathRegisterFunc(context, xml_text("lower"), xpath_lower);
	xmlXPathRegisterFunc(context, xml_text("any"), xpath_any);
	found = xmlXPathEval(xml_text(xpath), context);
	xmlXPathFreeContext(context);
	return found;
}

bool html_has(const struct html *html, const char *xpath, const char *word)
{
	xmlXPathObjectPtr found = html_evaluate(html, xpath, word);
	bool has = found != NULL && xmlXPathCastToBoolean(found);

	xmlXPathFreeObject(found);
	return has;
}

/* Runs of blanks become one, those at the ends none. */
static void fold(char *text)
{
	char *to = text;

	for (char *from = text; *from != '\0'; from++) {
		bool blank = strchr(" \t\r\n\f", *from) != NULL;

		if (blank && (to == text || to[-1] == ' '))
			continue;
		if (blank)
			*from = ' ';
		*to++ = *from;
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

static char *keep(xmlChar *text)
{
	char *kept = text != NULL ? strdup((const char *)text) : NULL;

	xmlFree(text);
	return kept;
}

char *html_text(const struct html *html, const char *xpath)
{
	xmlXPathObjectPtr found = html_evaluate(html, xpath, NULL);
	char *text = NULL;

	if (found != NULL &&
		!(found->type == XPATH_NODESET && xmlXPathNodeSetIsEmpty(found->nodesetval)))
		text = keep(xmlXPathCastToString(found));
	xmlXPathFreeObject(found);
	if (text != NULL)
		fold(text);
	return text;
}

bool html_xpath_check(const char *xpath)
{
	xmlXPathCompExprPtr compiled;

	html_preload();
	compiled = xmlXPathCompile(xml_text(xpath));
	xmlXPathFreeCompExpr(compiled);
	return compiled != NULL;
}

char *html_attribute(xmlNodePtr node, const char *name)
{
	return keep(xmlGetProp(node, xml_text(name)));
}

char *html_url(const struct html *html, const char *reference)
{
	return http_url_join(html->url, reference);
}

char *html_refresh(const struct html *html)
{
	char *content = html_text(html, "//meta[lower(@http-equiv) = 'refresh']/@content");
	char *url = NULL, *at;

	if (content == NULL)
		return NULL;
	at = strcasestr(content, "url=");
	if (at != NULL && strtod(content, NULL) < 10) {
		char *end;

		at += strlen("url=");
		if (*at == '\'' || *at == '"') {
			end = strchr(at + 1, *at);
			at++;
			if (end != NULL)
				*end = '\0';
		}
		url = html_url(html, at);
	}
	free(content);
	return url;
}
