#include "checksum.h"

#include "ban.h"

#define POLYNOMIAL 0xedb88320U

uint32_t checksum_crc32(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint32_t crc = 0xffffffffU;

	for (; length > 0; length--) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (POLYNOMIAL & (0U - (crc & 1)));
	}
	return ~crc;
}
