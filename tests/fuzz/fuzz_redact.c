/* Text that may hold a secret, in any encoding: it comes out without, and as valid JSON. */
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "fuzz.h"
#include "redact.h"

#define SECRET "Tr0ub4dor&3=\"x\\y"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool learnt;
	char *text = malloc(size + 1), *out;
	json_t *tree;

	must(text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (!learnt)
		redact_learn(SECRET);
	learnt = true;
	out = redact_string(text);
	must(out != NULL && strcasestr(out, SECRET) == NULL);
	free(out);
	tree = json_pack("[{s:s%}, {s:s%}, s%]", "text", text, size / 2, "text", text + size / 2,
		size - size / 2, text, size);
	if (tree != NULL)
		redact_json(tree);
	json_decref(tree);
	free(text);
	return 0;
}
