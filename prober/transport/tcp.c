#include "tcp.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ban.h"

static enum error_type type_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return ERROR_TCP_REFUSED;
	case ETIMEDOUT:
		return ERROR_TCP_TIMEOUT;
	case ECONNRESET:
	case EPIPE:
		return ERROR_TCP_RESET;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
		return ERROR_TCP_UNREACHABLE;
	default:
		return ERROR_LOCAL_RESOURCE;
	}
}

/* Our own kernel would not even try: no route, no port left, a filter of ours. */
static int refuse_here(const struct address *address, int error, struct failure *why)
{
	failure_set(why, type_of(error), "cannot connect to %s from here: %s", address->text,
		strerror(error));
	why->blame = BLAME_VANTAGE;
	return -1;
}

static int refuse(const struct address *address, int error, struct failure *why)
{
	return failure_set(
		why, type_of(error), "cannot connect to %s: %s", address->text, strerror(error));
}

static int wait_connected(int fd, struct deadline deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof(error);

	while (poll(&poll_fd, 1, deadline_left_ms(deadline)) < 1)
		if (deadline_passed(deadline))
			return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

int tcp_connect(const struct address *address, struct deadline deadline, struct failure *why)
{
	int yes = 1, error = 0;
	bool here = false;
	int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0);

	/* A machine without IPv6 cannot even make the socket. */
	if (fd == -1)
		return refuse_here(address, errno == EAFNOSUPPORT ? ENETUNREACH : errno, why);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(fd, &address->socket.any, address->length) == -1)
		error = errno;
	/* What the call itself says comes from here, but for a port on this very machine. */
	if (error == EINPROGRESS)
		error = wait_connected(fd, deadline);
	else
		here = error != ECONNREFUSED && error != ECONNRESET;
	if (error == 0)
		return fd;
	close(fd);
	return here ? refuse_here(address, error, why) : refuse(address, error, why);
}

void tcp_quickack(int fd)
{
	int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof(yes));
}

bool tcp_facts(int fd, double *rtt_seconds_r, unsigned int *retransmits_r)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1)
		return false;
	*rtt_seconds_r = (double)info.tcpi_rtt / 1e6;
	*retransmits_r = info.tcpi_total_retrans;
	return true;
}

int64_t tcp_least_rtt(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 ||
		size < offsetof(struct tcp_info, tcpi_min_rtt) + sizeof(info.tcpi_min_rtt) ||
		info.tcpi_min_rtt == UINT32_MAX)
		return -1;
	return (int64_t)info.tcpi_min_rtt * 1000;
}

int tcp_wait_acknowledged(int fd, struct deadline deadline)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info), error_size = sizeof(int);
	int error = 0;

	while (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
		/* Afterwards: a reset empties the queue, too. */
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == -1)
			break;
		if (error != 0 || info.tcpi_unacked == 0)
			return error;
		if (deadline_passed(deadline))
			return ETIMEDOUT;
		/* No event tells of an acknowledgement. */
		poll(NULL, 0, 1);
	}
	return errno;
}
