/* tcp - connecting, and what the kernel knows about a connection. */
#ifndef MAILPROBE_TCP_H
#define MAILPROBE_TCP_H

#include "clock.h"
#include "dns.h"
#include "failure.h"

/* Connects a non-blocking socket with TCP_NODELAY. Returns the descriptor, or -1 with a tcp.*
 * type, or local.resource if this machine has no descriptor or port left. */
int tcp_connect(const struct address *address, struct deadline deadline, struct failure *why);

/* Asks the kernel to acknowledge at once what is read next. It forgets that soon, so this is
 * called before every read: otherwise our own delayed ACK (40 ms) lands in the server's time. */
void tcp_quickack(int fd);

/* Smoothed round trip time in seconds and segments sent again, from TCP_INFO (tcp(7)); false
 * if the kernel does not say. */
bool tcp_facts(int fd, double *rtt_seconds_r, unsigned int *retransmits_r);

/* The shortest round trip of the connection in nanoseconds, which has nothing in it of what a server
 * thinks before its kernel acknowledges; -1 if it is not known. */
int64_t tcp_least_rtt(int fd);

/* Waits until the other end has acknowledged all that was sent: 0, or the errno of why it will not
 * any more; ETIMEDOUT if the time is over. */
int tcp_wait_acknowledged(int fd, struct deadline deadline);

#endif
