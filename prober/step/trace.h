/* trace - what the header of a mail that has arrived tells: the servers that it went through, with how
 * long each had it, and what filters on the way have said about it. */
#ifndef MAILPROBE_TRACE_H
#define MAILPROBE_TRACE_H

#include "probe.h"

/* A setting of steps that find mails. */
#define TRACE_FIELD                                                                                \
	{                                                                                          \
		"authserv_id", &field_text, 0,                                                     \
			"who writes the field Authentication-Results that counts (RFC 8601), if "  \
			"not a name of the receiving domain or of its last server"                 \
	}

/* Facts that trace_keep sets. */
#define TRACE_FACTS                                                                                \
	{"hops", &field_list, 0, "the servers that it went through, in order",                     \
		.item = &field_object, .fields = record_hop},                                      \
		{"hops_omitted", &field_integer, 0, "further hops before these"},                  \
		{"clock_was_set", &field_bool, 0,                                                  \
			"the stamps contradict each other, unless a clock was set on the way"},    \
		{"authserv_id", &field_text, 0, "who says what the next three do"},                \
		{"spf", &field_text, 0, "result of SPF, as RFC 8601 has it, such as pass"},        \
		{"dkim", &field_text, 0, "result of DKIM, the best of several"},                   \
		{"dmarc", &field_text, 0, "result of DMARC"},                                      \
		{"spam_flag", &field_bool, 0, "a filter has marked it as spam, or as none"},       \
		{"spam_score", &field_number, FIELD_METRIC, "a filter's score of it"},             \
		{"spam_limit", &field_number, 0, "the score from which on it is spam"},            \
	{                                                                                          \
		"spam_level", &field_number, 0,                                                    \
			"Exchange's spam confidence level (SCL), from -1 to 9"                     \
	}

/* What we know of a mail's way ourselves: wall clock, 0 for what is not known. */
struct trace_way {
	int64_t offered_ns;  /* sending of MAIL, or anything before it */
	int64_t accepted_ns; /* final 250 */
	int64_t absent_ns;   /* sending of the last look without it */
	int64_t present_ns;  /* answer of the first look with it */
	int64_t stored_ns;   /* the store's own date of it, whole seconds */
	const char *helo;    /* what we called ourselves; "" if that is not known any more */
	const char *reply;   /* the server's last word on it */
};

/* The servers that it went through (record_hop): a new array, or NULL without memory for it. */
json_t *trace_hops(const struct probe *probe, const char *header, const struct trace_way *way);

/* Sets the facts, and the mail's hops. The mail was found: absent_ns and present_ns are set. `header`
 * is its, as it lies there, or NULL; stored_ns the store's own date of it by the wall clock, in whole
 * seconds, or 0. */
void trace_keep(
	struct probe *probe, const char *header, int64_t stored_ns, struct probe_mail *mail);

#endif
