/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for a deployed image model, for tests and demonstrations. See stub_model_score.h for what it can think.
 *
 * POST to a path that ends in /predictions is answered as Watson Machine Learning v4 does, any other POST in the plain
 * form of WML v3 and custom engines. GET /stats and POST /reset let a test count calls; GET /v1/deployments is the list
 * a custom engine gives. One thread does everything, unless answers are delayed: then each connection has its own.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <microhttpd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "lib/base/buf.h"
#include "tests/tools/stub_model_answer.h"

#define MAX_BODY          ((size_t)64 << 20)
#define MAX_CONNECTIONS   512u
#define CONNECTION_MEMORY ((size_t)128 << 10)
#define SLOW_MS           200

struct stub {
    struct stub_model model;
    unsigned port;
    unsigned delay_ms, fail_first, status; /* status 0 = what the mode says */
    unsigned max_images;                   /* in one request; 0 = any number */
    unsigned image_ms, workers;            /* time an image takes, by how many workers; 0 = any number */
    sem_t idle_workers;
    atomic_uint_fast64_t requests, images, images_max, bytes, in_flight, in_flight_max, failed;
};

/* ---- answers ---- */

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *text, size_t length)
{
    union {
        const char *borrowed;
        void *data;
    } body = {.borrowed = text};
    struct MHD_Response *response = MHD_create_response_from_buffer(length, body.data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_error(struct MHD_Connection *connection, unsigned status, const char *message)
{
    XPL_AUTO(xpl_buf) text = xpl_buf_new(4096);

    if (!text || !xpl_buf_printf(text, "{\"error\":\"%s\"}", message))
        return MHD_NO;
    return reply(connection, status, text->data, text->length);
}

/* ---- calls ---- */

static void pause_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    if (ms)
        nanosleep(&time, NULL);
}

/* The model at work: one of its workers is busy for as long as the images take. */
static void work_on(struct stub *stub, size_t n_images)
{
    if (stub->workers)
        while (sem_wait(&stub->idle_workers) != 0)
            ;
    pause_ms(stub->image_ms * (unsigned)n_images);
    if (stub->workers)
        sem_post(&stub->idle_workers);
}

static void raise_to(atomic_uint_fast64_t *max, uint_fast64_t value)
{
    uint_fast64_t seen = atomic_load(max);

    while (value > seen && !atomic_compare_exchange_weak(max, &seen, value))
        ;
}

/* The status a call gets instead of an answer; 0 = none. */
static unsigned failure(struct stub *stub)
{
    if (atomic_fetch_add(&stub->failed, 1) < stub->fail_first || stub->model.mode == STUB_FAILING)
        return stub->status ? stub->status : 503;
    return stub->model.mode == STUB_REFUSE ? (stub->status ? stub->status : 400) : 0;
}

static enum MHD_Result score(struct stub *stub, struct MHD_Connection *connection, bool wml, const struct xpl_buf *body)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(MAX_BODY);
    unsigned status = failure(stub);
    const char *wrong;
    size_t n_images = 0;

    pause_ms(stub->delay_ms);
    if (status)
        return reply_error(connection, status, "as it was asked to");
    if (body->failed)
        return reply_error(connection, 413, "the body is too long");
    if (!out)
        return MHD_NO;
    wrong = stub_answer(&stub->model, (struct xpl_text){body->data, body->length}, wml, out, &n_images);
    if (wrong)
        return reply_error(connection, 400, wrong);
    if (stub->max_images && n_images > stub->max_images)
        return reply_error(connection, stub->status ? stub->status : 413, "there are too many images");
    atomic_fetch_add(&stub->images, n_images);
    raise_to(&stub->images_max, n_images);
    work_on(stub, n_images);
    return out->failed ? MHD_NO : reply(connection, 200, out->data, out->length);
}

static enum MHD_Result reply_stats(struct stub *stub, struct MHD_Connection *connection)
{
    char text[256];
    int n =
        snprintf(text, sizeof text,
                 "{\"requests\":%llu,\"images\":%llu,\"images_max\":%llu,\"in_flight_max\":%llu,\"bytes\":%llu}",
                 (unsigned long long)atomic_load(&stub->requests), (unsigned long long)atomic_load(&stub->images),
                 (unsigned long long)atomic_load(&stub->images_max),
                 (unsigned long long)atomic_load(&stub->in_flight_max), (unsigned long long)atomic_load(&stub->bytes));

    return reply(connection, 200, text, (size_t)n);
}

static enum MHD_Result reset(struct stub *stub, struct MHD_Connection *connection)
{
    atomic_store(&stub->requests, 0);
    atomic_store(&stub->images, 0);
    atomic_store(&stub->images_max, 0);
    atomic_store(&stub->bytes, 0);
    atomic_store(&stub->in_flight_max, 0);
    atomic_store(&stub->failed, 0);
    return reply(connection, 200, "{}", 2);
}

static enum MHD_Result reply_deployments(const struct stub *stub, struct MHD_Connection *connection)
{
    XPL_AUTO(xpl_buf) out = xpl_buf_new(16384);

    if (!out)
        return MHD_NO;
    xpl_buf_printf(out,
                   "{\"count\":1,\"resources\":[{\"metadata\":{\"guid\":\"stub\",\"created_at\":"
                   "\"2024-03-21T11:42:20.499Z\",\"modified_at\":\"2024-03-21T11:42:20.499Z\"},"
                   "\"entity\":{\"name\":\"Stub deployment\",\"type\":\"online\",\"scoring_endpoint\":{\"url\":"
                   "\"http://127.0.0.1:%u/v1/deployments/stub/online\"},"
                   "\"asset\":{\"asset_id\":\"stub-model\",\"url\":\"http://127.0.0.1:%u/v1/models/stub-model\","
                   "\"name\":\"Stub model\",\"asset_type\":\"model\",\"created_at\":\"2024-03-21T11:40:00.000Z\","
                   "\"modified_at\":\"2024-03-21T11:40:00.000Z\"},"
                   "\"asset_properties\":{\"model_type\":\"stub\",\"runtime_environment\":\"c\"}}}]}",
                   stub->port, stub->port);
    return out->failed ? MHD_NO : reply(connection, 200, out->data, out->length);
}

/* ---- microhttpd ---- */

/* One request while it arrives. */
struct call {
    struct xpl_buf body;
    bool counted; /* among those in flight */
};

static enum MHD_Result begin(struct stub *stub, bool scoring, void **context)
{
    struct call *call = calloc(1, sizeof *call);

    if (!call)
        return MHD_NO;
    xpl_buf_init(&call->body, MAX_BODY);
    call->counted = scoring;
    if (scoring)
        raise_to(&stub->in_flight_max, atomic_fetch_add(&stub->in_flight, 1) + 1);
    *context = call;
    return MHD_YES;
}

static void completed(void *arg, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode code)
{
    struct stub *stub = arg;
    struct call *call = *context;

    (void)connection, (void)code;
    if (!call)
        return;
    if (call->counted)
        atomic_fetch_sub(&stub->in_flight, 1);
    xpl_buf_release(&call->body);
    free(call);
    *context = NULL;
}

static enum MHD_Result route(struct stub *stub, struct MHD_Connection *connection, const char *path, bool post,
                             const struct xpl_buf *body)
{
    if (post && strcmp(path, "/reset") == 0)
        return reset(stub, connection);
    if (post) {
        atomic_fetch_add(&stub->requests, 1);
        atomic_fetch_add(&stub->bytes, body->length);
        return score(stub, connection, xpl_ends_with(path, "/predictions"), body);
    }
    if (strcmp(path, "/stats") == 0)
        return reply_stats(stub, connection);
    if (strcmp(path, "/v1/deployments") == 0)
        return reply_deployments(stub, connection);
    return reply_error(connection, 404, "there is nothing here");
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *size, void **context)
{
    struct stub *stub = arg;
    struct call *call = *context;
    bool post = strcmp(method, "POST") == 0;

    (void)version;
    if (!call && !post && strcmp(method, "GET") != 0)
        return reply_error(connection, 405, "GET or POST was expected");
    if (!call)
        return begin(stub, post && strcmp(path, "/reset") != 0, context);
    if (*size == 0)
        return route(stub, connection, path, post, &call->body);
    xpl_buf_append(&call->body, data, *size);
    *size = 0;
    return MHD_YES;
}

static struct MHD_Daemon *listen_on(struct stub *stub)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stub->port)};
    unsigned flags = stub->delay_ms || stub->image_ms
                         ? MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL
                         : MHD_USE_EPOLL_INTERNAL_THREAD;
    const union MHD_DaemonInfo *info;
    struct MHD_Daemon *daemon;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, stub, MHD_OPTION_SOCK_ADDR, &address,
                              MHD_OPTION_NOTIFY_COMPLETED, completed, stub, MHD_OPTION_CONNECTION_LIMIT,
                              MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_END);
    info = daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (info)
        stub->port = info->port;
    return daemon;
}

/* ---- command line ---- */

static const char usage[] =
    "usage: stub_model [--port 0] [--mode constant|linear|region|parity|and|noisy|nan|slow|failing|short|refuse]\n"
    "                  [--classes n] [--size HxWxC] [--grid g] [--labels a,b] [--delay-ms n] [--fail-first n]\n"
    "                  [--status n] [--max-images n] [--image-ms n] [--workers n]\n";

static bool number(const char *text, int64_t min, int64_t max, unsigned *ret)
{
    int64_t value;

    if (!xpl_parse_int(text, min, max, &value))
        return false;
    *ret = (unsigned)value;
    return true;
}

static bool set_shape(struct stub_shape *shape, const char *text)
{
    char rest;

    return sscanf(text, "%4ux%4ux%1u%c", &shape->height, &shape->width, &shape->channels, &rest) == 3 &&
           shape->height && shape->width && shape->channels;
}

static bool set_labels(struct stub_model *model, char *text)
{
    while (model->n_labels < STUB_MAX_CLASSES) {
        char *comma = strchr(text, ',');

        if (strpbrk(text, "\"\\"))
            return false;
        model->labels[model->n_labels++] = text;
        if (!comma)
            break;
        *comma = '\0';
        text = comma + 1;
    }
    model->n_classes = model->n_labels;
    return true;
}

static bool set_option(struct stub *stub, int option, char *value)
{
    switch (option) {
    case 'p':
        return number(value, 0, 65535, &stub->port);
    case 'm':
        return stub_mode_parse(value, &stub->model.mode);
    case 'c':
        return number(value, 1, STUB_MAX_CLASSES, &stub->model.n_classes);
    case 's':
        return set_shape(&stub->model.shape, value);
    case 'g':
        return number(value, 1, STUB_MAX_GRID, &stub->model.grid);
    case 'l':
        return set_labels(&stub->model, value);
    case 'd':
        return number(value, 0, 600000, &stub->delay_ms);
    case 'f':
        return number(value, 0, 1000000, &stub->fail_first);
    case 'x':
        return number(value, 200, 599, &stub->status);
    case 'i':
        return number(value, 0, 1000000, &stub->max_images);
    case 'I':
        return number(value, 0, 60000, &stub->image_ms);
    case 'w':
        return number(value, 1, 1000, &stub->workers) && sem_init(&stub->idle_workers, 0, stub->workers) == 0;
    default:
        return false;
    }
}

static bool read_options(struct stub *stub, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"mode", required_argument, NULL, 'm'},
        {"classes", required_argument, NULL, 'c'},
        {"size", required_argument, NULL, 's'},
        {"grid", required_argument, NULL, 'g'},
        {"labels", required_argument, NULL, 'l'},
        {"delay-ms", required_argument, NULL, 'd'},
        {"fail-first", required_argument, NULL, 'f'},
        {"status", required_argument, NULL, 'x'},
        {"max-images", required_argument, NULL, 'i'},
        {"image-ms", required_argument, NULL, 'I'},
        {"workers", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!set_option(stub, option, optarg))
            return false;
    if (stub->model.mode == STUB_SLOW && !stub->delay_ms)
        stub->delay_ms = SLOW_MS;
    return optind == argc && (stub->model.n_labels == 0 || stub->model.n_labels == stub->model.n_classes);
}

int main(int argc, char **argv)
{
    static struct stub stub = {.model = {.mode = STUB_LINEAR, .n_classes = 2, .grid = 4}};
    struct MHD_Daemon *daemon;
    sigset_t signals;
    int signal_number;

    if (!read_options(&stub, argc, argv)) {
        fputs(usage, stderr);
        return 64;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* before any thread, so that all inherit it, */
    prctl(PR_SET_TIMERSLACK, 1000UL);       /* and this: 5 ms are not 5.06 */
    if (!(daemon = listen_on(&stub))) {
        fputs("stub_model cannot listen\n", stderr);
        return 1;
    }
    printf("stub_model listening on http://127.0.0.1:%u\n", stub.port);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    MHD_stop_daemon(daemon);
    return 0;
}
