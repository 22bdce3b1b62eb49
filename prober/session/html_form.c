/* Forms: which one is the login's, and what a browser would send with it. The page is walked, not
 * asked by XPath: a hostile one may have a million of anything. */
#include "html_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

#include "ban.h"

/* No login page has so many; what comes behind them is left out. */
#define FORMS_MAX 64
#define CONTROLS_MAX 256

/* --- walking ---------------------------------------------------------------------------- */

static bool is_element(xmlNodePtr node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcasecmp((const char *)node->name, name) == 0;
}

/* The next node of the page in its order, below `top`; NULL at the end. */
static xmlNodePtr next_node(xmlNodePtr node, xmlNodePtr top)
{
	if (node->children != NULL && node->type == XML_ELEMENT_NODE)
		return node->children;
	while (node != NULL && node != top && node->next == NULL)
		node = node->parent;
	return node == NULL || node == top ? NULL : node->next;
}

static bool has(xmlNodePtr node, const char *attribute)
{
	return xmlHasProp(node, xml_text(attribute)) != NULL;
}

static bool attribute_is(xmlNodePtr node, const char *attribute, const char *const words[])
{
	char *value = html_attribute(node, attribute);
	bool is = false;

	for (size_t i = 0; value != NULL && words[i] != NULL; i++)
		is |= strcasecmp(value, words[i]) == 0;
	free(value);
	return is;
}

static bool is_password(xmlNodePtr node)
{
	static const char *const types[] = {"password", NULL};

	return is_element(node, "input") && attribute_is(node, "type", types);
}

/* --- forms ------------------------------------------------------------------------------ */

struct forms {
	struct {
		xmlNodePtr node;
		char *id;
		unsigned int passwords;
	} list[FORMS_MAX];
	size_t count;
};

/* A control belongs to the form around it, unless it names another one by its id. */
static size_t owner_of(const struct forms *forms, xmlNodePtr control)
{
	char *id = html_attribute(control, "form");
	size_t i = 0;

	if (id != NULL) {
		while (i < forms->count &&
			(forms->list[i].id == NULL || strcmp(forms->list[i].id, id) != 0))
			i++;
		free(id);
		return i;
	}
	while (control != NULL && !is_element(control, "form"))
		control = control->parent;
	while (i < forms->count && forms->list[i].node != control)
		i++;
	return i;
}

static void find_forms(xmlNodePtr root, struct forms *forms)
{
	for (xmlNodePtr node = root; node != NULL; node = next_node(node, root))
		if (is_element(node, "form") && forms->count < FORMS_MAX) {
			forms->list[forms->count].node = node;
			forms->list[forms->count++].id = html_attribute(node, "id");
		}
	for (xmlNodePtr node = root; node != NULL; node = next_node(node, root))
		if (is_password(node)) {
			size_t owner = owner_of(forms, node);

			if (owner < forms->count)
				forms->list[owner].passwords++;
		}
}

static void forms_free(struct forms *forms)
{
	for (size_t i = 0; i < forms->count; i++)
		free(forms->list[i].id);
}

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

static char *content_of(xmlNodePtr node)
{
	xmlChar *text = xmlNodeGetContent(node);
	char *copy = strdup(text != NULL ? (const char *)text : "");

	xmlFree(text);
	return copy;
}

/* The option that is chosen last, or the first. */
static void add_select(struct html_form *form, xmlNodePtr select, const char *name)
{
	xmlNodePtr chosen = NULL;
	bool marked = false;
	char *value;

	for (xmlNodePtr node = select; node != NULL; node = next_node(node, select))
		if (is_element(node, "option") && (chosen == NULL || has(node, "selected"))) {
			chosen = marked && !has(node, "selected") ? chosen : node;
			marked |= has(node, "selected");
		}
	if (chosen == NULL)
		return;
	value = html_attribute(chosen, "value");
	if (value == NULL)
		value = content_of(chosen);
	if (value != NULL)
		add(form, name, value);
	free(value);
}

/* The first button that sends the form is the one that Enter would press. */
static void add_input(struct html_form *form, xmlNodePtr node, const char *name, bool *pressed)
{
	static const char *const silent[] = {"reset", "button", "file", NULL};
	static const char *const choices[] = {"checkbox", "radio", NULL};
	static const char *const senders[] = {"submit", "image", NULL};
	bool is_choice = attribute_is(node, "type", choices);
	bool sends = attribute_is(node, "type", senders) ||
		(is_element(node, "button") && !has(node, "type"));
	char *value = html_attribute(node, "value");

	if (!attribute_is(node, "type", silent) && (!is_choice || has(node, "checked")) &&
		(!sends || !*pressed))
		add(form, name, value != NULL ? value : is_choice ? "on" : "");
	*pressed |= sends;
	free(value);
}

static void add_control(struct html_form *form, xmlNodePtr node, const char *name, bool *pressed)
{
	if (is_element(node, "select")) {
		add_select(form, node, name);
	} else if (is_element(node, "textarea")) {
		char *text = content_of(node);

		if (text != NULL)
			add(form, name, text);
		free(text);
	} else {
		add_input(form, node, name, pressed);
	}
}

static bool is_control(xmlNodePtr node)
{
	return is_element(node, "input") || is_element(node, "select") ||
		is_element(node, "textarea") || is_element(node, "button");
}

/* --- the user's name -------------------------------------------------------------------- */

/* What says of itself that it is a user's name; else the text field nearest before the password;
 * else the first one. */
struct guess {
	char *hinted, *before, *first;
	bool password_seen;
};

static bool says(xmlNodePtr node, const char *attribute, const char *const words[])
{
	char *value = html_attribute(node, attribute);
	bool found = false;

	for (size_t i = 0; value != NULL && words[i] != NULL; i++)
		found |= strcasestr(value, words[i]) != NULL;
	free(value);
	return found;
}

static void keep(char **to, const char *name)
{
	free(*to);
	*to = strdup(name);
}

static void guess_at(struct guess *guess, xmlNodePtr node, const char *name)
{
	static const char *const types[] = {"text", "email", NULL};
	static const char *const completions[] = {"username", NULL};
	static const char *const words[] = {"user", "login", "mail", NULL};

	if (!is_element(node, "input") || (has(node, "type") && !attribute_is(node, "type", types)))
		return;
	if (guess->hinted == NULL &&
		(says(node, "autocomplete", completions) || says(node, "name", words)))
		keep(&guess->hinted, name);
	if (!guess->password_seen)
		keep(&guess->before, name);
	if (guess->first == NULL)
		keep(&guess->first, name);
}

static char *take_guess(struct guess *guess)
{
	char **best = guess->hinted != NULL ? &guess->hinted
		: guess->before != NULL     ? &guess->before
					    : &guess->first;
	char *name = *best;

	*best = NULL;
	free(guess->hinted);
	free(guess->before);
	free(guess->first);
	return name;
}

/* --- the login form --------------------------------------------------------------------- */

static void read_controls(
	const struct forms *forms, size_t which, xmlNodePtr root, struct html_form *form)
{
	struct guess guess = {0};
	bool pressed = false;

	for (xmlNodePtr node = root; node != NULL && form->count < CONTROLS_MAX;
		node = next_node(node, root)) {
		char *name = is_control(node) ? html_attribute(node, "name") : NULL;

		if (name != NULL && name[0] != '\0' && !has(node, "disabled") &&
			owner_of(forms, node) == which) {
			add_control(form, node, name, &pressed);
			guess_at(&guess, node, name);
			if (is_password(node)) {
				keep(&form->password_name, name);
				guess.password_seen = true;
			}
		}
		free(name);
	}
	form->user_name = take_guess(&guess);
}

static void read_form(const struct html *html, xmlNodePtr node, struct html_form *form)
{
	static const char *const post[] = {"post", NULL};
	static const char *const multipart[] = {"multipart/form-data", NULL};
	char *action = html_attribute(node, "action");

	form->action = html_url(html, action != NULL ? action : "");
	form->is_post = attribute_is(node, "method", post);
	form->is_multipart = attribute_is(node, "enctype", multipart);
	free(action);
}

/* Without a form around it, a password field is a script's affair. */
int html_login_form(const struct html *html, struct html_form *form_r)
{
	xmlNodePtr root = html->document != NULL ? xmlDocGetRootElement(html->document) : NULL;
	struct forms forms = {.count = 0};
	size_t which = 0;

	find_forms(root, &forms);
	while (which < forms.count && forms.list[which].passwords != 1)
		which++;
	if (which < forms.count) {
		*form_r = (struct html_form){0};
		read_form(html, forms.list[which].node, form_r);
		read_controls(&forms, which, root, form_r);
	}
	forms_free(&forms);
	return which < forms.count ? 0 : -1;
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
