/* uuid - identifiers that sort by time (RFC 9562 UUIDv7) and random bytes. */
#ifndef MAILPROBE_UUID_H
#define MAILPROBE_UUID_H

#include <stddef.h>
#include <stdint.h>

#define UUID_SIZE 37

void uuid_v7(int64_t wall_ns, char text[static UUID_SIZE]);

/* From getrandom(2); ends the process if the kernel has none to give, since everything that is
 * built on them (tokens, identifiers) would be worthless. */
void random_bytes(void *bytes, size_t size);

#endif
