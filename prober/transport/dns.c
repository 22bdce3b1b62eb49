#include "dns.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>

#include "ban.h"

/* One try at one server; c-ares doubles it with each round, and our deadline ends it all. */
#define DNS_TRY_MS 1500
#define DNS_TRIES 3

struct dns {
	ares_channel channel;
};

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

/* One question under way. */
struct question {
	bool asked;
	bool done;
	int status;
	int family;
	int port;
	struct address *list;
	size_t max;
	size_t count;
};

static void take_v4(struct question *question, const unsigned char *answer, int length)
{
	struct ares_addrttl found[16];
	int count = 16;

	question->status = ares_parse_a_reply(answer, length, NULL, found, &count);
	for (int i = 0; question->status == ARES_SUCCESS && i < count; i++)
		if (question->count < question->max)
			address_v4(&question->list[question->count++], found[i].ipaddr,
				question->port);
}

static void take_v6(struct question *question, const unsigned char *answer, int length)
{
	struct ares_addr6ttl found[16];
	int count = 16;

	question->status = ares_parse_aaaa_reply(answer, length, NULL, found, &count);
	for (int i = 0; question->status == ARES_SUCCESS && i < count; i++) {
		struct in6_addr ip;

		memcpy(&ip, &found[i].ip6addr, sizeof(ip));
		if (question->count < question->max)
			address_v6(&question->list[question->count++], &ip, question->port);
	}
}

static void answered(void *context, int status, int timeouts, unsigned char *answer, int length)
{
	struct question *question = context;

	(void)timeouts;
	question->done = true;
	question->status = status;
	if (status != ARES_SUCCESS)
		return;
	if (question->family == AF_INET)
		take_v4(question, answer, length);
	else
		take_v6(question, answer, length);
	if (question->status == ARES_SUCCESS && question->count == 0)
		question->status = ARES_ENODATA;
}

static void ask(struct dns *dns, struct question *question, const char *host, int family)
{
	question->asked = true;
	ares_query(dns->channel, host, 1, family == AF_INET ? 1 : 28, answered, question);
}

/* Moves the channel on until all is answered or the deadline has passed. */
static void pump(struct dns *dns, const struct question *a, const struct question *b,
	struct deadline deadline)
{
	while ((a->asked && !a->done) || (b->asked && !b->done)) {
		ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
		struct pollfd polls[ARES_GETSOCK_MAXNUM];
		/* Low half readable, high half writable; c-ares' own macros shift into the sign. */
		unsigned int bits =
			(unsigned int)ares_getsock(dns->channel, sockets, ARES_GETSOCK_MAXNUM);
		nfds_t count = 0;
		struct timeval left = {
			.tv_sec = deadline_left_ms(deadline) / 1000,
			.tv_usec = deadline_left_ms(deadline) % 1000 * 1000,
		};
		struct timeval wait, *next = ares_timeout(dns->channel, &left, &wait);

		if (deadline_passed(deadline)) {
			ares_cancel(dns->channel);
			return;
		}
		for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
			short events = (short)((bits >> i & 1 ? POLLIN : 0) |
				(bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

			if (events != 0)
				polls[count++] =
					(struct pollfd){.fd = sockets[i], .events = events};
		}
		poll(polls, count, (int)(next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
		for (nfds_t i = 0; i < count; i++)
			ares_process_fd(dns->channel,
				(polls[i].revents & ~POLLOUT) ? polls[i].fd : ARES_SOCKET_BAD,
				(polls[i].revents & POLLOUT) ? polls[i].fd : ARES_SOCKET_BAD);
		ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	}
}

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

static int refuse(const char *host, int status, struct failure *why)
{
	enum error_type type = type_of(status);

	return failure_set(why, type, "cannot resolve %s: %s", host, error_info(type)->help);
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

/* It answered that it cannot answer: another one might. */
static bool is_helpless(const struct question *question)
{
	return question->asked &&
		(question->status == ARES_ESERVFAIL || question->status == ARES_EREFUSED ||
			question->status == ARES_ENOTIMP);
}

/* Asks both questions; of server after server, as long as one of them is not up to it. */
static void ask_all(struct dns *dns, const char *host, struct question *six, struct question *four,
	struct deadline deadline)
{
	size_t servers = count_servers(dns);

	do {
		if (!six->done && six->family != 0)
			ask(dns, six, host, AF_INET6);
		if (!four->done && four->family != 0)
			ask(dns, four, host, AF_INET);
		pump(dns, six, four, deadline);
		six->done = !is_helpless(six);
		four->done = !is_helpless(four);
	} while ((!six->done || !four->done) && --servers > 0 && !deadline_passed(deadline) &&
		next_server(dns));
}

int dns_addresses(struct dns *dns, const char *host, int port, enum ip_choice ip,
	struct deadline deadline, struct address *list, size_t max, size_t *count_r,
	struct failure *why)
{
	struct address v4[16];
	struct question six = {.port = port, .list = list, .max = max};
	struct question four = {.port = port, .list = v4, .max = 16};
	size_t room;

	six.family = ip != IP_4 ? AF_INET6 : 0;
	four.family = ip != IP_6 ? AF_INET : 0;
	ask_all(dns, host, &six, &four, deadline);
	room = max - six.count;
	if (four.count < room)
		room = four.count;
	memcpy(list + six.count, v4, room * sizeof(v4[0]));
	*count_r = six.count + room;
	if (*count_r > 0)
		return 0;
	/* Of two failures the one about A records is what a person expects to read. */
	return refuse(host, four.asked ? four.status : six.status, why);
}
