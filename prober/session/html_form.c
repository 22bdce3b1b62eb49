/* Forms: which one is the login's, and what a browser would send with it. */
#include "html_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

#include "ban.h"

/* No login page has so many; what comes behind them is left out. */
#define CONTROLS_MAX 256

#define TYPE "lower(@type)"

/* --- what a browser would send ---------------------------------------------------------- */

static void add(struct html_form *form, const char *name, const char *value)
{
	struct html_control *controls =
		reallocarray(form->controls, form->count + 1, sizeof(*controls));

	if (controls == NULL)
		return;
	form->controls = controls;
	controls[form->count].name = strdup(name);
	controls[form->count].value = strdup(value);
	if (controls[form->count].name != NULL && controls[form->count].value != NULL)
		form->count++;
}

static bool is(const char *text, const char *const words[])
{
	for (size_t i = 0; text != NULL && words[i] != NULL; i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool has(xmlNodePtr node, const char *attribute)
{
	return xmlHasProp(node, xml_text(attribute)) != NULL;
}

/* The chosen option, or the first. */
static void add_select(
	const struct html *html, struct html_form *form, xmlNodePtr node, const char *name)
{
	xmlXPathObjectPtr found = html_evaluate(html, node,
		"(.//option[@selected][last()] | .//option[not(../option[@selected])][1])[last()]",
		NULL);

	if (found != NULL && !xmlXPathNodeSetIsEmpty(found->nodesetval)) {
		xmlNodePtr option = found->nodesetval->nodeTab[0];
		char *value = html_attribute(option, "value");
		xmlChar *text = value == NULL ? xmlNodeGetContent(option) : NULL;

		add(form, name, value != NULL ? value : text != NULL ? (const char *)text : "");
		xmlFree(text);
		free(value);
	}
	xmlXPathFreeObject(found);
}

/* The first button that sends the form is the one that Enter would press. */
static void add_input(struct html_form *form, xmlNodePtr node, const char *name, bool *pressed)
{
	static const char *const silent[] = {"reset", "button", "file", NULL};
	static const char *const choices[] = {"checkbox", "radio", NULL};
	static const char *const senders[] = {"submit", "image", NULL};
	bool is_button = strcasecmp((const char *)node->name, "button") == 0;
	char *type = html_attribute(node, "type"), *value = html_attribute(node, "value");
	bool sends = is(type, senders) || (is_button && type == NULL);
	bool wanted = !is(type, silent) && (!is(type, choices) || has(node, "checked")) &&
		(!sends || !*pressed);

	if (wanted)
		add(form, name, value != NULL ? value : is(type, choices) ? "on" : "");
	*pressed |= sends;
	free(type);
	free(value);
}

static void add_control(
	const struct html *html, struct html_form *form, xmlNodePtr node, bool *pressed)
{
	const char *element = (const char *)node->name;
	char *name = html_attribute(node, "name");

	if (name != NULL && name[0] != '\0' && !has(node, "disabled")) {
		if (strcasecmp(element, "select") == 0) {
			add_select(html, form, node, name);
		} else if (strcasecmp(element, "textarea") == 0) {
			xmlChar *text = xmlNodeGetContent(node);

			add(form, name, text != NULL ? (const char *)text : "");
			xmlFree(text);
		} else if (strcasecmp(element, "input") == 0 ||
			strcasecmp(element, "button") == 0) {
			add_input(form, node, name, pressed);
		}
	}
	free(name);
}

/* --- finding ---------------------------------------------------------------------------- */

static char *name_of(const struct html *html, xmlNodePtr node, const char *xpath, const char *id)
{
	xmlXPathObjectPtr found = html_evaluate(html, node, xpath, id);
	char *name = NULL;

	if (found != NULL && !xmlXPathNodeSetIsEmpty(found->nodesetval))
		name = html_attribute(found->nodesetval->nodeTab[0], "name");
	xmlXPathFreeObject(found);
	return name;
}

#define MINE "(.//input | //input[@form = $name])"
#define TEXTLIKE "[not(@type) or " TYPE " = 'text' or " TYPE " = 'email']"
#define HINTED "[any(@autocomplete, 'username') or any(@name, 'user|login|mail')]"

/* What says that it is a user's name; else the text field nearest before the password. */
static void find_names(
	const struct html *html, struct html_form *form, xmlNodePtr node, const char *id)
{
	static const char *const places[] = {"(" MINE TEXTLIKE HINTED ")[1]",
		"(" MINE "[" TYPE " = 'password']/preceding::input" TEXTLIKE ")[last()]",
		"(" MINE TEXTLIKE ")[1]", NULL};

	form->password_name = name_of(html, node, "(" MINE "[" TYPE " = 'password'])[1]", id);
	for (size_t i = 0; places[i] != NULL && form->user_name == NULL; i++)
		form->user_name = name_of(html, node, places[i], id);
}

static void read_controls(
	const struct html *html, struct html_form *form, xmlNodePtr node, const char *id)
{
	xmlXPathObjectPtr found = html_evaluate(html, node,
		".//input | .//select | .//textarea | .//button | //*[@form = $name]", id);
	bool pressed = false;

	for (int i = 0; found != NULL && found->nodesetval != NULL &&
		i < found->nodesetval->nodeNr && form->count < CONTROLS_MAX;
		i++)
		add_control(html, form, found->nodesetval->nodeTab[i], &pressed);
	xmlXPathFreeObject(found);
}

static void read_form(const struct html *html, struct html_form *form, xmlNodePtr node)
{
	char *action = html_attribute(node, "action"), *method = html_attribute(node, "method");
	char *coding = html_attribute(node, "enctype"), *id = html_attribute(node, "id");
	/* No control is tied to a form without an id. */
	const char *tie = id != NULL && id[0] != '\0' ? id : "\x01";

	form->action = html_url(html, action != NULL ? action : "");
	form->is_post = method != NULL && strcasecmp(method, "post") == 0;
	form->is_multipart = coding != NULL && strcasecmp(coding, "multipart/form-data") == 0;
	read_controls(html, form, node, tie);
	find_names(html, form, node, tie);
	free(action);
	free(method);
	free(coding);
	free(id);
}

/* Without a form around it, a password field is a script's affair. */
int html_login_form(const struct html *html, struct html_form *form_r)
{
	static const char one[] = "count(.//input[" TYPE " = 'password'] | //input[" TYPE
				  " = 'password'][@form and @form = $name])";
	xmlXPathObjectPtr forms = html_evaluate(html, NULL, "//form", NULL);
	int result = -1;

	for (int i = 0; forms != NULL && forms->nodesetval != NULL &&
		i < forms->nodesetval->nodeNr && result == -1;
		i++) {
		xmlNodePtr node = forms->nodesetval->nodeTab[i];
		char *id = html_attribute(node, "id");
		xmlXPathObjectPtr count = html_evaluate(html, node, one, id != NULL ? id : "\x01");

		if (count != NULL && (int)xmlXPathCastToNumber(count) == 1) {
			*form_r = (struct html_form){0};
			read_form(html, form_r, node);
			result = 0;
		}
		xmlXPathFreeObject(count);
		free(id);
	}
	xmlXPathFreeObject(forms);
	return result;
}

/* --- filling in ------------------------------------------------------------------------- */

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void html_form_free(struct html_form *form)
{
	for (size_t i = 0; i < form->count; i++) {
		free(form->controls[i].name);
		wipe(form->controls[i].value);
	}
	free(form->controls);
	free(form->action);
	free(form->user_name);
	free(form->password_name);
	*form = (struct html_form){0};
}

void html_form_set(struct html_form *form, const char *name, const char *value)
{
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->controls[i].name, name) == 0) {
			char *copy = strdup(value);

			if (copy == NULL)
				return;
			wipe(form->controls[i].value);
			form->controls[i].value = copy;
			return;
		}
	add(form, name, value);
}

void html_form_encode(const struct html_form *form, struct text *body)
{
	for (size_t i = 0; i < form->count; i++)
		http_form_add(body, form->controls[i].name, form->controls[i].value);
}
