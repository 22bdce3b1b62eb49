#include "dns_records.h"

#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <ares.h>

#include "text.h"

#include "ban.h"

/* --- rounds ---------------------------------------------------------------------------- */

int dns_round_add(struct dns_round *round, enum dns_type type, const char *format, ...)
{
	char *name = round->names[round->count];
	va_list args;

	if (round->count == DNS_ROUND_MAX)
		return -1;
	va_start(args, format);
	vsnprintf(name, DNS_NAME_SIZE, format, args);
	va_end(args);
	round->questions[round->count] = (struct dns_question){.name = name, .type = type};
	return (int)round->count++;
}

void dns_round_ask(struct dns *dns, struct dns_round *round, struct deadline deadline)
{
	dns_ask(dns, round->questions, round->count, deadline);
}

void dns_round_clear(struct dns_round *round)
{
	for (size_t i = 0; i < round->count; i++)
		dns_question_free(&round->questions[i]);
	round->count = 0;
}

int dns_question_outcome(const struct dns_question *question, struct failure *why)
{
	if (question->status == ARES_SUCCESS)
		return 0;
	if (question->status == ARES_ENOTFOUND || question->status == ARES_ENODATA)
		return 1;
	return dns_refuse(question->name, question->status, why);
}

/* --- answers --------------------------------------------------------------------------- */

size_t dns_take_texts(const struct dns_question *question, char (*texts)[DNS_TEXT_SIZE], size_t max)
{
	struct ares_txt_ext *list = NULL;
	size_t count = 0, used = 0;

	if (question->status != ARES_SUCCESS ||
		ares_parse_txt_reply_ext(question->answer, question->length, &list) != ARES_SUCCESS)
		return 0;
	for (const struct ares_txt_ext *one = list; one != NULL; one = one->next) {
		size_t room;

		if (one->record_start && count == max)
			break;
		if (one->record_start) {
			used = 0;
			texts[count++][0] = '\0';
		}
		if (count == 0)
			continue;
		room = DNS_TEXT_SIZE - 1 - used;
		if (room > one->length)
			room = one->length;
		memcpy(texts[count - 1] + used, one->txt, room);
		used += room;
		texts[count - 1][used] = '\0';
	}
	ares_free_data(list);
	return count;
}

size_t dns_take_names(const struct dns_question *question, const struct address *address,
	char (*names)[DNS_NAME_SIZE], size_t max)
{
	bool v4 = address->socket.any.sa_family == AF_INET;
	const void *ip = v4 ? (const void *)&address->socket.v4.sin_addr
			    : (const void *)&address->socket.v6.sin6_addr;
	struct hostent *host = NULL;
	size_t count = 0;

	if (question->status != ARES_SUCCESS ||
		ares_parse_ptr_reply(question->answer, question->length, ip, v4 ? 4 : 16,
			v4 ? AF_INET : AF_INET6, &host) != ARES_SUCCESS)
		return 0;
	for (char **alias = host->h_aliases; *alias != NULL && count < max; alias++)
		if (text_copy(names[count], DNS_NAME_SIZE, *alias))
			count++;
	ares_free_hostent(host);
	return count;
}

size_t dns_take_addresses(const struct dns_question *question, struct address *list, size_t max)
{
	struct ares_addrttl v4[16];
	struct ares_addr6ttl v6[16];
	char text[ADDRESS_TEXT_SIZE];
	int found = 16, status = question->status;
	bool four = question->type == DNS_TYPE_A;
	size_t count = 0;

	if (status == ARES_SUCCESS)
		status = four
			? ares_parse_a_reply(question->answer, question->length, NULL, v4, &found)
			: ares_parse_aaaa_reply(
				  question->answer, question->length, NULL, v6, &found);
	for (int i = 0; status == ARES_SUCCESS && i < found && count < max; i++)
		if (ares_inet_ntop(four ? AF_INET : AF_INET6,
			    four ? (const void *)&v4[i].ipaddr : (const void *)&v6[i].ip6addr, text,
			    sizeof(text)) != NULL &&
			address_literal(text, 0, &list[count]))
			count++;
	return count;
}

/* Behind a name in a message; -1 if the message ends before that. */
static long skip_name(const struct dns_question *question, long at)
{
	const unsigned char *answer = question->answer;
	char *name = NULL;
	long length = 0;

	if (at < 0 || at >= question->length ||
		ares_expand_name(answer + at, answer, question->length, &name, &length) !=
			ARES_SUCCESS)
		return -1;
	ares_free_string(name);
	return at + length;
}

static unsigned int read16(const unsigned char *bytes)
{
	return (unsigned int)bytes[0] << 8 | bytes[1];
}

/* RFC 6698, 2.1; the walk over the records is RFC 1035, 4.1. */
size_t dns_take_tlsa(
	const struct dns_question *question, struct tlsa *list, size_t max, bool *validated_r)
{
	const unsigned char *answer = question->answer;
	size_t count = 0;
	long at = 12;

	*validated_r = false;
	if (question->status != ARES_SUCCESS || question->length < 12)
		return 0;
	*validated_r = (answer[3] & 0x20) != 0;
	for (unsigned int left = read16(answer + 4); left > 0; left--) {
		at = skip_name(question, at);
		if (at == -1)
			return 0;
		at += 4;
	}
	for (unsigned int left = read16(answer + 6); left > 0 && count < max; left--) {
		const unsigned char *record;
		unsigned int length;

		at = skip_name(question, at);
		if (at == -1 || at + 10 > question->length)
			return count;
		record = answer + at;
		length = read16(record + 8);
		at += 10 + (long)length;
		if (at > question->length)
			return count;
		if (read16(record) == DNS_TYPE_TLSA && length > 3)
			list[count++] =
				(struct tlsa){record[10], record[11], record[12], length - 3, record + 13};
	}
	return count;
}

void dns_reverse_name(
	const struct address *address, const char *zone, char name[static DNS_NAME_SIZE])
{
	bool v4 = address->socket.any.sa_family == AF_INET;
	unsigned char bytes[16];
	size_t used = 0;

	memcpy(bytes,
		v4 ? (const void *)&address->socket.v4.sin_addr
		   : (const void *)&address->socket.v6.sin6_addr,
		v4 ? 4 : 16);
	for (int i = v4 ? 3 : 15; i >= 0; i--)
		used += (size_t)(v4 ? snprintf(name + used, DNS_NAME_SIZE - used, "%d.", bytes[i])
				    : snprintf(name + used, DNS_NAME_SIZE - used, "%x.%x.",
					      bytes[i] & 15, bytes[i] >> 4));
	if (zone == NULL)
		zone = v4 ? "in-addr.arpa" : "ip6.arpa";
	text_copy(name + used, DNS_NAME_SIZE - used, zone);
}
