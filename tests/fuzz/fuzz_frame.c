/* What a worker sends to the supervisor, which must believe nothing. */
#include <string.h>

#include "frame.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct frame_reader reader = {
		.bytes = malloc(size > 0 ? size : 1), .end = size, .capacity = size};
	struct failure why = {0};
	enum frame_type type;
	json_t *frame;
	int result;

	must(reader.bytes != NULL);
	memcpy(reader.bytes, bytes, size);
	while ((result = frame_next(&reader, &frame, &type, &why)) == 1) {
		must(json_is_object(frame) && type < FRAME_COUNT);
		json_decref(frame);
	}
	must((result == -1) == (why.type == ERROR_WORKER_PROTOCOL));
	frame_reader_free(&reader);
	/* The same bytes without a header. */
	why = (struct failure){0};
	frame = frame_parse((const char *)bytes, size, &type, &why);
	must((frame == NULL) == (why.type == ERROR_WORKER_PROTOCOL));
	json_decref(frame);
	return 0;
}
