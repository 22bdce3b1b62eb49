#include "transcript.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "text.h"

#include "ban.h"

void transcript_add(struct transcript *transcript, enum transcript_side side, const char *bytes,
	size_t length)
{
	size_t index = transcript->count++;
	struct transcript_line *line =
		index < TRANSCRIPT_HEAD
			? &transcript->head[index]
			: &transcript->tail[(index - TRANSCRIPT_HEAD) % TRANSCRIPT_TAIL];

	line->at_ns = clock_now();
	line->side = side;
	text_printable_copy(line->text, sizeof(line->text), bytes, length);
}

void transcript_remark(struct transcript *transcript, const char *format, ...)
{
	char text[TRANSCRIPT_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	transcript_add(transcript, SAID_BY_PROBER, text, strlen(text));
}

static json_t *line_json(double at_seconds, enum transcript_side side, const char *text)
{
	static const char *const names[] = {"client", "server", "prober"};

	return json_pack("{s:f, s:s, s:s}", "at_seconds", at_seconds, "from", names[side], "text",
		text[0] != '\0' ? text : " ");
}

json_t *transcript_json(const struct transcript *transcript, int64_t origin_ns)
{
	json_t *array = json_array();
	size_t head = transcript->count < TRANSCRIPT_HEAD ? transcript->count : TRANSCRIPT_HEAD;
	size_t tail = transcript->count - head;
	size_t kept = tail < TRANSCRIPT_TAIL ? tail : TRANSCRIPT_TAIL;

	for (size_t i = 0; i < head; i++) {
		const struct transcript_line *line = &transcript->head[i];

		json_array_append_new(array,
			line_json(clock_seconds(line->at_ns - origin_ns), line->side, line->text));
	}
	for (size_t i = tail - kept; i < tail; i++) {
		const struct transcript_line *line = &transcript->tail[i % TRANSCRIPT_TAIL];
		double at = clock_seconds(line->at_ns - origin_ns);

		if (i == tail - kept && kept < tail) {
			char text[64];

			snprintf(text, sizeof(text), "(%zu lines left out)", tail - kept);
			json_array_append_new(array, line_json(at, SAID_BY_PROBER, text));
		}
		json_array_append_new(array, line_json(at, line->side, line->text));
	}
	return array;
}
