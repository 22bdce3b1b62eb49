/* smtp_private - what the files of smtp share. */
#ifndef MAILPROBE_SMTP_PRIVATE_H
#define MAILPROBE_SMTP_PRIVATE_H

#include <libetpan/libetpan.h>

#include "smtp.h"

#define EXTENSIONS_MAX 64

struct smtp {
	struct stream *stream;
	mailstream *mail;
	MMAPString *line;
	struct smtp_reply reply;
	int64_t replied_at;
	char extensions[EXTENSIONS_MAX][128];
	size_t extension_count;
	const char *name; /* for EHLO; NULL: our address */
	char said[128];   /* the last name that was given */
	bool gather;      /* the reply being read lists extensions */
};

/* One line with its CRLF; -1 also if something was said before it was asked for. */
int smtp_send_line(struct smtp *smtp, const char *line, const char *what, struct failure *why);

/* One whole reply, of any code, into smtp->reply; its last line as received is smtp->line. */
int smtp_read_reply(struct smtp *smtp, const char *waited_for, struct failure *why);

/* The last reply as a failure, in the server's own words. Returns -1. */
int smtp_refused(struct smtp *smtp, const char *what, struct failure *why);

#endif
