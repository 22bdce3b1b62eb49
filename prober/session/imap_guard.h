/* imap_guard - keeps from libetpan what no honest IMAP server sends.
 *
 * libetpan 1.9.4 takes memory and stack by the server's word, and dies of some malformed lines.
 * This follows the bytes just far enough (lines, tags, literals, quoted strings, parentheses) to
 * stop an attack before it is parsed. Where it cannot be sure what the parser will make of a
 * line, it errs on the side that looks at more. What still gets through is the jail's to hold.
 */
#ifndef MAILPROBE_IMAP_GUARD_H
#define MAILPROBE_IMAP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"

struct imap_limits {
	size_t line;        /* bytes of one line without its literals */
	uint64_t literal;   /* bytes of one literal */
	unsigned int depth; /* open parentheses */
	size_t lines;       /* lines of one exchange */
};

extern const struct imap_limits imap_default_limits;

#define IMAP_GUARD_HEAD 200

/* Where in `[PERMANENTFLAGS (flag ...)]` the line is. */
enum imap_guard_flags {
	FLAGS_NAME,   /* before it, or within the name */
	FLAGS_LIST,   /* the name is there: a list may open */
	FLAGS_FIRST,  /* the list is open: a flag or its end must follow */
	FLAGS_SYSTEM, /* behind a backslash */
};

struct imap_guard {
	struct imap_limits limits;
	/* The exchange. */
	unsigned int tag; /* of the command in progress; 0: before the first */
	bool answered;    /* its tagged answer has come */
	bool last_word;   /* nothing may follow that answer (STARTTLS) */
	bool farewell;    /* a BYE is what we asked for (LOGOUT) */
	bool gone;        /* a BYE came behind an answer: the next command finds it */
	bool continues;   /* the command is sent in parts (AUTHENTICATE) */
	size_t line_count;
	size_t announcements; /* "* n EXISTS", over all exchanges */
	/* The line. */
	char head[IMAP_GUARD_HEAD]; /* its beginning */
	size_t head_length;
	size_t line_length;
	unsigned int words; /* begun so far, up to its second */
	bool in_word;
	bool is_status; /* OK, NO, BAD, BYE, PREAUTH: what follows is for people */
	bool in_quotes, escaped;
	unsigned int depth;
	/* Its literals. */
	uint64_t literal_left;
	uint64_t number; /* of a literal's size being read */
	bool in_number, number_ended;
	/* Its response code, and its flags. */
	bool in_code; /* of a greeting */
	enum imap_guard_flags flags;
	unsigned int flags_matched; /* bytes of the name */
};

void imap_guard_init(struct imap_guard *guard);
/* A new command with that tag: lines are counted anew. */
void imap_guard_command(struct imap_guard *guard, unsigned int tag);
/* An etpan_guard: 0, or -1 with limit.size, limit.depth, imap.malformed, imap.bye or tls.injected
 * on the stream. */
int imap_guard_bytes(void *guard, struct stream *stream, const char *bytes, size_t length);

#endif
