/* sending - what all steps that send a mail have in common: its text, its dialogue, its account
 * in the ledger. */
#ifndef MAILPROBE_SENDING_H
#define MAILPROBE_SENDING_H

#include "probe.h"
#include "smtp.h"

/* Facts that sending_hand_over and sending_keep_reply set. */
#define SENDING_FACTS                                                                          \
	{"mail", &field_name, 0, "id of the probe mail"},                                      \
		{"accepted_at", &field_timestamp, 0, "receipt of the final 250"},              \
		{"reply_code", &field_integer, 0, "the server's last reply code"},             \
		{"enhanced_code", &field_text, 0, "its enhanced code (RFC 3463)"},             \
		{"reply", &field_text, 0, "its last reply as it was received"},                \
		{"mail_bytes", &field_integer, 0, "of the mail as it was handed over"},        \
		{"bytes_per_second", &field_number, FIELD_METRIC,                              \
			"of a mail of 64 kB or more: its bytes by the phase data"},            \
	{                                                                                      \
		"ledger_wait_seconds", &field_seconds, 0,                                      \
			"our own wait for the ledger, outside of every phase"                  \
	}

/* What a mail may hold that the platform must not let through. */
extern const char *const sending_contents[];
#define SENDING_CONTENT_FIELDS                                                                 \
	{"content", &field_choice, 0,                                                          \
		"plain, or what a filter must stop: gtube (spam) or eicar (a virus)",          \
		"\"plain\"", .choices = sending_contents},                                     \
		{"size", &field_size, 0,                                                       \
			"bytes of the text, or of the attachment; 1kB of an attachment if left " \
			"out"},                                                                \
		{"attachment", &field_bool, 0, "a file of that size beside the text", "false"}, \
		{"utf8", &field_bool, 0, "the text holds more than ASCII", "false"},           \
	{                                                                                      \
		"subject", &field_text, 0, "another subject than ours; it has to arrive as it was" \
	}

/* The address that a step's `from` or `to` means. */
const char *sending_address(const struct journey *journey, const char *party);

/* Writes the step's mail, or (mail_id) one that an earlier run could not hand over. NULL if there
 * is no memory. */
struct probe_mail *sending_write(struct probe *probe, const char *from, const char *mail_id);

/* MAIL to the reply to the final dot. The mail, which the chain keeps from now on, is in the ledger
 * before its final dot; from then on its state is told at every exit. With `defer`, a refusal for
 * now (4yz) at any point puts it into the ledger as deferred. */
int sending_hand_over(
	struct probe *probe, struct smtp *smtp, struct probe_mail *mail, bool defer,
	struct failure *why);

/* Ends the account of a deferred mail that will not be tried again. */
void sending_give_up(struct probe *probe, struct probe_mail *mail);

/* Sets the facts about the server's last reply. */
void sending_keep_reply(struct probe *probe, const struct smtp *smtp);

#endif
