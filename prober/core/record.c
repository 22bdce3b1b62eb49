#include "record.h"

#include <stddef.h>

#include "error_type.h"

#include "ban.h"

const char *const mail_states[] = {"sending", "accepted", "refused", "deferred", "unknown",
	"delivered", "late", "lost", "found_after_lost", "bounced", "junked", "altered", NULL};
const char *const mail_counts[] = {"late", "lost", "bounced", "duplicates", NULL};
const char *const event_states[] = {"open", "update", "ack", "resolved", NULL};
const char *const severities[] = {"critical", "error", "warning", "info", NULL};

static const char *const sandbox_states[] = {"full", "partial", "none", NULL};
static const char *const schema_result[] = {RESULT_SCHEMA, NULL};
static const char *const schema_event[] = {EVENT_SCHEMA, NULL};
static const char *const schema_trend[] = {TREND_SCHEMA, NULL};

#define R FIELD_REQUIRED
#define M FIELD_METRIC

static const struct field phase_fields[] = {
	{"name", &field_name, R, "which part of the step"},
	{"start_seconds", &field_seconds, R, "from the start of the run"},
	{"duration_seconds", &field_seconds, R, "how long it took"},
	{"round_trips", &field_integer, 0, "how often an answer had to come over the network"},
	{"server_seconds", &field_seconds, 0, "of the time waited for answers, what the network did not take"},
	{0},
};

static const struct field line_fields[] = {
	{"at_seconds", &field_seconds, R, "from the start of the run"},
	{"from", &field_text, R, "client, server or prober (a remark of ours)"},
	{"text", &field_text, R, "the line, redacted and made printable"},
	{0},
};

static const struct field attempt_fields[] = {
	{"address", &field_text, R, "IP address and port"},
	{"error_type", &field_choice, R, "why it did not work", .choices = error_names},
	{0},
};

const struct field record_step[] = {
	{"id", &field_name, R, "the step's id in the scenario"},
	{"type", &field_name, R, "its step type"},
	{"account", &field_name, 0, "the account it acted for"},
	{"outcome", &field_choice, R, "pass, warn, fail, error or skipped",
		.choices = outcome_names},
	{"error_type", &field_choice, 0, "absent on pass", .choices = error_names},
	{"error_phase", &field_name, 0, "the phase it failed in"},
	{"error", &field_text, 0, "one sentence: what failed, where, and what was said"},
	{"blame", &field_choice, 0, "who has to act", .choices = blame_names},
	{"reason", &field_text, 0, "why it was skipped"},
	{"proof", &field_text, 0, "what the server said or what was found that proves a pass"},
	{"started_at", &field_timestamp, 0, "absent if it never began"},
	{"start_seconds", &field_seconds, 0, "from the start of the run"},
	{"duration_seconds", &field_seconds, M, "the sum of its phases"},
	{"cpu_seconds", &field_seconds, 0, "processor time that the prober itself used for it"},
	{"timings_unfit", &field_choice, 0, "why its timings say nothing of the platform; trends "
		"leave them out",
		.choices = error_names},
	{"phases", &field_list, R, "in order; not reached is absent", .item = &field_object,
		.fields = phase_fields},
	{"server", &field_text, 0, "host and port as the scenario names it"},
	{"peer_address", &field_text, 0, "the IP address and port that answered"},
	{"tls_version", &field_text, 0, "such as TLSv1.3; absent on plain connections"},
	{"tls_cipher", &field_text, 0, "cipher suite"},
	{"tls_expires_at", &field_timestamp, 0, "the earliest end in the server's chain"},
	{"auth_mechanism", &field_text, 0,
		"how it logged in: the SASL mechanism, such as SCRAM-SHA-256, or LOGIN command"},
	{"auth_wait_seconds", &field_seconds, 0,
		"what the login took of the prober's own time, in no phase: hashing for SCRAM, "
		"getting an access token"},
	{"connect_attempts", &field_list, 0, "addresses that did not answer before one did",
		.item = &field_object, .fields = attempt_fields},
	{"network_rtt_seconds", &field_seconds, M, "smoothed round trip time by TCP_INFO"},
	{"network_rtt_min_seconds", &field_seconds, M,
		"the shortest round trip by TCP_INFO, with nothing of the server in it"},
	{"retransmits", &field_integer, M, "TCP segments sent again"},
	{"slow", &field_text, 0, "which of its times is over a limit, or far over the usual: it "
				 "passed, and has a transcript"},
	{"transcript", &field_list, 0, "evidence of a step that did not pass, or was slow",
		.item = &field_object, .fields = line_fields},
	{0},
};

static const char *const hop_events[] = {"received", "stored", NULL};

const struct field record_hop[] = {
	{"event", &field_choice, R, "received: a server's field Received; stored: the INTERNALDATE of the mailstore",
		.choices = hop_events},
	{"by", &field_text, 0, "what the server calls itself"},
	{"component", &field_name, 0, "its name in the scenario's `components`"},
	{"from", &field_text, 0, "whom it got the mail from, as it says"},
	{"with", &field_text, 0, "protocol, such as ESMTPS or LMTP"},
	{"id", &field_text, 0, "its own id of the mail, for its logs"},
	{"stamped_at", &field_timestamp, 0, "by its own clock, whatever that shows; absent if it cannot be read"},
	{"delay_seconds", &field_seconds, 0,
		"from here to the next hop, or from the last one into the mailbox: with clocks as near to ours as "
		"they can be; absent if it cannot be known"},
	{"delay_seconds_min", &field_seconds, R, "it was certainly as long, whatever the clocks"},
	{"delay_seconds_max", &field_seconds, R, "it was certainly no longer"},
	{"unknown", &field_text, 0, "why there is no delay_seconds"},
	{"clock_offset_seconds_min", &field_seconds, 0, "its clock is ahead of ours by at least that"},
	{"clock_offset_seconds_max", &field_seconds, 0, "and by no more; less than 0: it is behind"},
	{"clock_wrong", &field_bool, 0, "true: no course of events would fit to a clock that is right"},
	{0},
};

const struct field record_mail[] = {
	{"mail", &field_name, R, "the mail's id, as in its token"},
	{"step", &field_name, R, "the step that sent it"},
	{"await", &field_name, 0, "the step that settled it"},
	{"run_id", &field_name, 0, "the run that sent it; only where another run tells of it"},
	{"message_id", &field_text, R, "its Message-ID, without angle brackets"},
	{"from", &field_text, R, "envelope sender"},
	{"to", &field_text, R, "envelope recipient"},
	{"attempt", &field_integer, 0,
		"where its step is in `attempts`: the attempt that sent it"},
	{"leg", &field_text, 0, "direction of mail flow"},
	{"state", &field_choice, R, "what became of it up to the end of this run",
		.choices = mail_states},
	{"offered_at", &field_timestamp, 0, "sending of MAIL; no server had it before"},
	{"sending_at", &field_timestamp, 0, "when the ledger had it, before the final dot"},
	{"first_try_at", &field_timestamp, 0, "when a deferred mail was first offered"},
	{"accepted_at", &field_timestamp, 0, "receipt of the final 250: zero of the delivery clock"},
	{"deferred_seconds", &field_seconds, M,
		"from the first try to the acceptance of a deferred mail: the receiver's policy, "
		"and no part of its delivery"},
	{"reply", &field_text, 0, "the server's last word on it"},
	{"delivery_seconds", &field_seconds, M, "the middle of the two bounds"},
	{"delivery_seconds_min", &field_seconds, 0, "when the last look without it was sent"},
	{"delivery_seconds_max", &field_seconds, 0, "when the first look with it was answered"},
	{"last_look_at", &field_timestamp, 0, "when it was last looked for and was not there"},
	{"first_look_at", &field_timestamp, 0,
		"if an earlier run's: when it was first looked for and was there"},
	{"internal_date", &field_timestamp, 0,
		"the server's date of its arrival, by the server's clock"},
	{"folder", &field_text, 0, "the mailbox it was found in"},
	{"hops", &field_list, 0, "the servers that it went through, in order", .item = &field_object,
		.fields = record_hop},
	{"uid_validity", &field_integer, 0, "of that mailbox"},
	{"uid", &field_integer, 0, "of its last copy there that was counted"},
	{"duplicates", &field_integer, M, "copies beyond the first"},
	{"deleted", &field_bool, 0, "we removed it again"},
	{"kept", &field_bool, 0, "left in the mailbox as evidence"},
	{"bounce_status", &field_text, 0, "of a bounce: its code (RFC 3463), such as 5.1.1"},
	{"bounce_host", &field_text, 0, "of a bounce: the host that refused the mail"},
	{"bounce_text", &field_text, 0, "of a bounce: what that host said"},
	{"content_hash", &field_name, 0, "SHA-256 of its content, as its token has it"},
	{"unwatched", &field_bool, 0,
		"in the ledger: over the horizon, and no step looks for it; what became of it is not known"},
	{0},
};

const struct field record_vantage[] = {
	{"clock_synchronised", &field_bool, R, "the kernel says that something keeps the clock true"},
	{"clock_error_seconds_max", &field_seconds, R, "what it may be off by, as the kernel says"},
	{"clock_jump_seconds", &field_seconds, R,
		"how far the clock was set or slewed during the run, backwards if negative"},
	{"suspended_seconds", &field_seconds, R, "how long the machine was suspended during the run"},
	{"scheduler_delay_seconds_max", &field_seconds, 0,
		"how late the prober got the processor at worst, looking every 0.1 s"},
	{0},
};

static const char *const certainties[] = {"certain", "likely", NULL};

static const struct field proof_fields[] = {
	{"metric", &field_name, R, "what was compared with what is usual"},
	{"leg", &field_text, 0, "of a mail: direction of its flow"},
	{"value_seconds", &field_seconds, R, "in this run"},
	{"usual_seconds", &field_seconds, R, "median of the runs before it, or the limit on it"},
	{"slow", &field_bool, R, "false: as usual, and so proof that its parts are not to blame"},
	{0},
};

static const struct field attribution_fields[] = {
	{"component", &field_text, R,
		"a name of the scenario's `components`, a host, or: submission exchanger smtp mailstore imap-login dns network ..."},
	{"where", &field_text, R, "the phase, or between which hops"},
	{"because", &field_text, R, "one sentence"},
	{"sure", &field_choice, R, "likely: another is possible, or it rests on clocks of others",
		.choices = certainties},
	{"proof", &field_list, R, "what was slow, and what was not", .item = &field_object,
		.fields = proof_fields},
	{0},
};

static const struct field run_attempt_fields[] = {
	{"attempt", &field_integer, R, "counted from 1"},
	{"steps", &field_list, R, "as those of the run", .item = &field_object},
	{0},
};

const struct field record_run[] = {
	{"schema", &field_choice, R, "the format of this record", .choices = schema_result},
	{"run_id", &field_name, R, "UUIDv7"},
	{"customer", &field_name, R, "owner of the platform"},
	{"scenario", &field_name, R, "the user journey"},
	{"vantage", &field_name, R, "where the run was made from"},
	{"started_at", &field_timestamp, R, "start of the run, UTC"},
	{"ended_at", &field_timestamp, R, "end of the run, UTC"},
	{"duration_seconds", &field_seconds, R | M, "how long the run took"},
	{"outcome", &field_choice, R, "that of its gravest step: fail, error, warn, pass, skipped",
		.choices = outcome_names},
	{"error_type", &field_choice, 0, "of the first step that decided the outcome",
		.choices = error_names},
	{"error", &field_text, 0, "its sentence"},
	{"blame", &field_choice, 0, "who has to act", .choices = blame_names},
	{"maintenance", &field_text, 0, "what was worked on meanwhile: the run says nothing of the "
		"platform"},
	{"sandbox", &field_choice, 0, "how far the worker was confined; absent if there was none",
		.choices = sandbox_states},
	{"sandbox_missing", &field_list, 0, "what this kernel did not give", .item = &field_text},
	{"worker_fault", &field_text, 0, "how the worker ended, if not by itself"},
	{"worker_max_rss_bytes", &field_integer, 0, "the most memory the worker had resident"},
	{"worker_cpu_seconds", &field_seconds, 0, "processor time of the worker"},
	{"vantage_state", &field_object, 0, "how well this machine let us measure; absent if the "
		"worker gave no result",
		.fields = record_vantage},
	{"steps", &field_list, R, "in the scenario's order", .item = &field_object},
	{"mails", &field_list, R, "probe mails sent by this run", .item = &field_object,
		.fields = record_mail},
	{"attempts", &field_list, 0,
		"what was tried more than once: the steps that were replaced by those of another "
		"attempt, or that could not replace them",
		.item = &field_object, .fields = run_attempt_fields},
	{"retried", &field_integer, M, "how many steps were tried again"},
	{"not_retried", &field_text, 0, "why what failed was not tried again"},
	{"attribution", &field_object, 0, "the one part that explains all that was slower than usual",
		.fields = attribution_fields},
	{"settled", &field_list, 0, "mails of earlier runs whose fate this run found out",
		.item = &field_object, .fields = record_mail},
	{"line_crc32", &field_text, 0, "CRC-32 (hexadecimal) of the line up to the comma before "
				       "this key, which is the last; only where it is stored"},
	{0},
};

static const struct field evidence_fields[] = {
	{"run_id", &field_name, R, "a run that the decision rests on"},
	{"started_at", &field_timestamp, R, "when it was"},
	{"value", &field_number, 0, "its value of the metric"},
	{"outcome", &field_choice, 0, "its outcome", .choices = outcome_names},
	{0},
};

static const struct field acknowledged_fields[] = {
	{"by", &field_text, R, "who"},
	{"at", &field_timestamp, R, "when"},
	{"note", &field_text, 0, "what they had to say"},
	{0},
};

static const struct field note_fields[] = {
	{"by", &field_text, R, "who"},
	{"at", &field_timestamp, R, "when"},
	{"text", &field_text, R, "what they had to say"},
	{0},
};

static const char *const healing_skips[] = {
	"cooldown", "cap", "maintenance", "vantage", NULL};

static const struct field healing_fields[] = {
	{"sink", &field_name, R, "whose command"},
	{"revision", &field_integer, R, "the revision of the event that it was given"},
	{"started", &field_timestamp, R, "when it was started, or was not"},
	{"duration", &field_number, 0, "seconds until it ended"},
	{"exit", &field_integer, 0, "its exit status"},
	{"signal", &field_integer, 0, "the signal that it died of"},
	{"timed_out", &field_bool, 0, "it did not end in its time, and was killed"},
	{"interrupted", &field_bool, 0,
		"mailprobe ended while it ran: how it would have ended is not known"},
	{"skipped", &field_choice, 0, "it was not run: cooldown, cap, maintenance or vantage",
		.choices = healing_skips},
	{0},
};

static const struct field because_fields[] = {
	{"scenario", &field_name, R, "whose limit it is"},
	{"dedup_key", &field_text, R, "customer/scenario/limit"},
	{"event_id", &field_name, R, "its open event"},
	{"severity", &field_choice, R, "its severity", .choices = severities},
	{"since", &field_timestamp, R, "when it opened"},
	{"summary", &field_text, R, "its sentence"},
	{0},
};

const struct field record_event[] = {
	{"schema", &field_choice, R, "the format of this record", .choices = schema_event},
	{"event_id", &field_name, R, "evt_ and a UUIDv7: one per incident"},
	{"dedup_key", &field_text, R, "customer/scenario/rule"},
	{"revision", &field_integer, R, "1 when it opens, then counted up"},
	{"state", &field_choice, R, "open, update, ack or resolved", .choices = event_states},
	{"severity", &field_choice, R, "critical, error, warning or info",
		.choices = severities},
	{"test", &field_bool, 0, "mailprobe sink test made it: nothing is wrong"},
	{"at", &field_timestamp, R, "when this revision was written"},
	{"since", &field_timestamp, R, "when the event opened"},
	{"customer", &field_name, R, "owner of the platform"},
	{"scenario", &field_name, R, "the user journey"},
	{"summary", &field_text, R, "one plain sentence"},
	{"values", &field_object, R, "what was measured"},
	{"limit", &field_object, R, "the limit as the scenario has it"},
	{"because", &field_list, 0, "of a rule: the events that prove it", .item = &field_object,
		.fields = because_fields},
	{"vantages", &field_list, R, "where it was seen from", .item = &field_name},
	{"evidence", &field_list, R, "the newest runs it rests on", .item = &field_object,
		.fields = evidence_fields},
	{"flapping", &field_bool, 0, "true: it comes and goes so often that it is told as one"},
	{"runbook_url", &field_text, 0, "what to do"},
	{"resolved_at", &field_timestamp, 0, "when it was over, if a note came later"},
	{"acknowledged", &field_object, 0, "that somebody takes care of it",
		.fields = acknowledged_fields},
	{"notes", &field_list, 0, "what people had to say of it", .item = &field_object,
		.fields = note_fields},
	{"healing", &field_list, 0, "what commands did about it, the newest 20",
		.item = &field_object, .fields = healing_fields},
	{"line_crc32", &field_text, 0, "CRC-32 (hexadecimal) of the line up to the comma before "
				       "this key, which is the last; only where it is stored"},
	{0},
};

static const struct field window_fields[] = {
	{"n", &field_integer, R, "values in the window"},
	{"censored", &field_integer, 0, "mails that never came, counted as at least their deadline"},
	{"min", &field_number, 0, "smallest value"},
	{"p50", &field_number, 0, "median; absent if n is too small"},
	{"p95", &field_number, 0, "95th percentile; absent if n is too small"},
	{"p99", &field_number, 0, "99th percentile; absent if n is too small"},
	{"max", &field_number, 0, "largest value"},
	{"p50_low", &field_number, 0, "the true median lies above it ..."},
	{"p50_high", &field_number, 0, "... and below it, with 95 % confidence"},
	{"p95_low", &field_number, 0, "the same of p95"},
	{"p95_high", &field_number, 0, "the same of p95"},
	{"p99_low", &field_number, 0, "the same of p99"},
	{"p99_high", &field_number, 0, "the same of p99"},
	{"relative_error", &field_number, 0,
		"how far percentiles may be off, as a share of them, being read off roll-ups; min "
		"and max are exact; absent: so are all"},
	{"too_small_for", &field_list, 0, "percentiles and bounds that n is too small for",
		.item = &field_name},
	{"at_least", &field_list, 0, "which of these are lower bounds, because of censored values",
		.item = &field_name},
	{0},
};

static const struct field count_fields[] = {
	{"n", &field_integer, R, "runs that could be judged"},
	{"failed", &field_integer, R, "runs that failed the user"},
	{"failure_rate", &field_number, 0, "failed / n; absent if n is 0"},
	{"errors", &field_integer, R, "runs that could not be judged, left out of n"},
	{"skipped", &field_integer, R, "runs that were skipped, left out of n"},
	{"maintenance", &field_integer, 0, "runs made in maintenance, left out of all other counts"},
	{"error_types", &field_map, 0,
		"by error type: share of the failed runs and errors that it decided; absent "
		"if there are none",
		.item = &field_number},
	{0},
};

static const struct field baseline_fields[] = {
	{"n", &field_integer, R, "values at this hour of the week before"},
	{"weeks", &field_integer, R, "in so many weeks"},
	{"median", &field_number, R, "their median"},
	{"mad", &field_number, R, "the median of their distances from it"},
	{0},
};

static const struct field slope_fields[] = {
	{"days", &field_integer, R, "days with values"},
	{"per_week", &field_number, R, "growth of the daily median in a week"},
	{"per_week_low", &field_number, R, "the true growth lies above it ..."},
	{"per_week_high", &field_number, R, "... and below it, with 95 % confidence"},
	{"p", &field_number, R, "how likely chance alone goes up or down so steadily"},
	{"significant", &field_bool, R, "whether p is below 0.05, and it goes on: a step alone is no growth"},
	{0},
};

static const struct field step_change_fields[] = {
	{"at", &field_timestamp, R, "beginning of the first hour after it"},
	{"before", &field_number, R, "median of the hours before"},
	{"after", &field_number, R, "median of the hours since"},
	{"p", &field_number, R, "how likely chance alone makes such a step"},
	{0},
};

static const struct field reaches_fields[] = {
	{"limit", &field_text, R, "name of the limit; quota: the server's own"},
	{"level", &field_text, R, "warn or crit"},
	{"threshold", &field_number, R, "what will be reached"},
	{"at", &field_timestamp, R, "when, if it goes on like this"},
	{"earliest", &field_timestamp, R, "the 80 % interval begins"},
	{"latest", &field_timestamp, 0, "and ends; absent if it may never be reached"},
	{0},
};

static const struct field metric_fields[] = {
	{"last", &field_number, 0, "the newest value of 24 hours; absent if it is only a lower bound"},
	{"last_at", &field_timestamp, 0, "start of the run that it is from"},
	{"windows", &field_map, R, "by length: 1h 24h 7d 30d", .item = &field_object,
		.fields = window_fields},
	{"baseline", &field_object, 0, "what is usual at this hour of the week",
		.fields = baseline_fields},
	{"slope", &field_object, 0, "growth over 30 days; absent below 14 days",
		.fields = slope_fields},
	{"step_change", &field_object, 0, "a change within 7 days that has stayed; absent if none",
		.fields = step_change_fields},
	{"reaches", &field_list, 0, "limits that will be crossed within a year",
		.item = &field_object, .fields = reaches_fields},
	{0},
};

const struct field record_trend[] = {
	{"schema", &field_choice, R, "the format of this file", .choices = schema_trend},
	{"customer", &field_name, R, "owner of the platform"},
	{"scenario", &field_name, R, "the user journey"},
	{"vantage", &field_name, R, "where the runs were made from"},
	{"updated_at", &field_timestamp, R, "end of the newest run in it"},
	{"runs", &field_map, R, "by length: 1h 24h 7d 30d", .item = &field_object,
		.fields = count_fields},
	{"metrics", &field_map, R, "by metric name", .item = &field_object,
		.fields = metric_fields},
	{0},
};
