#include "encode.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/evp.h>

#include "ban.h"

#define LINE_BYTES 57 /* 76 characters of base64 */
#define WORD_BYTES 39 /* 52 characters, and at most 75 with what is around them */
#define PLAIN_MAX 60

static void add_line(struct text *text, const unsigned char *bytes, size_t length)
{
	unsigned char line[80];

	EVP_EncodeBlock(line, bytes, (int)length);
	text_puts(text, (const char *)line);
}

void encode_base64(struct text *text, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t part = length < LINE_BYTES ? length : LINE_BYTES;

		add_line(text, (const unsigned char *)bytes, part);
		text_puts(text, "\r\n");
		bytes += part;
		length -= part;
	}
}

/* The key stream of a cipher whose key is the id. */
void encode_filling(struct text *text, const char *id, size_t length)
{
	static const unsigned char nothing[LINE_BYTES];
	unsigned char key[EVP_MAX_MD_SIZE], counter[16] = {0}, bytes[LINE_BYTES];
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

	if (cipher == NULL || EVP_Digest(id, strlen(id), key, NULL, EVP_sha256(), NULL) != 1 ||
		EVP_EncryptInit_ex(cipher, EVP_aes_256_ctr(), NULL, key, counter) != 1) {
		text->overflowed = true;
		length = 0;
	}
	while (length > 0) {
		size_t part = length < LINE_BYTES ? length : LINE_BYTES;
		int done = 0;

		EVP_EncryptUpdate(cipher, bytes, &done, nothing, (int)part);
		add_line(text, bytes, part);
		text_puts(text, "\r\n");
		length -= part;
	}
	EVP_CIPHER_CTX_free(cipher);
}

static bool is_plain(const char *value)
{
	for (size_t i = 0; value[i] != '\0'; i++)
		if (i >= PLAIN_MAX || value[i] < ' ' || value[i] == 0x7f)
			return false;
	return strstr(value, "=?") == NULL;
}

void encode_words(struct text *text, const char *value)
{
	bool first = true;

	if (is_plain(value)) {
		text_puts(text, value);
		return;
	}
	while (*value != '\0') {
		size_t part = strnlen(value, WORD_BYTES);

		while (part > 1 && ((unsigned char)value[part] & 0xc0) == 0x80)
			part--;
		text_puts(text, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		add_line(text, (const unsigned char *)value, part);
		text_puts(text, "?=");
		value += part;
		first = false;
	}
}
