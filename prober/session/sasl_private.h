/* sasl_private - what the mechanisms share. */
#ifndef MAILPROBE_SASL_PRIVATE_H
#define MAILPROBE_SASL_PRIVATE_H

#include <openssl/evp.h>

#include "sasl.h"
#include "text.h"

/* Of a message before base64. */
#define SASL_MESSAGE_SIZE (SASL_LINE_SIZE / 4 * 3)

struct sasl;

struct sasl_mechanism {
	const char *name;
	bool client_first;
	bool takes_token;              /* not a password, unless the account names it */
	bool server_proves;            /* success counts only after the server has proved itself */
	int challenges_max;            /* an honest server sends no more */
	const EVP_MD *(*digest)(void); /* of SCRAM */
	/* Writes the first message of a mechanism that speaks first. */
	int (*start)(struct sasl *sasl, struct failure *why);
	/* Writes the answer to a challenge, which ends with a NUL that is not counted. */
	int (*answer)(struct sasl *sasl, const char *challenge, size_t length, struct failure *why);
};

struct sasl {
	const struct sasl_mechanism *mechanism;
	const struct sasl_identity *who;
	struct timings *timings; /* may be NULL */
	int challenges;
	bool proven;
	struct text message; /* what to say next */
	struct text bare;    /* SCRAM: client-first-message-bare */
	char nonce[64];
	unsigned char server_signature[EVP_MAX_MD_SIZE];
	char said[120]; /* what the server said of its refusal, printable */
};

/* A challenge that no honest server sends. Returns -1. */
int sasl_malformed(const struct sasl *sasl, const char *what, struct failure *why);

/* A name in which "," and "=" end nothing (RFC 5801, 4). */
void sasl_append_name(struct text *text, const char *name);

int scram_start(struct sasl *sasl, struct failure *why);
int scram_answer(struct sasl *sasl, const char *challenge, size_t length, struct failure *why);

void base64_append(struct text *text, const unsigned char *bytes, size_t length);
/* Strict: -1 if it is no base64 or too long. A NUL follows that is not counted. */
int base64_decode(const char *text, size_t length, unsigned char *to, size_t size);

#endif
