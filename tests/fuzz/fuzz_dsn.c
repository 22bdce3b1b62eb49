/* A bounce that anybody may have written. */
#include <string.h>

#include "dsn.h"
#include "fuzz.h"

static void must_end(const char *field, size_t size)
{
	must(memchr(field, '\0', size) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct dsn dsn;

	dsn_read((const char *)bytes, size, &dsn);
	must(dsn.kind == DSN_NONE || dsn.token[0] != '\0');
	must_end(dsn.token, sizeof(dsn.token));
	must_end(dsn.status, sizeof(dsn.status));
	must_end(dsn.host, sizeof(dsn.host));
	must_end(dsn.text, sizeof(dsn.text));
	return 0;
}
