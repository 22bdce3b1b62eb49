/* dav_private - what the files of dav share. */
#ifndef MAILPROBE_DAV_PRIVATE_H
#define MAILPROBE_DAV_PRIVATE_H

#include "dav.h"
#include "multistatus.h"
#include "probe_http.h"

#define DAV_COLLECTIONS_MAX 32
#define DAV_QUERY_SIZE 2048

struct dav {
	struct probe *probe;
	const struct dav_kind *kind;
	struct http *http;
	char host[256];
	const char *hosts[2];
	char *home;
	char *collections[DAV_COLLECTIONS_MAX]; /* URLs */
	size_t collection_count;
	size_t objects;
	char *leftovers[DAV_COLLECTIONS_MAX];
	size_t leftover_count;
};

/* One request with the account's credentials; `depth` is a header line or NULL. */
int dav_exchange(struct dav *dav, const char *method, const char *url, const char *depth,
	const char *body, struct http_reply *reply, struct failure *why);

/* Fails with auth.rejected for 401, else as http_expect_success. */
int dav_check_status(const struct http_reply *reply, const char *method, struct failure *why);

/* PROPFIND or REPORT: a multistatus, the caller's to free, or NULL. *url_r (may be NULL) is where
 * it came from; the caller frees it. */
struct multistatus *dav_ask(struct dav *dav, const char *method, const char *url, const char *depth,
	const char *body, char **url_r, struct failure *why);

/* What an href of the server's means, at the same origin only: another one would get the
 * password. The caller frees it; NULL with http.policy. */
char *dav_follow(const char *base, const char *href, struct failure *why);

/* The REPORT that asks for the objects. */
void dav_write_query(const struct dav *dav, char *query, size_t size);

/* An object that a killed run has left, by its name. */
bool dav_is_leftover(const struct dav *dav, const char *href);

/* Writes, reads, sees and deletes an object of our own. */
int dav_write_object(struct dav *dav, struct failure *why);

/* Deletes what take_objects has found of killed runs. */
int dav_remove_leftovers(struct dav *dav, struct failure *why);

#endif
