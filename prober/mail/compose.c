/* Writing a probe mail: clean by RFC 5322, quiet by RFC 3834, and open about what it is. */
#include "probe_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "encode.h"
#include "text.h"
#include "token.h"

#include "ban.h"

#define MAIL_MAX (64 * 1024)

/* RFC 5322, 3.3; day and month names are English whatever the locale. */
static void format_date(int64_t wall_ns, char *date, size_t size)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	snprintf(date, size, "%s, %d %s %d %02d:%02d:%02d +0000", days[utc.tm_wday], utc.tm_mday,
		months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "localhost.invalid";
}

/* What every spam filter takes for spam, and every virus scanner for a virus. They come in halves,
 * so that no scanner stops this program. */
#define GTUBE "XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
#define EICAR "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

static bool has_content(const struct mail_order *order, const char *content)
{
	return order->content != NULL && strcmp(order->content, content) == 0;
}

static void write_text(struct text *body, const struct mail_order *order, const char *id)
{
	text_printf(body,
		"This mail is a test. A monitoring program, mailprobe, sent it to measure\r\n"
		"how long mail takes, and deletes it as soon as it has arrived.\r\n"
		"\r\n"
		"If you see it as a person: nothing is asked of you, and you may delete it.\r\n"
		"To have it stopped, write to whoever runs %s.\r\n"
		"\r\n"
		"customer: %s\r\n"
		"scenario: %s\r\n"
		"vantage:  %s\r\n"
		"mail:     %s\r\n",
		order->from, order->customer, order->scenario, order->vantage, id);
	if (has_content(order, "gtube"))
		text_printf(body, "\r\n%s%s\r\n", GTUBE);
}

/* A line of each script that mail systems of old have broken. */
#define BEYOND_ASCII "Größe, garçon, привет, ελληνικά, 日本語, العربية, €\r\n"

static bool has_parts(const struct mail_order *order)
{
	return order->attachment || has_content(order, "eicar");
}

/* The text and, without an attachment, its filling up to the size: 57 bytes make a line of 78. */
static void write_content(struct text *body, const struct mail_order *order, const char *id)
{
	struct text text;

	text_init(&text, MAIL_MAX / 2 + order->size);
	if (order->utf8)
		text_puts(&text, BEYOND_ASCII "\r\n");
	write_text(&text, order, id);
	if (!order->attachment && order->size > text.length + 2) {
		text_puts(&text, "\r\n");
		encode_filling(&text, id, (order->size - text.length) / 78 * 57);
	}
	if (order->utf8)
		encode_base64(body, text.bytes, text.length);
	else
		text_append(body, text.bytes, text.length);
	text_free(&text);
}

static const char *encoding(const struct mail_order *order)
{
	return order->utf8 ? "base64" : "7bit";
}

/* The virus is a file of its own: scanners look for it at a file's beginning. */
static void write_body(struct text *body, const struct mail_order *order, const char *id)
{
	if (!has_parts(order)) {
		write_content(body, order, id);
		return;
	}
	text_printf(body,
		"--mp-%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: %s\r\n\r\n",
		id, encoding(order));
	write_content(body, order, id);
	if (has_content(order, "eicar"))
		text_printf(body,
			"--mp-%s\r\n"
			"Content-Type: application/octet-stream; name=eicar.com\r\n"
			"Content-Disposition: attachment; filename=eicar.com\r\n"
			"\r\n%s%s\r\n",
			id, EICAR);
	if (order->attachment) {
		text_printf(body,
			"--mp-%s\r\n"
			"Content-Type: application/octet-stream; name=probe.bin\r\n"
			"Content-Disposition: attachment; filename=probe.bin\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n",
			id);
		encode_filling(body, id, order->size);
	}
	text_printf(body, "--mp-%s--\r\n", id);
}

static void write_subject(struct text *text, const struct mail_order *order, const char *id)
{
	text_puts(text, "Subject: ");
	if (order->subject != NULL)
		encode_words(text, order->subject);
	else
		text_printf(text, "mailprobe %s/%s %.8s", order->customer, order->scenario,
			id + UUID_SIZE - 9);
	text_puts(text, "\r\n");
}

static void write_mail(
	struct probe_mail *mail, const struct mail_order *order, const struct text *body)
{
	char date[64], type[96] = "text/plain; charset=utf-8";
	struct text text;

	if (has_parts(order))
		snprintf(type, sizeof(type), "multipart/mixed; boundary=\"mp-%s\"", mail->id);

	format_date(order->wall_ns, date, sizeof(date));
	text_init(&text, MAIL_MAX + body->length);
	text_printf(&text,
		"Date: %s\r\n"
		"From: mailprobe <%s>\r\n"
		"To: <%s>\r\n"
		"Message-ID: <%s>\r\n",
		date, mail->from, mail->to, mail->message_id);
	write_subject(&text, order, mail->id);
	text_printf(&text,
		"Auto-Submitted: auto-generated\r\n" TOKEN_HEADER ": %s\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: %s\r\n"
		"Content-Transfer-Encoding: %s\r\n"
		"\r\n",
		mail->token, type, has_parts(order) ? "7bit" : encoding(order));
	text_append(&text, body->bytes, body->length);
	mail->text = text.bytes;
	mail->text_length = text.length;
}

struct probe_mail *probe_mail_compose(const struct mail_order *order)
{
	struct probe_mail *mail = calloc(1, sizeof(*mail));
	struct text body;

	if (mail == NULL)
		return NULL;
	if (order->id == NULL || !text_copy(mail->id, sizeof(mail->id), order->id))
		uuid_v7(order->wall_ns, mail->id);
	text_copy(mail->step, sizeof(mail->step), order->step);
	text_copy(mail->from, sizeof(mail->from), order->from);
	text_copy(mail->to, sizeof(mail->to), order->to);
	text_copy(mail->leg, sizeof(mail->leg), order->leg != NULL ? order->leg : "");
	text_copy(mail->state, sizeof(mail->state), "sending");
	snprintf(mail->message_id, sizeof(mail->message_id), "mp1.%s@%s", mail->id,
		domain_of(mail->from));
	mail->own_subject = order->subject != NULL;
	/* Base64 takes 78 bytes for 57. */
	text_init(&body, MAIL_MAX / 2 + order->size + order->size / 2);
	write_body(&body, order, mail->id);
	content_hash(body.bytes, body.length, mail->content_hash);
	token_make(order->key, mail->id, mail->from, mail->to, mail->content_hash, mail->token,
		sizeof(mail->token));
	write_mail(mail, order, &body);
	text_free(&body);
	return mail;
}

void probe_mail_free(struct probe_mail **mail)
{
	if (*mail == NULL)
		return;
	json_decref((*mail)->hops);
	free((*mail)->text);
	free(*mail);
	*mail = NULL;
}
