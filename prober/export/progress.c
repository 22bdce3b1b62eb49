#include "progress.h"

#include "clock.h"

#include "ban.h"

void progress_init(struct progress *progress, FILE *to, bool live, size_t total)
{
	*progress = (struct progress){.to = to, .live = live, .total = total};
}

void progress_started(struct progress *progress)
{
	progress->running++;
}

void progress_finished(struct progress *progress)
{
	progress->running--;
	progress->done++;
}

void progress_step(struct progress *progress, const char *scenario, const char *step,
	const char *phase, const char *note)
{
	progress->since_ns = clock_now();
	snprintf(progress->text, sizeof(progress->text), "%s: %s: %s%s%s", scenario, step, phase,
		note != NULL ? " for " : "", note != NULL ? note : "");
}

void progress_tick(struct progress *progress)
{
	if (!progress->live || progress->running == 0 || progress->text[0] == '\0')
		return;
	fputs("\r\033[K", progress->to);
	if (progress->total > 1)
		fprintf(progress->to, "[%zu of %zu] ", progress->done, progress->total);
	fprintf(progress->to, "%.110s  %.1f s", progress->text,
		clock_seconds(clock_now() - progress->since_ns));
	fflush(progress->to);
	progress->shown = true;
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", progress->to);
	fflush(progress->to);
	progress->shown = false;
}
