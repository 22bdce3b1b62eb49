/* checksum - CRC-32 as gzip and zlib have it: finds any one flipped bit and any short burst. */
#ifndef MAILPROBE_CHECKSUM_H
#define MAILPROBE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t checksum_crc32(const void *bytes, size_t length);

#endif
