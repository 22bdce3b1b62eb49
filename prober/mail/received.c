#include "received.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "header.h"
#include "text.h"

#include "ban.h"

#define VALUE_SIZE 4096

/* A piece of a field's value; nothing is copied before it is known what it is. */
struct piece {
	const char *at;
	size_t length;
};

static void keep(char *to, size_t size, struct piece piece)
{
	text_printable_copy(to, size, piece.at, piece.length);
}

static bool is_word(struct piece piece, const char *word)
{
	return piece.length == strlen(word) && strncasecmp(piece.at, word, piece.length) == 0;
}

/* --- pieces ---------------------------------------------------------------------------- */

/* Length of the comment or quoted string that begins here, with its end. */
static size_t closed_length(const char *at)
{
	bool quoted = *at == '"';
	int depth = 0;
	size_t i = 0;

	do {
		if (at[i] == '\\' && at[i + 1] != '\0')
			i++;
		else if (quoted)
			depth = i > 0 && at[i] == '"' ? 0 : 1;
		else
			depth += (at[i] == '(') - (at[i] == ')');
		i++;
	} while (depth > 0 && at[i] != '\0');
	return i;
}

/* The next word, or comment (with its parentheses), at or behind *at; false at the end. */
static bool next_piece(const char **at, const char *end, struct piece *piece_r)
{
	const char *from = *at;
	size_t length = 0;

	while (from < end && isspace((unsigned char)*from))
		from++;
	if (from == end)
		return false;
	if (*from == '(')
		length = closed_length(from);
	else
		while (from + length < end && !isspace((unsigned char)from[length]) &&
			from[length] != '(')
			length += from[length] == '"' ? closed_length(from + length) : 1;
	if (from + length > end)
		length = (size_t)(end - from);
	*piece_r = (struct piece){from, length};
	*at = from + length;
	return true;
}

/* The date is behind the last semicolon that is in no comment. */
static const char *find_date(const char *value)
{
	const char *found = NULL;

	while (*value != '\0') {
		if (*value == ';')
			found = value;
		value += *value == '(' || *value == '"' ? closed_length(value) : 1;
	}
	return found;
}

/* --- who sent it ----------------------------------------------------------------------- */

static bool is_address(struct piece piece)
{
	size_t dots = 0, colons = 0;

	for (size_t i = 0; i < piece.length; i++) {
		dots += piece.at[i] == '.';
		colons += piece.at[i] == ':';
		if (!isxdigit((unsigned char)piece.at[i]) && piece.at[i] != '.' &&
			piece.at[i] != ':')
			return false;
	}
	return piece.length > 0 && (colons >= 2 || dots == 3);
}

static void keep_address(struct received *received, struct piece piece)
{
	static const char tag[] = "IPv6:";
	size_t skip = sizeof(tag) - 1;

	if (piece.length > skip && strncasecmp(piece.at, tag, skip) == 0)
		piece = (struct piece){piece.at + skip, piece.length - skip};
	if (received->address[0] == '\0' && is_address(piece))
		keep(received->address, sizeof(received->address), piece);
}

/* "[192.0.2.1]", perhaps with a port behind it; false if there are no brackets. */
static bool take_brackets(struct received *received, struct piece piece)
{
	const char *open = memchr(piece.at, '[', piece.length);
	const char *close =
		open == NULL ? NULL : memchr(open, ']', piece.length - (size_t)(open - piece.at));

	if (close == NULL)
		return false;
	keep_address(received, (struct piece){open + 1, (size_t)(close - open - 1)});
	return true;
}

/* A name by DNS: Gmail ends it with a dot, Sendmail puts the user of RFC 1413 before it. */
static void take_name(struct received *received, struct piece piece)
{
	const char *user = memrchr(piece.at, '@', piece.length);

	if (user != NULL)
		piece = (struct piece){user + 1, piece.length - (size_t)(user + 1 - piece.at)};
	if (is_address(piece)) {
		keep_address(received, piece);
		return;
	}
	if (piece.length > 0 && piece.at[piece.length - 1] == '.')
		piece.length--;
	if (received->name[0] == '\0' && memchr(piece.at, '.', piece.length) != NULL &&
		memchr(piece.at, '=', piece.length) == NULL)
		keep(received->name, sizeof(received->name), piece);
}

/* Exim and qmail put the name by DNS first, and what the client said into the comment. */
static void take_helo(struct received *received, struct piece piece)
{
	struct piece first = {received->helo, strlen(received->helo)};

	if (!take_brackets(received, first) && !is_word(first, "unknown"))
		keep(received->name, sizeof(received->name), first);
	keep(received->helo, sizeof(received->helo), piece);
}

/* What stands in parentheses behind the name: "(name [address])", "(address)", "(HELO name)",
 * "([address] helo=name)", "(user@address)". */
static void take_origin(struct received *received, struct piece comment)
{
	const char *at = comment.at + 1, *end = comment.at + comment.length;
	struct piece word;
	bool says_helo = false;

	if (end > at && end[-1] == ')')
		end--;
	while (next_piece(&at, end, &word)) {
		if (word.at[0] == '(')
			continue;
		if (says_helo)
			take_helo(received, word);
		else if (word.length > 5 && strncasecmp(word.at, "helo=", 5) == 0)
			take_helo(received, (struct piece){word.at + 5, word.length - 5});
		else if (!take_brackets(received, word))
			take_name(received, word);
		says_helo = is_word(word, "HELO") || is_word(word, "EHLO");
	}
}

/* --- the clauses ----------------------------------------------------------------------- */

enum clause { CLAUSE_NONE, CLAUSE_FROM, CLAUSE_BY, CLAUSE_WITH, CLAUSE_VIA, CLAUSE_ID, CLAUSE_FOR };

static enum clause clause_of(struct piece word)
{
	static const char *const words[] = {NULL, "from", "by", "with", "via", "id", "for"};

	for (int i = CLAUSE_FROM; i <= CLAUSE_FOR; i++)
		if (is_word(word, words[i]))
			return (enum clause)i;
	return CLAUSE_NONE;
}

static void take_recipient(struct received *received, struct piece word)
{
	if (word.length >= 2 && word.at[0] == '<' && word.at[word.length - 1] == '>')
		word = (struct piece){word.at + 1, word.length - 2};
	keep(received->recipient, sizeof(received->recipient), word);
}

/* The first word of a clause. */
static void take_word(struct received *received, enum clause clause, struct piece word)
{
	switch (clause) {
	case CLAUSE_FROM:
		keep(received->helo, sizeof(received->helo), word);
		break;
	case CLAUSE_BY:
		keep(received->by, sizeof(received->by), word);
		break;
	case CLAUSE_WITH:
		/* "with Microsoft SMTP Server" */
		keep(received->with, sizeof(received->with),
			is_word(word, "Microsoft") ? (struct piece){"SMTP", 4} : word);
		break;
	case CLAUSE_ID:
		keep(received->id, sizeof(received->id), word);
		break;
	case CLAUSE_FOR:
		take_recipient(received, word);
		break;
	case CLAUSE_VIA:
	case CLAUSE_NONE:
		break;
	}
}

static void parse_clauses(const char *at, const char *end, struct received *received)
{
	enum clause clause = CLAUSE_NONE, seen;
	struct piece piece;
	bool expected = false;

	while (next_piece(&at, end, &piece)) {
		if (piece.at[0] == '(') {
			if (clause == CLAUSE_FROM)
				take_origin(received, piece);
			continue;
		}
		/* A word behind a key word is its value, even if it looks like another key word. */
		seen = expected ? CLAUSE_NONE : clause_of(piece);
		if (seen != CLAUSE_NONE)
			clause = seen;
		else if (expected)
			take_word(received, clause, piece);
		expected = seen != CLAUSE_NONE;
	}
}

void received_parse(const char *value, struct received *received_r)
{
	const char *date = find_date(value);

	*received_r = (struct received){0};
	parse_clauses(value, date != NULL ? date : value + strlen(value), received_r);
	/* A client may call itself by any address: it is its own only where no other is known. */
	take_brackets(received_r, (struct piece){received_r->helo, strlen(received_r->helo)});
	if (date != NULL)
		received_r->dated =
			received_date(date + 1, &received_r->at_ns, &received_r->resolution_ns);
}

size_t received_read(const char *text, size_t length, struct received hops_r[static RECEIVED_MAX],
	size_t *omitted_r)
{
	const char *end = header_end(text, length);
	char value[VALUE_SIZE];
	size_t count = 0;
	bool fits;

	*omitted_r = 0;
	while (header_next(&text, end, "Received", value, sizeof(value), &fits)) {
		if (count == RECEIVED_MAX) {
			++*omitted_r;
			continue;
		}
		received_parse(fits ? value : "", &hops_r[count++]);
	}
	for (size_t i = 0; i < count / 2; i++) {
		struct received swapped = hops_r[i];

		hops_r[i] = hops_r[count - 1 - i];
		hops_r[count - 1 - i] = swapped;
	}
	return count;
}
