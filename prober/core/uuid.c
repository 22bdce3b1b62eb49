#include "uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "ban.h"

void random_bytes(void *bytes, size_t size)
{
	ssize_t got;

	/* Below 256 bytes getrandom is never short, but it may be interrupted while the kernel
	 * has none yet, soon after a boot (getrandom(2)). */
	do
		got = getrandom(bytes, size, 0);
	while (got == -1 && errno == EINTR);
	if (got != (ssize_t)size) {
		fputs("mailprobe: the kernel gives no random bytes\n", stderr);
		abort();
	}
}

void uuid_v7(int64_t wall_ns, char text[static UUID_SIZE])
{
	uint64_t ms = (uint64_t)(wall_ns / 1000000);
	unsigned char b[16];

	random_bytes(b, sizeof(b));
	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)(ms >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	snprintf(text, UUID_SIZE,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}
