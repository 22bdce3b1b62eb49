/* handshake - bare TLS handshakes with a web server: connect, then SSL_connect, and nothing else.
 *
 *	handshake IP PORT HOST CA_FILE N
 *
 * The certificate store is loaded once, before the first; the certificate is verified, as the
 * prober does. Prints the time of each SSL_connect in milliseconds, one a line. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

static void die(const char *what)
{
	fprintf(stderr, "handshake: %s\n", what);
	exit(1);
}

static double wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return 1000.0 * (double)now.tv_sec + (double)now.tv_nsec / 1e6;
}

static int connect_to(const char *ip, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)strtol(port, NULL, 10));
	inet_pton(AF_INET, ip, &to.sin_addr);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		die("cannot connect");
	return fd;
}

static double shake(SSL_CTX *context, int fd, const char *host)
{
	SSL *ssl = SSL_new(context);
	double began, took;

	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, host);
	SSL_set1_host(ssl, host);
	began = wall_ms();
	if (SSL_connect(ssl) != 1)
		die("no TLS");
	took = wall_ms() - began;
	SSL_free(ssl);
	return took;
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (argc != 6)
		die("usage: handshake IP PORT HOST CA_FILE N");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(context, argv[4]) != 1)
		die("no CA file");
	for (long left = strtol(argv[5], NULL, 10); left > 0; left--) {
		int fd = connect_to(argv[1], argv[2]);

		printf("%.3f\n", shake(context, fd, argv[3]));
		close(fd);
	}
	SSL_CTX_free(context);
	return 0;
}
