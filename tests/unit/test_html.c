/* Forms as a browser sends them, whatever the page; pages that are hostile; URLs. */
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "http.h"
#include "tap.h"

#include "ban.h"

#define URL "https://mail.test/app/login?x=1"

static struct html *parse(const char *page)
{
	struct failure why = {0};

	return html_parse(page, strlen(page), URL, deadline_in(10 * NS_PER_SECOND), &why);
}

/* "action user password | body", or "" without a form. */
static void login(const char *page, char *text, size_t size)
{
	struct html *html = parse(page);
	struct html_form form;
	struct text body, all;

	text_init(&body, 4096);
	text_init(&all, size - 1);
	if (html_login_form(html, &form) == 0) {
		html_form_encode(&form, &body);
		text_printf(&all, "%s %s %s | %s", form.action != NULL ? form.action : "-",
			form.user_name != NULL ? form.user_name : "-",
			form.password_name != NULL ? form.password_name : "-",
			body.bytes != NULL ? body.bytes : "");
		html_form_free(&form);
	}
	text_copy(text, size, all.bytes != NULL ? all.bytes : "");
	text_free(&all);
	text_free(&body);
	html_free(&html);
}

static const struct {
	const char *name, *page, *want;
} forms[] = {
	{"no form", "<input type=password name=p>", ""},
	{"no page at all", "", ""},
	{"the smallest", "<form><input name=u><input type=password name=p></form>",
		"https://mail.test/app/login?x=1 u p | u=&p="},
	{"action from the root", "<form action=/in><input name=u><input type=password name=p>",
		"https://mail.test/in u p | u=&p="},
	{"<base>",
		"<base href='https://other.test/b/'><form action=in><input name=u>"
		"<input type=password name=p></form>",
		"https://other.test/b/in u p | u=&p="},
	{"an action that is a script",
		"<form action='javascript:x()'><input name=u><input type=password name=p></form>",
		"- u p | u=&p="},
	{"the second of two forms",
		"<form action=search><input name=q></form><form action=in><input name=u>"
		"<input type=PASSWORD name=p></form>",
		"https://mail.test/app/in u p | u=&p="},
	{"never a form to change the password",
		"<form><input type=password name=a><input type=password name=b></form>", ""},
	{"what a browser leaves out",
		"<form action=i><input name=u><input type=password name=p><input type=checkbox "
		"name=c>"
		"<input type=radio name=r value=1><input type=radio name=r value=2 checked>"
		"<input name=d value=x disabled><input value=nameless><input type=file name=f>"
		"<input type=reset name=x><button type=button name=y>y</button></form>",
		"https://mail.test/app/i u p | u=&p=&r=2"},
	{"one button, the first",
		"<form action=i><input name=u><input type=password name=p>"
		"<input type=submit name=s value=1><button name=t value=2></button></form>",
		"https://mail.test/app/i u p | u=&p=&s=1"},
	{"select and textarea",
		"<form action=i><select name=a><option value=1>x<option>two</select>"
		"<select name=b><option value=1>x<option value=2 selected>y</select>"
		"<textarea name=t>a&amp;b</textarea><input name=u><input type=password "
		"name=p></form>",
		"https://mail.test/app/i u p | a=1&b=2&t=a%26b&u=&p="},
	{"controls elsewhere, tied by the form's id",
		"<form id=f action=i><input name=u></form><input type=password name=p form=f>"
		"<input name=h value=1 form=f>",
		"https://mail.test/app/i u p | u=&p=&h=1"},
	{"the user's name by its hint, not by its place",
		"<form action=i><input name=login_name><input name=code><input type=password "
		"name=p>"
		"</form>",
		"https://mail.test/app/i login_name p | login_name=&code=&p="},
	{"tag soup", "<table><form action=i><tr><td><input name=u><td><input type=password name=p>",
		"https://mail.test/app/i u p | u=&p="},
	{"Latin-1", "<form action=i><input name=u value='\xe9'><input type=password name=p></form>",
		"https://mail.test/app/i u p | u=%C3%A9&p="},
	{"UTF-8",
		"<form action=i><input name=u value='\xc3\xa9'><input type=password name=p></form>",
		"https://mail.test/app/i u p | u=%C3%A9&p="},
};

static void test_forms(void)
{
	char got[4096];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		login(forms[i].page, got, sizeof(got));
		if (!ok(strcmp(got, forms[i].want) == 0, "form: %s", forms[i].name))
			diag("got:  %s\nwant: %s", got, forms[i].want);
	}
}

static void repeat(struct text *page, const char *piece, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_puts(page, piece);
}

/* Depth is refused, breadth is borne: each in a moment. */
static void test_hostile(void)
{
	static const struct {
		const char *piece;
		enum error_type want;
	} cases[] = {{"<div>", ERROR_LIMIT_DEPTH}, {"<b><i>", ERROR_LIMIT_DEPTH},
		{"<table><tr><td>", ERROR_LIMIT_DEPTH}, {"<p>x", ERROR_NONE},
		{"<form>", ERROR_NONE}, {"<input type=password>", ERROR_NONE},
		{"&#x41;&lt;", ERROR_NONE}, {"<!--", ERROR_NONE}, {"<a b=\"", ERROR_NONE},
		{"</p>", ERROR_NONE}, {"\x80\xff", ERROR_NONE}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t began = clock_now();
		struct failure why = {0};
		struct html_form form;
		struct text page;
		struct html *html;

		text_init(&page, HTML_BYTES_MAX);
		repeat(&page, cases[i].piece, 100000);
		html = html_parse(
			page.bytes, page.length, URL, deadline_in(20 * NS_PER_SECOND), &why);
		ok(why.type == cases[i].want, "100000 times %.8s: %s", cases[i].piece,
			error_info(why.type)->name);
		if (html != NULL && html_login_form(html, &form) == 0)
			html_form_free(&form);
		ok(clock_now() - began < 15 * NS_PER_SECOND, "in %.3f s",
			clock_seconds(clock_now() - began));
		html_free(&html);
		text_free(&page);
	}
}

static void test_xpath(void)
{
	struct html *html = parse("<title> A \n  B </title><a href=/Logout>x</a><h1></h1>");
	char *text = html_text(html, "//title");

	ok(text != NULL && strcmp(text, "A B") == 0, "text is folded");
	free(text);
	ok(html_text(html, "//h2") == NULL, "nothing is found");
	ok(html_has(html, "//a[any(@href, 'signout|logout')]", NULL), "any()");
	ok(!html_has(html, "//a[any(@href, 'signout|off')]", NULL), "any() of none");
	ok(html_has(html, "lower('ABC') = 'abc'", NULL), "lower()");
	ok(html_has(html, "contains(//title, $name)", "B"), "a word from outside is no expression");
	ok(!html_has(html, "contains(//title, $name)", "'] or true()"), "nor can it become one");
	ok(!html_has(html, "//a[", NULL), "a broken expression is false");
	ok(!html_xpath_check("//a[") && html_xpath_check("//a[1]"), "and is found out before");
	ok(!html_has(html, "document('file:///etc/passwd')", NULL), "no expression reads a file");
	html_free(&html);
}

static void test_refresh(void)
{
	static const char *const pages[][2] = {
		{"<meta http-equiv=Refresh content='0; URL=/next'>", "https://mail.test/next"},
		{"<meta http-equiv=refresh content=\"1;url='in?a=b'\">",
			"https://mail.test/app/in?a=b"},
		{"<meta http-equiv=refresh content='300;url=/idle'>", NULL},
		{"<meta http-equiv=refresh content='0;url=file:///etc/passwd'>", NULL},
		{"<meta http-equiv=refresh content='0'>", NULL}};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct html *html = parse(pages[i][0]);
		char *url = html_refresh(html);
		const char *want = pages[i][1];

		ok(want == NULL ? url == NULL : url != NULL && strcmp(url, want) == 0,
			"refresh: %s", want != NULL ? want : "stays");
		free(url);
		html_free(&html);
	}
}

static void test_urls(void)
{
	static const struct {
		const char *reference, *want;
	} joins[] = {{"", URL}, {"x", "https://mail.test/app/x"}, {"/x#y", "https://mail.test/x"},
		{"?q", "https://mail.test/app/login?q"}, {"//h.test/", "https://h.test/"},
		{"../../../etc", "https://mail.test/etc"},
		{"http://h.test:81/", "http://h.test:81/"}, {"file:///etc/passwd", NULL},
		{"javascript:x", NULL}, {"ftp://h.test/", NULL}, {"https://h.test/\r\nX: y", NULL},
		{"gopher://h.test/", NULL}};
	static const char *const shown[][2] = {
		{"https://u:p@h.test:8443/a/b?token=x#f", "https://h.test:8443/a/b?..."},
		{"https://h.test/a;jsessionid=1", "https://h.test/a?..."}, {"no url", "(no URL)"}};
	char host[256];

	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		char *url = http_url_join(URL, joins[i].reference);

		if (!ok(joins[i].want == NULL ? url == NULL
					      : url != NULL && strcmp(url, joins[i].want) == 0,
			    "join %zu to %s", i, joins[i].want != NULL ? joins[i].want : "nothing"))
			diag("got: %s", url != NULL ? url : "NULL");
		free(url);
	}
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct text text;

		text_init(&text, 200);
		http_url_shown(shown[i][0], &text);
		ok(strcmp(text.bytes, shown[i][1]) == 0, "shown as %s", text.bytes);
		text_free(&text);
	}
	ok(http_same_origin("https://H.test/a", "https://h.test:443/b"), "one origin");
	ok(!http_same_origin("https://h.test/", "http://h.test/"), "another scheme");
	ok(!http_same_origin("https://h.test/", "https://h.test:444/"), "another port");
	ok(!http_same_origin("https://h.test/", "https://h.test.evil.test/"), "another host");
	http_url_host("https://[::1]:8443/", host, sizeof(host));
	ok(strcmp(host, "::1") == 0, "an IPv6 host without brackets");
	http_url_host("https://good.test@evil.test/", host, sizeof(host));
	ok(strcmp(host, "evil.test") == 0, "a user is no host");
}

int main(void)
{
	html_preload();
	http_preload();
	test_forms();
	test_hostile();
	test_xpath();
	test_refresh();
	test_urls();
	return done_testing();
}
