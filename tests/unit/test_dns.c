/* Names to addresses, against a name server of our own that answers as its questions ask it to:
 * each way to fail has its own name, a forged answer is not believed, and the deadline holds. */
#include "dns.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28

/* --- the name server ------------------------------------------------------------------- */

static struct {
	int fd;
	char address[32];
	pthread_t thread;
	int tired; /* questions for "relief" that still get SERVFAIL */
} server;

struct packet {
	unsigned char bytes[1024];
	size_t length;
};

static void put16(struct packet *packet, unsigned int value)
{
	packet->bytes[packet->length++] = (unsigned char)(value >> 8);
	packet->bytes[packet->length++] = (unsigned char)value;
}

/* A record whose name is the question's. */
static void put_record(struct packet *packet, unsigned int type, const void *data, size_t length)
{
	put16(packet, 0xc00c);
	put16(packet, type);
	put16(packet, 1);
	put16(packet, 0);
	put16(packet, 300);
	put16(packet, (unsigned int)length);
	memcpy(packet->bytes + packet->length, data, length);
	packet->length += length;
	packet->bytes[7]++;
}

static void put_addresses(struct packet *packet, const char *label, unsigned int type)
{
	struct in_addr v4;
	struct in6_addr v6;

	inet_pton(AF_INET6, "2001:db8::25", &v6);
	if (type == TYPE_AAAA && (strcmp(label, "six") == 0 || strcmp(label, "both") == 0))
		put_record(packet, TYPE_AAAA, &v6, sizeof(v6));
	for (int i = 0; i < (strcmp(label, "many") == 0 ? 24 : 1); i++) {
		v4.s_addr = htonl(0xc0000219U + (unsigned int)i);
		if (type == TYPE_A &&
			(strcmp(label, "four") == 0 || strcmp(label, "both") == 0 ||
				strcmp(label, "relief") == 0 || strcmp(label, "many") == 0))
			put_record(packet, TYPE_A, &v4, sizeof(v4));
	}
	/* "loop" is an alias of itself. */
	if (strcmp(label, "loop") == 0)
		put_record(packet, TYPE_CNAME, "\xc0\x0c", 2);
}

/* Turns a question into its answer; false if there is to be none. */
static bool answer(struct packet *packet, const char *label)
{
	unsigned int type = packet->bytes[packet->length - 3];

	if (strcmp(label, "silent") == 0)
		return false;
	packet->bytes[2] |= 0x80;
	if (strcmp(label, "nxdomain") == 0)
		packet->bytes[3] |= 3;
	if (strcmp(label, "servfail") == 0 || (strcmp(label, "relief") == 0 && server.tired-- > 0))
		packet->bytes[3] |= 2;
	if (strcmp(label, "refused") == 0)
		packet->bytes[3] |= 5;
	if (strcmp(label, "forged") == 0)
		packet->bytes[0] ^= 0xff;
	if (strcmp(label, "garbage") == 0) {
		put_record(packet, type, "\1\2", 2);
		packet->bytes[packet->length - 3] = 200;
	}
	if (strcmp(label, "forged") == 0)
		put_addresses(packet, "both", type);
	else
		put_addresses(packet, label, type);
	return true;
}

static void *serve(void *context)
{
	(void)context;
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		struct packet packet;
		char label[64] = "";
		ssize_t got =
			recvfrom(server.fd, packet.bytes, 512, 0, (struct sockaddr *)&from, &size);

		if (got < 17)
			return NULL; /* the farewell */
		packet.length = (size_t)got;
		packet.bytes[11] = 0; /* without EDNS; then the question is the end */
		packet.length = 12 + strlen((char *)packet.bytes + 12) + 5;
		memcpy(label, packet.bytes + 13, packet.bytes[12] & 63);
		if (answer(&packet, label))
			sendto(server.fd, packet.bytes, packet.length, 0, (struct sockaddr *)&from,
				size);
	}
}

static void start_server(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(own);

	server.fd = socket(AF_INET, SOCK_DGRAM, 0);
	bind(server.fd, (struct sockaddr *)&own, sizeof(own));
	getsockname(server.fd, (struct sockaddr *)&own, &size);
	snprintf(server.address, sizeof(server.address), "127.0.0.1:%d", ntohs(own.sin_port));
	pthread_create(&server.thread, NULL, serve, NULL);
}

static void stop_server(void)
{
	struct sockaddr_in own;
	socklen_t size = sizeof(own);

	getsockname(server.fd, (struct sockaddr *)&own, &size);
	sendto(server.fd, "", 1, 0, (struct sockaddr *)&own, size);
	pthread_join(server.thread, NULL);
	close(server.fd);
}

/* --- tests ----------------------------------------------------------------------------- */

static struct {
	struct address list[16];
	size_t count;
	struct failure why;
	double seconds;
} found;

static void look_up(const char *host, enum ip_choice ip, int64_t within)
{
	struct dns *dns;
	int64_t began = clock_now();

	found.count = 0;
	found.why = (struct failure){0};
	dns = dns_create(server.address, &found.why);
	if (dns != NULL)
		dns_addresses(dns, host, 25, ip, deadline_in(within), found.list, 16, &found.count,
			&found.why);
	dns_destroy(&dns);
	found.seconds = clock_seconds(clock_now() - began);
}

static void fails(const char *host, const char *type)
{
	char name[128];

	look_up(host, IP_ANY, NS_PER_SECOND);
	snprintf(name, sizeof(name), "%s: %s", host, type);
	is_string(error_info(found.why.type)->name, type, name);
	ok(found.count == 0 && strstr(found.why.text, host) != NULL, "%s: said of the name", host);
}

static void test_addresses(void)
{
	look_up("both.test", IP_ANY, NS_PER_SECOND);
	is_integer((long long)found.count, 2, "both families");
	is_string(found.list[0].text, "[2001:db8::25]:25", "IPv6 first");
	is_string(found.list[1].text, "192.0.2.25:25", "then IPv4");
	look_up("both.test", IP_4, NS_PER_SECOND);
	ok(found.count == 1 && found.list[0].socket.any.sa_family == AF_INET, "IPv4 alone");
	look_up("both.test", IP_6, NS_PER_SECOND);
	ok(found.count == 1 && found.list[0].socket.any.sa_family == AF_INET6, "IPv6 alone");
	look_up("four.test", IP_ANY, NS_PER_SECOND);
	ok(found.count == 1 && found.why.type == ERROR_NONE,
		"a family without a record is no failure");
	look_up("six.test", IP_ANY, NS_PER_SECOND);
	ok(found.count == 1 && found.why.type == ERROR_NONE, "whichever it is");
	look_up("many.test", IP_ANY, NS_PER_SECOND);
	is_integer((long long)found.count, 16, "no more than there is room for");
}

static void test_failures(void)
{
	fails("nxdomain.test", "dns.nxdomain");
	fails("nodata.test", "dns.nodata");
	fails("servfail.test", "dns.servfail");
	fails("refused.test", "dns.refused");
	fails("garbage.test", "dns.malformed");
	look_up("four.test", IP_6, NS_PER_SECOND);
	is_string(error_info(found.why.type)->name, "dns.nodata", "only the wrong family: nodata");
	look_up("loop.test", IP_ANY, NS_PER_SECOND);
	ok(found.why.type != ERROR_NONE && found.seconds < 0.9, "an alias of itself ends");
}

static void test_time(void)
{
	fails("silent.test", "dns.timeout");
	ok(found.seconds > 0.9 && found.seconds < 1.2, "the deadline holds (%.2f s)",
		found.seconds);
	fails("forged.test", "dns.timeout");
	look_up("both.test", IP_ANY, 0);
	is_string(error_info(found.why.type)->name, "dns.timeout", "a deadline that has passed");
}

static void test_nobody(void)
{
	struct failure why = {0};
	struct dns *dns = dns_create("127.0.0.1:1", &why);

	dns_addresses(dns, "both.test", 25, IP_ANY, deadline_in(NS_PER_SECOND), found.list, 16,
		&found.count, &why);
	is_string(error_info(why.type)->name, "dns.unreachable", "no name server there");
	is_integer(why.blame, BLAME_VANTAGE, "is our own trouble");
	dns_destroy(&dns);
	why = (struct failure){0};
	dns = dns_create("what?", &why);
	ok(dns == NULL && why.type == ERROR_LOCAL_RESOURCE, "nonsense is no name server");
}

/* The same server twice: to us they are two. */
static void test_second_server(void)
{
	struct failure why = {0};
	char servers[80];
	struct dns *dns;

	snprintf(servers, sizeof(servers), "%s,%s", server.address, server.address);
	dns = dns_create(servers, &why);
	server.tired = 1;
	dns_addresses(dns, "relief.test", 25, IP_4, deadline_in(NS_PER_SECOND), found.list, 16,
		&found.count, &why);
	ok(why.type == ERROR_NONE && found.count == 1,
		"what one server cannot answer, another may");
	server.tired = 100;
	dns_addresses(dns, "relief.test", 25, IP_4, deadline_in(NS_PER_SECOND), found.list, 16,
		&found.count, &why);
	is_string(error_info(why.type)->name, "dns.servfail", "but each is asked only once");
	is_integer(server.tired, 98, "that is, two questions for two servers");
	dns_destroy(&dns);
}

static void test_literals(void)
{
	struct address address;

	ok(address_literal("192.0.2.1", 25, &address), "an IPv4 address");
	is_string(address.text, "192.0.2.1:25", "with its port");
	ok(address_literal("::1", 143, &address), "an IPv6 address");
	is_string(address.text, "[::1]:143", "in brackets");
	ok(address_literal("::1", 0, &address), "and without a port");
	is_string(address.text, "::1", "none is shown");
	ok(!address_literal("192.0.2", 25, &address), "half an address is a name");
	ok(!address_literal("mx.acme.test", 25, &address), "a name is a name");
}

int main(void)
{
	start_server();
	test_addresses();
	test_failures();
	test_time();
	test_nobody();
	test_second_server();
	test_literals();
	stop_server();
	return done_testing();
}
