/* floor - the least that a round trip can cost: the same mail, sent and found by as few words as
 * the protocols allow, in plain blocking C, with nothing measured, proved or written down.
 *
 *	floor handshake N     bare TLS handshakes with the mailstore
 *	floor trip N          mails by STARTTLS and AUTH PLAIN, found by IMAPS, deleted
 *
 * Prints processor and wall time for each, in milliseconds. The platform is told by the keys of
 * its platform.json, in the environment. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#define LOOK_PAUSE_NS 5000000

struct line {
	int fd;
	SSL *ssl;
	char buffer[16384];
	size_t used, taken;
};

static SSL_CTX *context;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static const char *key(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		die(name);
	return value;
}

static void open_line(struct line *line, const char *ip, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int yes = 1;

	memset(line, 0, sizeof(*line));
	to.sin_port = htons((uint16_t)strtol(port, NULL, 10));
	inet_pton(AF_INET, ip, &to.sin_addr);
	line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(line->fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		die("cannot connect");
}

static void secure(struct line *line, const char *host)
{
	line->ssl = SSL_new(context);
	SSL_set_fd(line->ssl, line->fd);
	SSL_set_tlsext_host_name(line->ssl, host);
	SSL_set1_host(line->ssl, host);
	if (SSL_connect(line->ssl) != 1)
		die("no TLS");
}

static void close_line(struct line *line)
{
	if (line->ssl != NULL)
		SSL_shutdown(line->ssl);
	SSL_free(line->ssl);
	close(line->fd);
}

static void fill(struct line *line)
{
	int yes = 1, got;
	char *to = line->buffer + line->used;
	size_t room = sizeof(line->buffer) - line->used - 1;

	setsockopt(line->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof(yes));
	got = line->ssl != NULL ? SSL_read(line->ssl, to, (int)room)
				: (int)recv(line->fd, to, room, 0);
	if (got <= 0)
		die("the server hung up");
	line->used += (size_t)got;
	line->buffer[line->used] = '\0';
}

/* The next line, ended by a NUL; valid until the next call. */
static char *hear(struct line *line)
{
	char *start, *end;

	memmove(line->buffer, line->buffer + line->taken, line->used - line->taken + 1);
	line->used -= line->taken;
	line->taken = 0;
	start = line->buffer;
	while ((end = strchr(start, '\n')) == NULL)
		fill(line);
	*end = '\0';
	line->taken = (size_t)(end + 1 - start);
	return start;
}

static void say(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct line *line, const char *format, ...)
{
	char text[4096];
	va_list args;
	int length, put;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put = line->ssl != NULL ? SSL_write(line->ssl, text, length)
				: (int)send(line->fd, text, (size_t)length, MSG_NOSIGNAL);
	if (put != length)
		die("cannot send");
}

static void expect(struct line *line, char class)
{
	const char *reply;

	do
		reply = hear(line);
	while (strlen(reply) > 3 && reply[3] == '-');
	if (reply[0] != class)
		die(reply);
}

/* Reads up to so many tagged answers (Dovecot may swap those of two commands that came at once);
 * true if a SEARCH found something. */
static bool answered(struct line *line, int answers)
{
	bool found = false;

	while (answers > 0) {
		const char *said = hear(line);

		if (strncmp(said, "* SEARCH ", 9) == 0 && said[9] >= '1' && said[9] <= '9')
			found = true;
		if (said[0] == '*')
			continue;
		if (strncmp(said + 1, " OK", 3) != 0)
			die(said);
		answers--;
	}
	return found;
}

static void read_password(const char *path, char *password, size_t size)
{
	FILE *file = fopen(path, "r");

	if (file == NULL || fgets(password, (int)size, file) == NULL)
		die(path);
	password[strcspn(password, "\n")] = '\0';
	fclose(file);
}

static void send_mail(const char *id)
{
	const char *from = key("INSIDE_ADDRESS"), *to = key("OUTSIDE_ADDRESS");
	char password[256], plain[600], code[900];
	struct line line;
	int length;

	read_password(key("INSIDE_PASSWORD_FILE"), password, sizeof(password));
	length = snprintf(plain, sizeof(plain), "%c%s%c%s", 0, from, 0, password);
	EVP_EncodeBlock((unsigned char *)code, (unsigned char *)plain, length);
	open_line(&line, key("INSIDE_HOST_IP"), key("INSIDE_SUBMISSION_PORT"));
	expect(&line, '2');
	say(&line, "EHLO floor.test\r\n");
	expect(&line, '2');
	say(&line, "STARTTLS\r\n");
	expect(&line, '2');
	secure(&line, key("INSIDE_SMTP_HOST"));
	say(&line, "EHLO floor.test\r\n");
	expect(&line, '2');
	say(&line, "AUTH PLAIN %s\r\n", code);
	expect(&line, '2');
	say(&line, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", from, to);
	expect(&line, '2');
	expect(&line, '2');
	expect(&line, '3');
	say(&line,
		"From: <%s>\r\nTo: <%s>\r\nSubject: floor\r\nMessage-ID: "
		"<%s>\r\n\r\nfloor\r\n.\r\n",
		from, to, id);
	expect(&line, '2');
	say(&line, "QUIT\r\n");
	close_line(&line);
}

static void find_mail(const char *id)
{
	static const struct timespec pause = {.tv_nsec = LOOK_PAUSE_NS};
	char password[256];
	struct line line;

	read_password(key("OUTSIDE_PASSWORD_FILE"), password, sizeof(password));
	open_line(&line, key("OUTSIDE_HOST_IP"), key("OUTSIDE_IMAPS_PORT"));
	secure(&line, key("OUTSIDE_IMAP_HOST"));
	hear(&line);
	say(&line, "a LOGIN %s %s\r\n", key("OUTSIDE_ADDRESS"), password);
	answered(&line, 1);
	say(&line, "b SELECT INBOX\r\n");
	answered(&line, 1);
	for (;;) {
		say(&line, "c NOOP\r\nd SEARCH HEADER Message-ID %s\r\n", id);
		if (answered(&line, 2))
			break;
		nanosleep(&pause, NULL);
	}
	say(&line, "e STORE 1:* +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE\r\n");
	answered(&line, 2);
	say(&line, "g LOGOUT\r\n");
	answered(&line, 1);
	close_line(&line);
}

static void trip(long number)
{
	char id[128];

	snprintf(id, sizeof(id), "floor.%ld.%ld.%ld@acme.test", (long)time(NULL), (long)getpid(),
		number);
	send_mail(id);
	find_mail(id);
}

static void handshake(long number)
{
	struct line line;

	(void)number;
	open_line(&line, key("OUTSIDE_HOST_IP"), key("OUTSIDE_IMAPS_PORT"));
	secure(&line, key("OUTSIDE_IMAP_HOST"));
	close_line(&line);
}

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return 1000.0 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000.0;
}

static double wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return 1000.0 * (double)now.tv_sec + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	void (*work)(long) = argc == 3 && strcmp(argv[1], "trip") == 0 ? trip : handshake;
	long times = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	double cpu, wall;

	if (times < 1)
		die("usage: floor handshake|trip N");
	context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(context, key("CA_FILE")) != 1)
		die("no CA file");
	/* The first one pays for what OpenSSL makes once. */
	if (times > 1)
		work(0);
	cpu = cpu_ms();
	wall = wall_ms();
	for (long i = 1; i <= times; i++)
		work(i);
	printf("%.3f %.3f\n", (cpu_ms() - cpu) / (double)times, (wall_ms() - wall) / (double)times);
	return 0;
}
