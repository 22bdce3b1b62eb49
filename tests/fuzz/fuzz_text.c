/* Bytes of unknown origin, made fit to be shown. */
#include <string.h>

#include <jansson.h>

#include "fuzz.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text text, again;
	char small[24];
	json_t *string;

	text_init(&text, 8 * size + 16);
	text_printable(&text, (const char *)bytes, size);
	if (text.bytes != NULL) {
		for (size_t i = 0; i < text.length; i++)
			must((unsigned char)text.bytes[i] >= 0x20 && text.bytes[i] != 0x7f);
		string = json_stringn(text.bytes, text.length);
		must(string != NULL);
		json_decref(string);
		/* What is printable stays as it is. */
		text_init(&again, text.length + 1);
		text_printable(&again, text.bytes, text.length);
		must(text.length == 0 || strcmp(again.bytes, text.bytes) == 0);
		text_free(&again);
	}
	text_free(&text);
	text_printable_copy(small, sizeof(small), (const char *)bytes, size);
	must(strlen(small) < sizeof(small));
	string = json_string(small);
	must(string != NULL);
	json_decref(string);
	return 0;
}
