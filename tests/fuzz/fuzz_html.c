/* A page that a webmail sends, and the form that is found in it. */
#include <string.h>

#include "fuzz.h"
#include "html.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct failure why = {0};
	struct html_form form;
	struct text body;
	struct html *html = html_parse((const char *)bytes, size, "https://webmail.acme.test/login",
		deadline_in(10 * NS_PER_SECOND), &why);

	if (html == NULL) {
		must(why.type != ERROR_NONE);
		return 0;
	}
	free(html_refresh(html));
	free(html_text(html, "//title"));
	html_has(html, "//a[any(., $name)]", "log out");
	if (html_login_form(html, &form) == 0) {
		/* A field without a name is found, but cannot be sent. */
		html_form_set(
			&form, form.password_name != NULL ? form.password_name : "p", "secret");
		text_init(&body, 1 << 20);
		html_form_encode(&form, &body);
		must(body.overflowed ||
			(body.bytes != NULL && strstr(body.bytes, "secret") != NULL));
		text_free(&body);
		html_form_free(&form);
	}
	html_free(&html);
	return 0;
}
