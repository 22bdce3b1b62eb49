/* What a DAV server answers. */
#include "fuzz.h"
#include "multistatus.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct failure why = {0};
	struct multistatus *multistatus = multistatus_parse((const char *)bytes, size, &why);

	if (multistatus == NULL) {
		must(why.type != ERROR_NONE);
		return 0;
	}
	for (size_t i = 0; i < multistatus_count(multistatus) && i < 100; i++) {
		must(multistatus_href(multistatus, i) != NULL);
		free(multistatus_text(multistatus, i, "d:current-user-principal/d:href"));
		free(multistatus_text(multistatus, i, "c:calendar-data"));
		multistatus_has(multistatus, i, "d:resourcetype/c:calendar");
	}
	multistatus_free(&multistatus);
	return 0;
}
