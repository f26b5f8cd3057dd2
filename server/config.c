/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/scoring/batch.h"

#define MIB             ((int64_t)1 << 20)
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define MAX_LINE_BYTES  190 /* of a configuration file */

enum type {
    TYPE_INT,
    TYPE_STRING,
    TYPE_PROFILE,
    TYPE_LOG_LEVEL
};

struct key {
    const char *name;
    enum type type;
    size_t offset;
    int64_t min, max, default_value;
    const char *help;
};

static const char *const profiles[] = {[XPL_PROFILE_DEFAULT] = "default", [XPL_PROFILE_OPENSCALE] = "openscale"};

#define INT(key_name, member, low, high, value, text)                                                                  \
    {                                                                                                                  \
        key_name, TYPE_INT, offsetof(struct xpl_settings, member), low, high, value, text                              \
    }
#define STRING(key_name, member, text)                                                                                 \
    {                                                                                                                  \
        key_name, TYPE_STRING, offsetof(struct xpl_settings, member), 0, 0, 0, text                                    \
    }

static const struct key keys[] = {
    INT("http.connections", http_connections, 1, 65536, 512, "client connections at the same time"),
    INT("http.connections_per_address", http_connections_per_address, 1, 65536, 64, "of them from one address"),
    INT("http.header_timeout_ms", http_header_timeout_ms, 100, 3600000, 10000, "for the head of a request to arrive"),
    INT("http.body_timeout_ms", http_body_timeout_ms, 100, 3600000, 30000, "for head and body to arrive"),
    INT("http.answer_timeout_ms", http_answer_timeout_ms, 100, 3600000, 120000, "for a client to take its answer"),
    INT("http.idle_timeout_ms", http_idle_timeout_ms, 100, 3600000, 60000, "for a client's next request to begin"),
    INT("http.waiting", http_waiting, 0, 65536, 256, "calls that wait for explanations (Prefer: wait)"),
    INT("http.streams", http_streams, 0, 65536, 256, "streams of events at the same time"),
    INT("http.stream_timeout_ms", http_stream_timeout_ms, 100, 86400000, 3600000,
        "after which a stream of events ends, for the client to come again"),
    INT("http.stream_heartbeat_ms", http_stream_heartbeat_ms, 1000, 3600000, 15000,
        "of silence on a stream of events, after which a comment is sent"),
    INT("http.exports", http_exports, 1, 65536, 16, "lists that are streamed (application/x-ndjson) at the same time"),
    INT("limits.payload_bytes", limits_payload_bytes, 1024, 64 * MIB, MIB, "scoring input of one logged image"),
    INT("limits.event_wait_ms", limits_event_wait_ms, 1000, 86400000, 600000,
        "for the other half of a transaction to come as an inference log"),
    INT("limits.records_body_bytes", limits_records_body_bytes, 1024, 256 * MIB, 16 * MIB, "body of POST records"),
    INT("limits.tasks_body_bytes", limits_tasks_body_bytes, 1024, 64 * MIB, 2 * MIB, "body of POST explanation_tasks"),
    INT("limits.body_bytes", limits_body_bytes, 1024, 64 * MIB, 65536, "any other body"),
    INT("limits.bodies_total", limits_bodies_total, MIB, 65536 * MIB, 256 * MIB, "all bodies in memory together"),
    INT("limits.cache_bytes", limits_cache_bytes, 0, 65536 * MIB, 8 * MIB,
        "finished explanations and settings of subscriptions kept in memory"),
    INT("limits.decode_ms", limits_decode_ms, 10, 60000, 5000, "for one logged PNG or JPEG to be decoded"),
    INT("limits.tasks_queued", limits_tasks_queued, 1, 1000000, 10000, "explanations that wait, in all"),
    INT("limits.tasks_queued_per_subscription", limits_tasks_queued_per_subscription, 1, 1000000, 1000,
        "of them of one subscription"),
    {"limits.profile", TYPE_PROFILE, offsetof(struct xpl_settings, limits_profile), 0, 0, XPL_PROFILE_DEFAULT,
     "default, or openscale: images of at most 125 x 125 pixels"},
    INT("explain.workers", explain_workers, 1, 64, 4, "explanations made at the same time, of different deployments"),
    INT("explain.in_flight", explain_in_flight, 1, 64, 16, "requests to a model at the same time, at most"),
    INT("explain.batch", explain_batch, 0, XPL_MAX_BATCH, 0,
        "images in one request to a model at most; what it takes is found out by trial, up to 64 when this is 0"),
    INT("explain.deadline_ms", explain_deadline_ms, 100, 3600000, 120000, "time for one explanation"),
    INT("explain.lease_ms", explain_lease_ms, 600, 3600000, 60000,
        "after which a task is taken from a process that no longer says that it works on it"),
    INT("explain.retries", explain_retries, 0, 20, 5, "further tries of an explanation whose model failed"),
    STRING("scoring.allow", scoring_allow,
           "hosts, host:port or networks that may be called; empty: public addresses, and local ones when the daemon"
           " listens on loopback only"),
    INT("scoring.connect_timeout_ms", scoring_connect_timeout_ms, 100, 600000, 5000, "to connect to a model"),
    INT("scoring.call_timeout_ms", scoring_call_timeout_ms, 100, 3600000, 60000, "for one call of a model"),
    INT("scoring.retries", scoring_retries, 0, 20, 3, "further tries after a connection error, 408, 429 or 5xx"),
    INT("scoring.body_bytes", scoring_body_bytes, 1024, 64 * MIB, MIB, "longest request with several images"),
    INT("scoring.answer_bytes", scoring_answer_bytes, 1024, 1024 * MIB, 4 * MIB,
        "longest answer of a model; as many as explain.in_flight may be in memory"),
    INT("scoring.breaker_failures", scoring_breaker_failures, 0, 1000, 5,
        "failures of a model's host, or of one model, in a row after which it is not asked for a while; 0: never"),
    INT("scoring.breaker_pause_ms", scoring_breaker_pause_ms, 100, 3600000, 10000, "how long it is not asked"),
    INT("gateway.threads", gateway_threads, 1, 64, 8, "predictions that wait for models at the same time"),
    INT("gateway.log_bytes", gateway_log_bytes, MIB, 4096 * MIB, 64 * MIB,
        "scored transactions in memory that wait to be logged; more of them are not logged"),
    INT("webhooks.threads", webhooks_threads, 0, 64, 4, "webhooks that are called at the same time; 0: none is called"),
    INT("webhooks.attempts", webhooks_attempts, 1, 100, 10, "after which a delivery that failed is dead"),
    INT("webhooks.retry_ms", webhooks_retry_ms, 1, 3600000, 5000,
        "before the second attempt; three times as long before each further one, 6 h at most"),
    INT("webhooks.timeout_ms", webhooks_timeout_ms, 100, 600000, 10000, "for a receiver to answer"),
    INT("auth.failed_logins", auth_failed_logins, 1, 1000, 10,
        "wrong passwords a minute for one name from one address"),
    STRING("auth.admin_password_file", auth_admin_password_file,
           "file with the password of admin, read at the first start; empty: a random one is made"),
    STRING("tls.certificate", tls_certificate, "PEM file; empty: a self-signed pair is made"),
    STRING("tls.key", tls_key, "PEM file"),
    STRING("cors.origins", cors_origins,
           "origins whose web pages may call the API, separated by commas, such as https://dashboard.example; * = any;"
           " empty: none"),
    INT("retention.days", retention_days, 0, 36500, 0, "age at which logged records go, explanations too; 0 = never"),
    INT("retention.bytes", retention_bytes, 0, (int64_t)1 << 50, 0,
        "size of the stored data above which the oldest records go; 0 = no bound"),
    INT("retention.pixel_days", retention_pixel_days, 0, 36500, 0,
        "age at which images go while their numbers and explanations stay; 0 = never"),
    INT("retention.interval_ms", retention_interval_ms, 100, 86400000, 60000, "between two looks at what is to go"),
    {"log.level", TYPE_LOG_LEVEL, offsetof(struct xpl_settings, log_level), 0, 0, 0, "debug, info, warn or error"},
};

#define N_KEYS (sizeof keys / sizeof *keys)

static void *member(struct xpl_settings *settings, const struct key *key)
{
    return (char *)settings + key->offset;
}

static const void *member_const(const struct xpl_settings *settings, const struct key *key)
{
    return (const char *)settings + key->offset;
}

struct xpl_settings xpl_config_defaults(void)
{
    struct xpl_settings settings = {.scoring_allow = "",
                                    .auth_admin_password_file = "",
                                    .tls_certificate = "",
                                    .tls_key = "",
                                    .log_level = "info",
                                    .cors_origins = ""};

    for (size_t i = 0; i < N_KEYS; i++)
        if (keys[i].type == TYPE_INT)
            *(int64_t *)member(&settings, &keys[i]) = keys[i].default_value;
    settings.limits_profile = XPL_PROFILE_DEFAULT;
    return settings;
}

static const struct key *find(const char *name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static enum xpl_status set_string(struct xpl_arena *arena, const char **ret, const char *value, struct xpl_error *err)
{
    *ret = xpl_arena_string(arena, value);
    return *ret ? XPL_OK : xpl_no_memory(err);
}

static enum xpl_status set_profile(enum xpl_limits_profile *ret, const char *value, struct xpl_error *err)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        if (strcmp(profiles[i], value) == 0) {
            *ret = (enum xpl_limits_profile)i;
            return XPL_OK;
        }
    }
    return xpl_fail_field(err, XPL_BAD_FIELD, "limits.profile", "\"%.60s\" is neither default nor openscale", value);
}

enum xpl_status xpl_config_set(struct xpl_arena *arena, struct xpl_settings *settings, const char *name,
                               const char *value, struct xpl_error *err)
{
    const struct key *key = find(name);

    if (!key)
        return xpl_fail_field(err, XPL_BAD_FIELD, name, "there is no such key (explaind config lists all)");
    switch (key->type) {
    case TYPE_INT:
        if (xpl_parse_int(value, key->min, key->max, member(settings, key)))
            return XPL_OK;
        return xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.60s\" is not a whole number from %" PRId64 " to %" PRId64,
                              value, key->min, key->max);
    case TYPE_STRING:
        return set_string(arena, member(settings, key), value, err);
    case TYPE_PROFILE:
        return set_profile(member(settings, key), value, err);
    case TYPE_LOG_LEVEL:
        if (xpl_log_level_parse(value) < 0)
            return xpl_fail_field(err, XPL_BAD_FIELD, name, "\"%.60s\" is not one of debug, info, warn, error", value);
        return set_string(arena, member(settings, key), value, err);
    }
    return XPL_INTERNAL;
}

enum xpl_status xpl_config_assign(struct xpl_arena *arena, struct xpl_settings *settings, const char *assignment,
                                  struct xpl_error *err)
{
    const char *equals = strchr(assignment, '=');
    char *name;

    if (!equals)
        return xpl_fail(err, XPL_BAD_FIELD, "--set \"%.100s\": must be key=value", assignment);
    name = xpl_arena_string_n(arena, assignment, (size_t)(equals - assignment));
    return name ? xpl_config_set(arena, settings, name, equals + 1, err) : xpl_no_memory(err);
}

struct loading {
    struct xpl_arena *arena;
    struct xpl_settings *settings;
    struct xpl_error *err;
};

static int on_value(void *arg, const char *section, const char *name, const char *value)
{
    struct loading *loading = arg;
    char key[128];

    snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "", name);
    if (!*section)
        return xpl_fail_field(loading->err, XPL_BAD_FIELD, key, "stands before any [section]") == XPL_OK;
    return xpl_config_set(loading->arena, loading->settings, key, value, loading->err) == XPL_OK;
}

static bool says_something(const char *line)
{
    line += strncmp(line, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0 ? strlen(BYTE_ORDER_MARK) : 0;
    return strchr(";#\r\n", *line) || (*line == '[' ? strchr(line, ']') : strpbrk(line, "=:"));
}

/* The parser would cut a long line in two, and take an indented one for the rest of the one before: a value half read
 * is worse than none. And it goes on behind a line that says nothing, whose number it gives a later error. */
static enum xpl_status check_line(const char *line, const char *path, int number, struct xpl_error *err)
{
    if (strlen(line) > MAX_LINE_BYTES)
        return xpl_fail(err, XPL_BAD_FIELD, "%.200s, line %d: is longer than %d bytes", path, number, MAX_LINE_BYTES);
    if (line[strspn(line, " \t\r\n")] == '\0')
        return XPL_OK;
    if (*line == ' ' || *line == '\t')
        return xpl_fail(err, XPL_BAD_FIELD, "%.200s, line %d: begins with a blank", path, number);
    return says_something(line)
               ? XPL_OK
               : xpl_fail(err, XPL_BAD_FIELD, "%.200s, line %d: not \"[section]\" or \"key = value\"", path, number);
}

static enum xpl_status check_lines(const char *path, struct xpl_error *err)
{
    FILE *file = fopen(path, "r");
    char line[MAX_LINE_BYTES + 2];
    int number = 0;
    enum xpl_status st = XPL_OK;

    if (!file)
        return xpl_fail(err, XPL_BAD_FIELD, "%.200s: %s", path, strerror(errno));
    while (!st && fgets(line, sizeof line, file))
        st = check_line(line, path, ++number, err);
    if (!st && ferror(file))
        st = xpl_fail(err, XPL_BAD_FIELD, "%.200s: %s", path, strerror(errno));
    fclose(file);
    return st;
}

enum xpl_status xpl_config_load(struct xpl_arena *arena, struct xpl_settings *settings, const char *path,
                                struct xpl_error *err)
{
    struct xpl_error inner = {0};
    struct loading loading = {arena, settings, &inner};
    enum xpl_status st = check_lines(path, err);
    int line = st ? -1 : ini_parse(path, on_value, &loading);

    if (st)
        return st;
    if (line == 0)
        return XPL_OK;
    if (line < 0)
        return xpl_fail(err, XPL_BAD_FIELD, "%.200s: %s", path, strerror(errno));
    if (inner.status)
        return xpl_fail(err, XPL_BAD_FIELD, "%.100s, line %d: %s: %s", path, line, inner.field, inner.message);
    return xpl_fail(err, XPL_BAD_FIELD, "%.200s, line %d: not \"[section]\" or \"key = value\"", path, line);
}

static void print_value(const struct xpl_settings *settings, const struct key *key, FILE *out)
{
    switch (key->type) {
    case TYPE_INT:
        fprintf(out, "%" PRId64, *(const int64_t *)member_const(settings, key));
        return;
    case TYPE_PROFILE:
        fprintf(out, "%s", profiles[settings->limits_profile]);
        return;
    case TYPE_STRING:
    case TYPE_LOG_LEVEL:
        fprintf(out, "%s", *(const char *const *)member_const(settings, key));
        return;
    }
}

void xpl_config_print(const struct xpl_settings *settings, FILE *out)
{
    const char *last = "";
    size_t last_length = 0;

    for (size_t i = 0; i < N_KEYS; i++) {
        size_t length = strcspn(keys[i].name, ".");

        if (length != last_length || strncmp(last, keys[i].name, length) != 0)
            fprintf(out, "%s[%.*s]\n", i ? "\n" : "", (int)length, keys[i].name);
        last = keys[i].name;
        last_length = length;
        fprintf(out, "; %s\n%s = ", keys[i].help, keys[i].name + length + 1);
        print_value(settings, &keys[i], out);
        fputc('\n', out);
    }
}
