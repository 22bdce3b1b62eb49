/* replay - runs the inputs of a corpus through a fuzz target, without a fuzzer: a TAP test.
 *
 *	replay_<name> FOLDER...
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

static int count;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	size_t size;

	if (file == NULL)
		return;
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	/* Of just that size, so that a look behind its end is seen. */
	bytes = malloc(size > 0 ? size : 1);
	if (bytes != NULL && fread(bytes, 1, size, file) == size) {
		LLVMFuzzerTestOneInput(bytes, size);
		printf("ok %d - %s\n", ++count, strrchr(path, '/') + 1);
		fflush(stdout);
	}
	free(bytes);
	fclose(file);
}

static void replay_folder(const char *folder)
{
	struct dirent **entries;
	int found = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < found; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			replay_file(path);
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	/* Inputs that no corpus needs to name. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	LLVMFuzzerTestOneInput((const uint8_t *)"\0", 1);
	printf("ok %d - nothing, and a NUL\n", ++count);
	for (int i = 1; i < argc; i++)
		replay_folder(argv[i]);
	printf("1..%d\n", count);
	return count > 1 ? 0 : 1;
}
