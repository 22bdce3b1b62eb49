#include "dns.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>

#include "dns_private.h"
#include "text.h"
#include "uuid.h"

#include "ban.h"

/* One try at one server; c-ares doubles it with each round, and our deadline ends it all. */
#define DNS_TRY_MS 1500
#define DNS_TRIES 3

struct dns {
	ares_channel channel;
};

#define DNS_CLASS_IN 1

/* Library state is set up once and never torn down: workers end by _exit. */
static int library_ready(void)
{
	static int status = -1;

	if (status == -1)
		status = ares_library_init(ARES_LIB_INIT_ALL);
	return status;
}

struct dns *dns_create(const char *servers, struct failure *why)
{
	/* Without NOCHECKRESP, c-ares makes "connection refused" of SERVFAIL and REFUSED. */
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP,
		.timeout = DNS_TRY_MS,
		.tries = DNS_TRIES,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
	struct dns *dns = calloc(1, sizeof(*dns));
	int status = dns != NULL ? library_ready() : ARES_ENOMEM;

	if (status == ARES_SUCCESS)
		status = ares_init_options(&dns->channel, &options, mask);
	if (status == ARES_SUCCESS && servers != NULL)
		status = ares_set_servers_ports_csv(dns->channel, servers);
	if (status == ARES_SUCCESS)
		return dns;
	failure_set(why, ERROR_LOCAL_RESOURCE, "cannot set up DNS: %s", ares_strerror(status));
	dns_destroy(&dns);
	return NULL;
}

void dns_destroy(struct dns **dns)
{
	if (*dns == NULL)
		return;
	if ((*dns)->channel != NULL)
		ares_destroy((*dns)->channel);
	free(*dns);
	*dns = NULL;
}

static void address_v4(struct address *address, struct in_addr ip, int port)
{
	char text[INET_ADDRSTRLEN];

	*address = (struct address){.length = sizeof(address->socket.v4)};
	address->socket.v4.sin_family = AF_INET;
	address->socket.v4.sin_port = htons((uint16_t)port);
	address->socket.v4.sin_addr = ip;
	inet_ntop(AF_INET, &ip, text, sizeof(text));
	if (port == 0)
		text_copy(address->text, sizeof(address->text), text);
	else
		snprintf(address->text, sizeof(address->text), "%s:%d", text, port);
}

static void address_v6(struct address *address, const struct in6_addr *ip, int port)
{
	char text[INET6_ADDRSTRLEN];

	*address = (struct address){.length = sizeof(address->socket.v6)};
	address->socket.v6.sin6_family = AF_INET6;
	address->socket.v6.sin6_port = htons((uint16_t)port);
	address->socket.v6.sin6_addr = *ip;
	inet_ntop(AF_INET6, ip, text, sizeof(text));
	if (port == 0)
		text_copy(address->text, sizeof(address->text), text);
	else
		snprintf(address->text, sizeof(address->text), "[%s]:%d", text, port);
}

bool address_literal(const char *host, int port, struct address *address_r)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		address_v4(address_r, v4, port);
	else if (inet_pton(AF_INET6, host, &v6) == 1)
		address_v6(address_r, &v6, port);
	else
		return false;
	return true;
}

static bool v4_is_private(uint32_t ip)
{
	static const struct {
		uint32_t network, mask;
	} ranges[] = {{0x00000000, 0xff000000}, {0x0a000000, 0xff000000}, {0x64400000, 0xffc00000},
		{0x7f000000, 0xff000000}, {0xa9fe0000, 0xffff0000}, {0xac100000, 0xfff00000},
		{0xc0a80000, 0xffff0000}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if ((ip & ranges[i].mask) == ranges[i].network)
			return true;
	return false;
}

bool address_is_private(const struct address *address)
{
	const struct in6_addr *ip = &address->socket.v6.sin6_addr;
	uint32_t mapped;

	if (address->socket.any.sa_family == AF_INET)
		return v4_is_private(ntohl(address->socket.v4.sin_addr.s_addr));
	memcpy(&mapped, &ip->s6_addr[12], sizeof(mapped));
	return IN6_IS_ADDR_LOOPBACK(ip) || IN6_IS_ADDR_UNSPECIFIED(ip) ||
	       IN6_IS_ADDR_LINKLOCAL(ip) || (ip->s6_addr[0] & 0xfe) == 0xfc ||
	       (IN6_IS_ADDR_V4MAPPED(ip) && v4_is_private(ntohl(mapped)));
}

/* --- questions ------------------------------------------------------------------------- */

void dns_question_free(struct dns_question *question)
{
	free(question->answer);
	question->answer = NULL;
}

/* The answer is only kept here: it is taken apart when all are in. */
static void answered(void *context, int status, int timeouts, unsigned char *answer, int length)
{
	struct dns_question *question = context;

	(void)timeouts;
	question->done = true;
	question->status = status;
	if (status != ARES_SUCCESS)
		return;
	question->answer = malloc((size_t)length);
	if (question->answer == NULL) {
		question->status = ARES_ENOMEM;
		return;
	}
	memcpy(question->answer, answer, (size_t)length);
	question->length = length;
}

/* ares_send, unlike ares_query, leaves the answer's header to us. */
static int status_of(const unsigned char *answer, int length)
{
	static const int statuses[] = {ARES_SUCCESS, ARES_EFORMERR, ARES_ESERVFAIL, ARES_ENOTFOUND,
		ARES_ENOTIMP, ARES_EREFUSED};
	unsigned int code = length >= 12 ? answer[3] & 15 : 1;

	if (code == 0 && answer[6] == 0 && answer[7] == 0)
		return ARES_ENODATA;
	return code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code] : ARES_EBADRESP;
}

static void answered_whole(
	void *context, int status, int timeouts, unsigned char *answer, int length)
{
	answered(context, status == ARES_SUCCESS ? status_of(answer, length) : status, timeouts,
		answer, length);
}

/* A question that wants to know whether the resolver has validated the answer (RFC 6840, 5.7). */
static void ask_validated(struct dns *dns, struct dns_question *question)
{
	unsigned char *query = NULL;
	unsigned short id;
	int length = 0, status;

	random_bytes(&id, sizeof(id));
	status = ares_create_query(question->name, DNS_CLASS_IN, question->type, id, 1, &query,
		&length, 1232);
	if (status != ARES_SUCCESS) {
		answered(question, status, 0, NULL, 0);
		return;
	}
	query[3] |= 0x20;
	ares_send(dns->channel, query, length, answered_whole, question);
	ares_free_string(query);
}

static void ask(struct dns *dns, struct dns_question *question)
{
	if (question->type == DNS_TYPE_TLSA)
		ask_validated(dns, question);
	else
		ares_query(dns->channel, question->name, DNS_CLASS_IN, question->type, answered,
			question);
}

static bool all_done(const struct dns_question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!questions[i].done)
			return false;
	return true;
}

/* Waits for the channel's sockets once, at most until the deadline, and lets c-ares go on. */
static void pump(struct dns *dns, struct deadline deadline)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd polls[ARES_GETSOCK_MAXNUM];
	/* Low half readable, high half writable; c-ares' own macros shift into the sign. */
	unsigned int bits =
		(unsigned int)ares_getsock(dns->channel, sockets, ARES_GETSOCK_MAXNUM);
	nfds_t count = 0;
	int left_ms = deadline_left_ms(deadline);
	struct timeval left = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
	struct timeval wait, *next = ares_timeout(dns->channel, &left, &wait);

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = (short)((bits >> i & 1 ? POLLIN : 0) |
				       (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

		if (events != 0)
			polls[count++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	poll(polls, count, (int)(next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
	for (nfds_t i = 0; i < count; i++)
		ares_process_fd(dns->channel,
			(polls[i].revents & ~POLLOUT) ? polls[i].fd : ARES_SOCKET_BAD,
			(polls[i].revents & POLLOUT) ? polls[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* Asks what is not done yet, and waits. */
static void ask_round(
	struct dns *dns, struct dns_question *questions, size_t count, struct deadline deadline)
{
	for (size_t i = 0; i < count; i++)
		if (!questions[i].done)
			ask(dns, &questions[i]);
	while (!all_done(questions, count)) {
		if (deadline_passed(deadline)) {
			ares_cancel(dns->channel);
			return;
		}
		pump(dns, deadline);
	}
}

/* The server that was asked first becomes the last one. False if there is no other. */
static bool next_server(struct dns *dns)
{
	struct ares_addr_port_node *list = NULL, *last;
	bool moved = false;

	if (ares_get_servers_ports(dns->channel, &list) != ARES_SUCCESS || list == NULL)
		return false;
	for (last = list; last->next != NULL;)
		last = last->next;
	if (last != list) {
		struct ares_addr_port_node *second = list->next;

		last->next = list;
		list->next = NULL;
		moved = ares_set_servers_ports(dns->channel, second) == ARES_SUCCESS;
		list = second;
	}
	ares_free_data(list);
	return moved;
}

static size_t count_servers(struct dns *dns)
{
	struct ares_addr_port_node *list = NULL;
	size_t count = 0;

	if (ares_get_servers_ports(dns->channel, &list) != ARES_SUCCESS)
		return 1;
	for (struct ares_addr_port_node *one = list; one != NULL; one = one->next)
		count++;
	ares_free_data(list);
	return count;
}

/* A server that answered that it cannot answer: another one might. */
static bool ask_elsewhere(struct dns_question *questions, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		int status = questions[i].status;

		if (status != ARES_ESERVFAIL && status != ARES_EREFUSED && status != ARES_ENOTIMP)
			continue;
		questions[i].done = false;
		any = true;
	}
	return any;
}

void dns_ask(struct dns *dns, struct dns_question *questions, size_t count,
	struct deadline deadline)
{
	size_t servers = count_servers(dns);

	ask_round(dns, questions, count, deadline);
	while (--servers > 0 && !deadline_passed(deadline) && ask_elsewhere(questions, count) &&
		next_server(dns))
		ask_round(dns, questions, count, deadline);
}

/* --- failures -------------------------------------------------------------------------- */

static enum error_type type_of(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return ERROR_DNS_NXDOMAIN;
	case ARES_ENODATA:
		return ERROR_DNS_NODATA;
	case ARES_ESERVFAIL:
		return ERROR_DNS_SERVFAIL;
	case ARES_EREFUSED:
		return ERROR_DNS_REFUSED;
	case ARES_ETIMEOUT:
	case ARES_ECANCELLED:
		return ERROR_DNS_TIMEOUT;
	case ARES_ECONNREFUSED:
		return ERROR_DNS_UNREACHABLE;
	case ARES_ENOMEM:
		return ERROR_LOCAL_RESOURCE;
	default:
		return ERROR_DNS_MALFORMED;
	}
}

int dns_refuse(const char *name, int status, struct failure *why)
{
	enum error_type type = type_of(status);

	return failure_set(why, type, "cannot resolve %s: %s", name, error_info(type)->help);
}

/* --- addresses ------------------------------------------------------------------------- */

#define FAMILY_MAX 16

/* The addresses of one family; what was wrong with the answer goes into its status. */
static size_t take_v4(struct dns_question *question, int port, struct address *list, size_t max)
{
	struct ares_addrttl found[FAMILY_MAX];
	int count = FAMILY_MAX;
	size_t taken = 0;

	if (question->status != ARES_SUCCESS)
		return 0;
	question->status =
		ares_parse_a_reply(question->answer, question->length, NULL, found, &count);
	for (int i = 0; question->status == ARES_SUCCESS && i < count && taken < max; i++)
		address_v4(&list[taken++], found[i].ipaddr, port);
	if (question->status == ARES_SUCCESS && taken == 0)
		question->status = ARES_ENODATA;
	return taken;
}

static size_t take_v6(struct dns_question *question, int port, struct address *list, size_t max)
{
	struct ares_addr6ttl found[FAMILY_MAX];
	int count = FAMILY_MAX;
	size_t taken = 0;

	if (question->status != ARES_SUCCESS)
		return 0;
	question->status =
		ares_parse_aaaa_reply(question->answer, question->length, NULL, found, &count);
	for (int i = 0; question->status == ARES_SUCCESS && i < count && taken < max; i++) {
		struct in6_addr ip;

		memcpy(&ip, &found[i].ip6addr, sizeof(ip));
		address_v6(&list[taken++], &ip, port);
	}
	if (question->status == ARES_SUCCESS && taken == 0)
		question->status = ARES_ENODATA;
	return taken;
}

int dns_addresses(struct dns *dns, const char *host, int port, enum ip_choice ip,
	struct deadline deadline, struct address *list, size_t max, size_t *count_r,
	struct failure *why)
{
	struct dns_question questions[2] = {
		{.name = host, .type = DNS_TYPE_AAAA}, {.name = host, .type = DNS_TYPE_A}};
	size_t first = ip == IP_4 ? 1 : 0, last = ip == IP_6 ? 1 : 2;

	dns_ask(dns, questions + first, last - first, deadline);
	*count_r = 0;
	if (ip != IP_4)
		*count_r = take_v6(&questions[0], port, list, max);
	if (ip != IP_6)
		*count_r += take_v4(&questions[1], port, list + *count_r, max - *count_r);
	for (size_t i = first; i < last; i++)
		dns_question_free(&questions[i]);
	/* Of two failures the one about A records is what a person expects to read. */
	return *count_r > 0 ? 0 : dns_refuse(host, questions[last - 1].status, why);
}
