/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process: configuration, storage, workers, HTTP; then it waits for a signal and ends everything in the reverse
 * order.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/access/credentials.h"
#include "api/cors.h"
#include "api/routes.h"
#include "api/scoring/model_tokens.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/scoring/transport/fetch.h"
#include "server/background/gateway_log.h"
#include "server/background/retention.h"
#include "server/background/webhook_sender.h"
#include "server/background/worker.h"
#include "server/commands/commands.h"
#include "server/commands/explain_command.h"
#include "server/commands/export_command.h"
#include "server/commands/probe_command.h"
#include "server/commands/restore_command.h"
#include "server/commands/user_commands.h"
#include "server/config.h"
#include "server/data_dir.h"
#include "server/decoding/decode_helper.h"
#include "server/decoding/decode_wire.h"
#include "server/decoding/decoder.h"
#include "server/first_admin.h"
#include "server/http/http.h"
#include "server/http/tls.h"
#include "server/local_socket.h"
#include "server/options.h"

#define CONFIG_ARENA_BYTES ((size_t)4 << 20)

struct process {
    struct xpl_arena *arena;
    struct xpl_options options;
    struct xpl_app app;
    struct xpl_data_dir data_dir;
    struct xpl_tls tls;
    struct xpl_listener listeners[XPL_MAX_LISTEN + 1]; /* the last one is the local socket */
    struct xpl_address_policy *policy;
    struct xpl_decoder *decoder;
    struct xpl_waiting *waiting;
    struct xpl_streams *streams;
    struct xpl_workers *workers;
    struct xpl_retention *retention;
    struct xpl_gateway_log *gateway_log;
    struct xpl_webhook_sender *webhooks;
    struct xpl_http *http;
};

static int print_routes(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", ""};
    size_t n;
    const struct xpl_route *routes = xpl_routes(&n);

    for (size_t i = 0; i < n; i++)
        printf("%s %s %s %s\n", methods[routes[i].method], routes[i].path, routes[i].operation,
               xpl_role_name(routes[i].role));
    return EX_OK;
}

static enum xpl_status load_settings(struct process *p, struct xpl_error *err)
{
    const struct xpl_options *options = &p->options;
    enum xpl_status st = XPL_OK;

    p->app.settings = xpl_config_defaults();
    if (options->config_file)
        st = xpl_config_load(p->arena, &p->app.settings, options->config_file, err);
    for (size_t i = 0; !st && i < options->n_set; i++)
        st = xpl_config_assign(p->arena, &p->app.settings, options->set[i], err);
    return st;
}

/* What no key is wrong by itself for. */
static enum xpl_status check_settings(const struct xpl_settings *s, struct xpl_error *err)
{
    int64_t largest = s->limits_body_bytes;

    if (s->limits_tasks_body_bytes > largest)
        largest = s->limits_tasks_body_bytes;
    if (s->limits_records_body_bytes > largest)
        largest = s->limits_records_body_bytes;
    if (s->limits_bodies_total <= largest) /* a buffer ends in a zero byte */
        return xpl_fail_field(err, XPL_BAD_FIELD, "limits.bodies_total",
                              "%" PRId64 " has no room for one body: it must be more than the %" PRId64
                              " bytes that limits.records_body_bytes, limits.tasks_body_bytes and limits.body_bytes"
                              " let in",
                              s->limits_bodies_total, largest);
    return xpl_cors_check(s->cors_origins, err);
}

/* Before there are keys, threads or connections. */
static enum xpl_status start_decoder(struct process *p, struct xpl_error *err)
{
    const struct xpl_decoder_options options = {.timeout_ms = p->app.settings.limits_decode_ms,
                                                .failures = &p->app.meters.decoder_failures};
    enum xpl_status st = xpl_decoder_start(&options, &p->decoder, err);

    if (!st)
        p->app.decoder = xpl_decoder_face(p->decoder);
    return st;
}

/* Without users the daemon is for its own machine only. */
static enum xpl_status check_listen(const struct process *p, bool *ret_loopback_only, struct xpl_error *err)
{
    *ret_loopback_only = true;
    for (size_t i = 0; i < p->options.n_listen; i++) {
        bool loopback;
        enum xpl_status st = xpl_listen_check(p->options.listen[i], &loopback, err);

        if (st)
            return st;
        if (!loopback && p->options.no_auth)
            return xpl_fail_field(err, XPL_BAD_FIELD, "--listen",
                                  "%.100s is not a loopback address, and --no-auth serves on those only",
                                  p->options.listen[i]);
        *ret_loopback_only &= loopback;
    }
    return XPL_OK;
}

static enum xpl_status configure(struct process *p, struct xpl_error *err)
{
    bool loopback_only;
    struct xpl_tls tls;
    enum xpl_status st;

    if ((st = load_settings(p, err)) || (st = check_settings(&p->app.settings, err)) ||
        (st = xpl_tls_configured(p->arena, &p->app.settings, &tls, err)) ||
        (st = check_listen(p, &loopback_only, err)) ||
        (st = xpl_address_policy_new(p->arena, p->app.settings.scoring_allow, loopback_only, &p->policy, err)) ||
        (st = xpl_breaker_new((uint32_t)p->app.settings.scoring_breaker_failures,
                              p->app.settings.scoring_breaker_pause_ms * 1000, &p->app.breaker, err)) ||
        (st = xpl_model_tokens_new(&p->app.model_tokens, err)))
        return st;
    if (!(p->app.cache = xpl_cache_new((size_t)p->app.settings.limits_cache_bytes)))
        return xpl_no_memory(err);
    xpl_log_set_level((enum xpl_log_level)xpl_log_level_parse(p->app.settings.log_level));
    p->app.scoring_policy = p->policy;
    p->app.no_auth = p->options.no_auth;
    p->app.started_us = xpl_now_us();
    return XPL_OK;
}

static enum xpl_status open_all(struct process *p, struct xpl_error *err)
{
    enum xpl_status st;

    if ((st = xpl_data_dir_open(p->arena, p->options.data_dir, &p->data_dir, err)) ||
        (st = xpl_tls_load(p->arena, &p->app.settings, p->options.data_dir, &p->tls, err)))
        return st;
    memcpy(p->app.token_key, p->data_dir.token_key, sizeof p->app.token_key);
    memcpy(p->app.secrets_key, p->data_dir.secrets_key, sizeof p->app.secrets_key);
    for (size_t i = 0; i < p->options.n_listen; i++)
        if ((st = xpl_listen(p->options.listen[i], &p->listeners[i], err)))
            return st;
    return xpl_local_listen(p->options.data_dir, &p->listeners[p->options.n_listen], err);
}

static enum xpl_status start_users(struct process *p, struct xpl_error *err)
{
    enum xpl_status st;

    if (p->app.no_auth)
        return XPL_OK;
    st = xpl_credentials_new(p->app.settings.auth_failed_logins, &p->app.credentials, err);
    return st ? st : xpl_first_admin(&p->app, p->arena, &p->data_dir, err);
}

static enum xpl_status start(struct process *p, struct xpl_error *err)
{
    const char *warning = xpl_db_warning();
    enum xpl_status st;

    if (warning)
        xpl_log(XPL_LOG_WARN, "storage", "version", xpl_db_version(), "message", warning, NULL);
    if ((st = xpl_writer_start(p->data_dir.database, &p->app.writer, err)) || (st = start_users(p, err)) ||
        (st = xpl_waiting_start((size_t)p->app.settings.http_waiting, &p->waiting, err)) ||
        (st = xpl_streams_start(p->app.writer, (size_t)p->app.settings.http_streams, &p->streams, err)) ||
        (st = xpl_workers_start(&p->app, p->waiting, p->data_dir.database, &p->workers, err)) ||
        (st = xpl_retention_start(&p->app, p->data_dir.database, &p->retention, err)) ||
        (st = xpl_gateway_log_start(&p->app, p->data_dir.database, &p->gateway_log, err)) ||
        (st = xpl_webhook_sender_start(&p->app, p->data_dir.database, &p->webhooks, err)))
        return st;
    return xpl_http_start(&p->app, p->waiting, p->streams, p->data_dir.database, &p->tls, p->listeners,
                          p->options.n_listen + 1, &p->http, err);
}

static void announce(const struct process *p)
{
    for (size_t i = 0; i < p->options.n_listen; i++) {
        printf("explaind listening on %s\n", p->listeners[i].url);
        xpl_log(XPL_LOG_INFO, "listening", "url", p->listeners[i].url, "version", EXPLAIND_VERSION, NULL);
    }
    fflush(stdout);
}

/* The order matters: nothing may be suspended on a writer that no longer runs. */
static void stop(struct process *p)
{
    if (p->http)
        xpl_http_drain(p->http);
    xpl_retention_stop(p->retention);
    xpl_workers_stop(p->workers);
    xpl_gateway_log_stop(p->gateway_log);
    xpl_webhook_sender_stop(p->webhooks);
    xpl_writer_stop(p->app.writer);
    xpl_retention_free(p->retention);
    xpl_webhook_sender_free(p->webhooks);
    xpl_http_stop(p->http);
    xpl_streams_free(p->streams);
    xpl_waiting_free(p->waiting);
    xpl_credentials_free(p->app.credentials);
    xpl_local_remove(p->options.data_dir);
    xpl_data_dir_close(&p->data_dir);
}

static int fail(const struct xpl_error *err, int code)
{
    fprintf(stderr, "explaind: %s%s%s\n", err->field, *err->field ? ": " : "", err->message);
    return code;
}

/* Those that end it in order. A terminal that is closed does, too, unless nohup has it that nobody cares. */
static sigset_t ending_signals(void)
{
    sigset_t signals;
    struct sigaction at_hangup;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigaction(SIGHUP, NULL, &at_hangup) == 0 && at_hangup.sa_handler != SIG_IGN)
        sigaddset(&signals, SIGHUP);
    return signals;
}

static void wait_for_signal(const sigset_t *signals)
{
    int signal_number;

    while (sigwait(signals, &signal_number) != 0)
        ;
    xpl_log(XPL_LOG_INFO, "stopping", "signal", strsignal(signal_number), NULL);
}

/* http.connections may be more than the soft limit of descriptors that shells and services start with. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve(struct process *p)
{
    struct xpl_error err = {0};
    sigset_t signals = ending_signals();
    enum xpl_status st;

    /* Blocked before any thread exists, so that only wait_for_signal sees them. */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    if (configure(p, &err))
        return fail(&err, EX_CONFIG);
    if (p->options.check) {
        puts("the configuration is good");
        return EX_OK;
    }
    if (start_decoder(p, &err))
        return fail(&err, EX_OSERR);
    if (open_all(p, &err))
        return fail(&err, EX_CONFIG);
    if ((st = start(p, &err)) == XPL_OK) {
        xpl_decoder_check(p->decoder);
        announce(p);
        wait_for_signal(&signals);
    }
    stop(p);
    if (!st)
        xpl_log(XPL_LOG_INFO, "stopped", NULL);
    return st ? fail(&err, st == XPL_STORAGE_FAILED ? EX_CONFIG : EX_SOFTWARE) : EX_OK;
}

static int run(struct process *p)
{
    struct xpl_error err = {0};

    switch (p->options.command) {
    case XPL_COMMAND_ROUTES:
        return print_routes();
    case XPL_COMMAND_CONFIG:
        if (load_settings(p, &err))
            return fail(&err, EX_CONFIG);
        xpl_config_print(&p->app.settings, stdout);
        return EX_OK;
    case XPL_COMMAND_BACKUP:
        return xpl_backup_command(p->arena, p->options.data_dir, p->options.file);
    case XPL_COMMAND_FSCK:
        return xpl_fsck_command(p->arena, p->options.data_dir, p->options.file);
    case XPL_COMMAND_RESTORE:
        return xpl_restore_command(p->arena, p->options.data_dir, p->options.file, p->options.verify);
    case XPL_COMMAND_EXPORT:
        return xpl_export_command(
            p->options.what, p->options.file ? p->options.file : xpl_data_dir_database(p->arena, p->options.data_dir),
            p->options.includes);
    case XPL_COMMAND_USER:
    case XPL_COMMAND_TOKEN:
        return xpl_user_command(p->arena, &p->options);
    case XPL_COMMAND_SERVE:
        break;
    }
    return serve(p);
}

/* Commands with a command line of their own; without server and database. */
typedef int (*shell_fn)(int argc, char **argv);

static shell_fn shell_command(const char *name)
{
    if (strcmp(name, "explain") == 0)
        return xpl_explain_command;
    return strcmp(name, "probe") == 0 ? xpl_probe_command : NULL;
}

/* Those that print what they are for, a new key among it; of others it is a note, or they look themselves. */
static bool is_for_its_output(const struct process *p)
{
    enum xpl_command command = p->options.command;

    return command == XPL_COMMAND_ROUTES || command == XPL_COMMAND_CONFIG || command == XPL_COMMAND_USER ||
           command == XPL_COMMAND_TOKEN;
}

static int check_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EX_OK;
    fputs("explaind: not all of the output could be written\n", stderr);
    return EX_IOERR;
}

static int run_command(int argc, char **argv)
{
    struct process p = {.arena = xpl_arena_new(CONFIG_ARENA_BYTES), .data_dir = {.lock_fd = -1}};
    struct xpl_error err = {0};
    shell_fn at_a_shell = argc > 1 ? shell_command(argv[1]) : NULL;
    int code;

    if (!at_a_shell)
        xpl_options_read(argc, argv, &p.options);
    if (!p.arena || !xpl_crypto_start() || xpl_scoring_start(&err)) {
        fputs("explaind: the system libraries cannot be started\n", stderr);
        return EX_OSERR;
    }
    xpl_db_start();
    code = at_a_shell ? at_a_shell(argc - 1, argv + 1) : run(&p);
    if (code == EX_OK && (at_a_shell || is_for_its_output(&p)))
        code = check_output();
    xpl_decoder_stop(p.decoder);
    xpl_breaker_free(p.app.breaker);
    xpl_model_tokens_free(p.app.model_tokens);
    xpl_cache_free(p.app.cache);
    xpl_scoring_stop();
    xpl_arena_free(p.arena);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], XPL_DECODE_COMMAND) == 0)
        return xpl_decode_helper();
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write */
    return run_command(argc, argv);
}
