/* The markers are taken from the templates of the projects themselves. Roundcube's are tried on a
 * real server by the tests, the others' on pages made like theirs (tests/e2e/webmail). */
#include "webmail_flavour.h"

#include <stddef.h>

#include "webmail.h"

#include "ban.h"

/* Skins differ, the script's environment does not: task "mail" is set on no login page. */
static const struct webmail_flavour roundcube = {
	.name = "roundcube",
	.detect = "//form[.//input[@name = '_task'] and .//input[@name = '_user'] and "
		  ".//input[@name = '_pass']]",
	.token = "_token",
	.shown = "//script[contains(., 'rcmail') and contains(., '\"task\":\"mail\"')] and "
		 "(//*[@id = 'messagelist' or @id = 'mailboxlist'])",
	.owner = "//*[contains(concat(' ', @class, ' '), ' username ')]",
	.logout = "//a[contains(@href, '_task=logout')]/@href",
	.folder = roundcube_folder,
};

static const struct webmail_flavour sogo = {
	.name = "sogo",
	.detect = "//body[@*[name() = 'ng-app'] = 'SOGo.MainUI'] or "
		  "//form[@*[name() = 'ng-submit'] = 'app.login()'] or "
		  "//meta[@content = 'SOGo Web Interface']",
	.shown = "//body[@*[name() = 'ng-app'] = 'SOGo.MailerUI'] or "
		 "//script[contains(., 'var mailAccounts')]",
	.owner = "substring-before(substring-after(//script[contains(., 'UserLogin')], "
		 "\"UserLogin = '\"), \"'\")",
	.logout = "//a[contains(@href, 'logoff')]/@href",
	.login = sogo_login,
	.mailbox = sogo_mailbox,
	.folder = sogo_folder,
};

/* The page is the same before and after: what is shown is in the answer to the login. */
static const struct webmail_flavour snappymail = {
	.name = "snappymail",
	.detect = "//body[@id = 'rl-app']",
	.login = snappymail_login,
	.folder = snappymail_folder,
	.leave = snappymail_leave,
};

static const struct webmail_flavour rainloop = {
	.name = "rainloop",
	.detect = "//div[@id = 'rl-app']",
	.login = rainloop_login,
	.leave = rainloop_leave,
};

static const struct webmail_extra horde_extras[] = {{"login_post", "1"}, {0}};

static const struct webmail_flavour horde = {
	.name = "horde",
	.detect = "//form[.//input[@name = 'horde_user'] and .//input[@name = 'horde_pass']]",
	.extras = horde_extras,
	.shown = "//*[@id = 'impbase' or @id = 'horde-page' or @id = 'horde-head'] and "
		 "(//a[contains(@href, 'logout')] or //*[@id = 'horde-logout'] or "
		 "//script[contains(., 'HordeCore') or contains(., 'ImpBase')])",
	.logout = "//a[contains(@href, 'logout')]/@href",
};

static const struct webmail_flavour zimbra = {
	.name = "zimbra",
	.detect = "//form[.//input[@name = 'loginOp' and @value = 'login']]",
	.shown = "//script[contains(., 'batchInfoResponse') or contains(., 'launchZCS') or "
		 "contains(., 'ZmZimbraMail')] or //*[contains(@class, 'ZhAppContent')] or "
		 "//a[contains(@href, 'loginOp=logout')]",
	.logout = "//a[contains(@href, 'loginOp=logout')]/@href",
};

static const struct webmail_extra owa_extras[] = {{"isUtf8", "1"}, {0}};

static const struct webmail_flavour owa = {
	.name = "owa",
	.detect = "//form[any(@action, 'auth.owa') or .//input[@name = 'forcedownlevel']]",
	.extras = owa_extras,
	.shown = "//script[any(., 'PageDataPayload|sessiondata.ashx|g_fOwa')] or "
		 "//link[any(@href, '/owa/prem/')] or //a[any(@href, 'logoff.owa')]",
	.logout = "//a[any(@href, 'logoff')]/@href",
};

#define LOGOUT                                                                                     \
	"'logout|log out|logoff|log off|signout|sign out|sign-out|abmelden|déconnexion|cerrar "   \
	"sesi'"

/* `$name` is the user's address: beside a word for the inbox it will do, too. */
static const struct webmail_flavour generic = {
	.name = "generic",
	.shown_is_vague = true,
	.detect = "false()",
	.shown =
		"//a[any(@href, " LOGOUT ") or any(., " LOGOUT ")] or "
		"//form[any(@action, " LOGOUT ")] or "
		"//button[any(., " LOGOUT ") or any(@id, " LOGOUT ") or any(@name, " LOGOUT ")] or "
		"(any(//body, $name) and //a[any(., 'inbox') or any(@href, 'inbox')])",
	.logout = "//a[not(starts-with(@href, 'javascript:')) and @href != '#' and "
		  "(any(@href, " LOGOUT ") or any(., " LOGOUT "))]/@href",
};

const struct webmail_flavour *const webmail_flavours[] = {
	&roundcube, &sogo, &snappymail, &rainloop, &horde, &zimbra, &owa, &generic, NULL};

const char *const webmail_flavour_names[] = {
	"roundcube", "sogo", "snappymail", "rainloop", "horde", "zimbra", "owa", "generic", NULL};
