/* A scenario file: the first byte says whether it is YAML or JSON. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "scenario.h"

static char folder[] = "/tmp/mailprobe-fuzz-XXXXXX";
static char paths[2][64];

static void clean_up(void)
{
	unlink(paths[0]);
	unlink(paths[1]);
	rmdir(folder);
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd != -1 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct complaints complaints = {0};
	struct scenario *scenario;
	const char *path;

	if (size == 0)
		return 0;
	if (paths[0][0] == '\0') {
		must(mkdtemp(folder) != NULL);
		atexit(clean_up);
		snprintf(paths[0], sizeof(paths[0]), "%s/x.yaml", folder);
		snprintf(paths[1], sizeof(paths[1]), "%s/x.json", folder);
	}
	path = paths[bytes[0] == '{'];
	/* A brace begins JSON; of anything else the first byte is only the choice. */
	write_file(path, bytes + (bytes[0] != '{'), size - (bytes[0] != '{'));
	scenario = scenario_load(path, &complaints);
	must((scenario == NULL) == (complaints.errors > 0));
	for (size_t i = 0; i < complaints.count; i++)
		must(complaints.items[i].message[0] != '\0' && complaints.items[i].line >= 0);
	scenario_free(&scenario);
	complaints_free(&complaints);
	return 0;
}
