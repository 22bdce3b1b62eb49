#include "mx.h"

#include <stdlib.h>
#include <string.h>

#include <ares.h>

#include "dns_private.h"
#include "text.h"
#include "uuid.h"

#include "ban.h"

static int by_preference(const void *a, const void *b)
{
	const struct exchanger *left = a, *right = b;

	if (left->preference != right->preference)
		return left->preference < right->preference ? -1 : 1;
	return (left->lot > right->lot) - (left->lot < right->lot);
}

/* What no mail may be sent to. */
static int check_host(const char *domain, const char *host, struct failure *why)
{
	struct address literal;

	if (host[0] == '\0')
		return failure_set(why, ERROR_DNS_NULLMX,
			"%s takes no mail: its MX record says so (null MX)", domain);
	if (address_literal(host, 25, &literal))
		return failure_set(why, ERROR_DNS_POLICY,
			"the MX record of %s names an IP address (%s), which must be a host name", domain,
			host);
	return 0;
}

static int take(const struct ares_mx_reply *reply, const char *domain, struct exchanger *list,
	size_t max, size_t *count_r, struct failure *why)
{
	for (; reply != NULL && *count_r < max; reply = reply->next) {
		struct exchanger *exchanger = &list[*count_r];

		if (check_host(domain, reply->host, why) == -1)
			return -1;
		exchanger->preference = reply->priority;
		random_bytes(&exchanger->lot, sizeof(exchanger->lot));
		if (text_copy(exchanger->host, sizeof(exchanger->host), reply->host))
			(*count_r)++;
	}
	return 0;
}

static int parse(const struct dns_question *question, struct exchanger *list, size_t max,
	size_t *count_r, struct failure *why)
{
	struct ares_mx_reply *reply = NULL;
	int status = ares_parse_mx_reply(question->answer, question->length, &reply);
	int result;

	if (status != ARES_SUCCESS)
		return dns_refuse(question->name, status, why);
	result = take(reply, question->name, list, max, count_r, why);
	ares_free_data(reply);
	qsort(list, *count_r, sizeof(*list), by_preference);
	return result;
}

int mx_lookup(struct dns *dns, const char *domain, struct deadline deadline,
	struct exchanger *list, size_t max, size_t *count_r, bool *implicit_r,
	struct failure *why)
{
	struct dns_question question = {.name = domain, .type = DNS_TYPE_MX};
	int result = 0;

	*count_r = 0;
	*implicit_r = false;
	dns_ask(dns, &question, 1, deadline);
	if (question.status == ARES_SUCCESS) {
		result = parse(&question, list, max, count_r, why);
	} else if (question.status == ARES_ENODATA && max > 0) {
		*implicit_r = true;
		list[0] = (struct exchanger){0};
		text_copy(list[0].host, sizeof(list[0].host), domain);
		*count_r = 1;
	} else {
		result = dns_refuse(domain, question.status, why);
	}
	dns_question_free(&question);
	return result;
}
