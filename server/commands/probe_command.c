/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/probe_command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "api/call.h"
#include "api/json_text.h"
#include "api/scoring/probe_view.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/explain/params.h"
#include "lib/image/decode.h"
#include "server/commands/label_file.h"
#include "server/commands/model_options.h"
#include "server/commands/option_names.h"
#include "server/commands/picture_file.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define SECOND_US   INT64_C(1000000)
#define DEADLINE_US (60 * SECOND_US) /* for one format */
#define TIMEOUT     240              /* seconds for all of them, unless more or less is said */
#define SHOWN       80               /* bytes of an answer in the table */
#define IN_FLIGHT   16

enum {
    OPTION_JSON = 256,
    OPTION_TIMEOUT
};

static const struct argp_option option_list[] = {
    {"image", 'i', "FILE", 0, "the picture to ask about", 0},
    {"json", OPTION_JSON, 0, 0, "print everything that was found as JSON", 0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0, "for all formats together (default 240); one has 60 at most", 0},
    {0}};

static const char doc[] =
    "Asks the model at URL about one image in every format that explaind knows, and tells which it takes, how many "
    "images in a request, how long a call takes and what an explanation will cost.\v"
    "With --format, that one only is tried. Once a format works with a model that takes more than a second, further "
    "ones "
    "are tried with one call.\n\n"
    "Credentials come from the environment: EXPLAIND_TOKEN is sent as a bearer token, EXPLAIND_USER and "
    "EXPLAIND_PASSWORD as HTTP Basic.\n\n"
    "Exit status: 0 a format works, 64 wrong usage, 65 the image cannot be used, 69 no format works, 74 not all could "
    "be printed.\n";

struct options {
    const char *url, *image;
    struct xpl_model_options model; /* without a format: all */
    int64_t timeout;                /* seconds */
    bool json;
};

struct probing {
    struct xpl_arena *arena;
    struct options options;
    struct xpl_endpoint endpoint;
    uint8_t *bytes;
    uint32_t height, width;
    int64_t until_us; /* monotonic: the end of the time for all formats */
    bool found;       /* a format works */
};

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->model;
        o->timeout = TIMEOUT;
        return 0;
    case 'i':
        o->image = value;
        return 0;
    case OPTION_JSON:
        o->json = true;
        return 0;
    case OPTION_TIMEOUT:
        if (!xpl_parse_int(value, 1, 86400, &o->timeout))
            argp_error(state, "--timeout %s: seconds, from 1 to 86400", value);
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "%s is one word too many", value);
        o->url = xpl_model_url(state, "the scoring address", value);
        return 0;
    case ARGP_KEY_END:
        if (!o->url || !o->image)
            argp_error(state, "a scoring address and --image are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- asking ---- */

static enum xpl_status load(struct probing *p, struct xpl_error *err)
{
    struct xpl_address_policy *policy = NULL;
    size_t length = 0;
    void *data = NULL;
    enum xpl_status st;

    p->height = p->options.model.height;
    p->width = p->options.model.width;
    if ((st = xpl_read_picture_file(p->arena, p->options.image, &data, &length, err)) ||
        (st = xpl_decode_image(p->arena, data, length, p->options.model.channels, &p->height, &p->width, &p->bytes,
                               err)) ||
        (p->options.model.class_labels &&
         (st = xpl_label_file_read(p->arena, p->options.model.class_labels, &p->options.model.answer, err))) ||
        (st = xpl_address_policy_new(p->arena, "", true, &policy, err)))
        return st;
    p->endpoint = (struct xpl_endpoint){.url = p->options.url,
                                        .username = getenv("EXPLAIND_USER"),
                                        .password = getenv("EXPLAIND_PASSWORD"),
                                        .bearer = getenv("EXPLAIND_TOKEN"),
                                        .policy = policy};
    return XPL_OK;
}

/* The beginning of a text, on one line. */
static void print_excerpt(const char *text)
{
    char shown[SHOWN + 1];

    snprintf(shown, sizeof shown, "%s", text);
    xpl_repair_utf8(shown);
    for (char *c = shown; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    printf("%s%s", shown, strlen(text) > SHOWN ? " …" : "");
}

static void print_failure(const struct xpl_probe_report *r)
{
    printf("no   ");
    xpl_print_as_options(stdout, r->error.message);
    if (xpl_exchange_is_compressed(&r->exchange))
        printf("; the answer is compressed (Content-Encoding: %s), which was not asked for", r->exchange.encoding);
    if (r->exchange.status >= 300 && r->exchange.status < 400) {
        printf("; redirects are not followed; it points to ");
        print_excerpt(*r->exchange.location ? r->exchange.location : "nowhere");
    }
    if (r->exchange.answer_bytes) {
        printf("; answer: ");
        print_excerpt(r->exchange.answer);
    }
    putchar('\n');
}

static void print_words(const char *format, const struct xpl_probe_report *r)
{
    printf("  %-24s ", format);
    if (r->status)
        print_failure(r);
    else {
        printf(
            "yes  %u classes; %u images a request, %u in flight; %.1f ms an image, %zu bytes for one; an explanation "
            "takes about %.1f s\n",
            r->n_classes, r->stats.batch, r->stats.depth, r->image_ms, r->exchange.request_bytes,
            r->image_ms * XPL_PROBE_USUAL_CALLS / 1000);
        if (r->warning)
            printf("%31s%s; %s\n", "", r->warning, r->advice);
    }
    fflush(stdout);
}

/* The request of a format, and what is to be known of it. */
static enum xpl_status make_input(struct probing *p, const char *name, struct xpl_probe_input *ret,
                                  struct xpl_error *err)
{
    struct xpl_sample_format format = p->options.model.format;
    struct xpl_request *request;
    struct xpl_pixels *pixels;
    struct xpl_text text;
    enum xpl_status st;

    format.name = name;
    if ((st = xpl_sample_request(p->arena, &format, p->bytes, p->height, p->width, p->options.model.channels, &text,
                                 err)) ||
        (st = xpl_request_read(p->arena, text, &ret->model->request, &xpl_decode_in_process, &request, err)) ||
        (st = xpl_request_pixels(p->arena, request, 0, &pixels, err)))
        return st;
    ret->endpoint = &p->endpoint;
    ret->request = request;
    ret->pixels = pixels;
    ret->explanation_ms = xpl_explain_params_default().deadline_ms;
    ret->brief = p->found;
    return XPL_OK;
}

static enum xpl_status try_format(struct probing *p, const char *name, json_t *views, struct xpl_error *err)
{
    static const struct xpl_probe_subject subject = {.source = "file"};
    int64_t until_us = xpl_monotonic_us() + DEADLINE_US;
    struct xpl_predictor_options options = {.in_flight = IN_FLIGHT,
                                            .max_body_bytes = (size_t)1 << 20,
                                            .call.connect_timeout_ms = 5000,
                                            .call.call_timeout_ms = 60000,
                                            .call.max_answer_bytes = (size_t)16 << 20,
                                            .deadline_us = until_us < p->until_us ? until_us : p->until_us,
                                            .call.task_id = "probe"};
    struct xpl_model_settings model = xpl_model_options_settings(&p->options.model, name);
    struct xpl_probe_input input = {.options = &options, .model = &model};
    struct xpl_probe_report report;
    enum xpl_status st;
    json_t *view;

    if ((st = make_input(p, name, &input, err)) || (st = xpl_probe(p->arena, &input, &report, err)))
        return st;
    p->found |= report.status == XPL_OK;
    if (!p->options.json)
        print_words(name, &report);
    if (!(view = xpl_probe_view(&subject, &input, &report)))
        return xpl_no_memory(err);
    json_object_set_new(view, "format", json_string(name));
    return json_array_append_new(views, view) ? xpl_no_memory(err) : XPL_OK;
}

static enum xpl_status try_all(struct probing *p, json_t *views, struct xpl_error *err)
{
    const struct xpl_sample_frame *one =
        p->options.model.format.name ? xpl_sample_frame(p->options.model.format.name) : NULL;
    enum xpl_status st = XPL_OK;

    p->until_us = xpl_monotonic_us() + p->options.timeout * SECOND_US;
    if (!p->options.json)
        printf("%s, asked about %s (%u x %u):\n", p->options.url, p->options.image, p->height, p->width);
    fflush(stdout);
    if (one)
        return try_format(p, one->name, views, err);
    for (const struct xpl_sample_frame *frame = xpl_sample_formats; !st && frame->name; frame++) {
        if (xpl_monotonic_us() < p->until_us)
            st = try_format(p, frame->name, views, err);
        else if (!p->options.json)
            printf("  %-24s not tried: --timeout gives more time, --format tries one\n", frame->name);
    }
    return st;
}

static bool print_json(const json_t *views)
{
    XPL_AUTO(xpl_buf) text = xpl_buf_new(ARENA_BYTES);

    return text && xpl_json_append_lines(text, views) && fwrite(text->data, 1, text->length, stdout) == text->length;
}

int xpl_probe_command(int argc, char **argv)
{
    static const struct argp_child children[] = {{&xpl_model_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {option_list, on_option, "URL --image FILE", doc, children, NULL, NULL};
    static char name[] = "explaind probe";
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO_JSON views = json_array();
    struct probing p = {.arena = arena};
    struct xpl_error err = {0};
    enum xpl_status st;

    if (!arena)
        return EX_OSERR;
    argp_err_exit_status = EX_USAGE;
    argv[0] = name;
    argp_parse(&argp, argc, argv, 0, NULL, &p.options);
    if ((st = load(&p, &err)) || (st = try_all(&p, views, &err))) {
        fprintf(stderr, "explaind: %s%s%s\n", err.field, *err.field ? ": " : "", err.message);
        if (xpl_starts_with(err.field, "--"))
            return EX_USAGE;
        return st == XPL_BAD_FIELD ? EX_DATAERR : EX_SOFTWARE;
    }
    if (p.options.json && !print_json(views))
        return EX_IOERR;
    return p.found ? EX_OK : EX_UNAVAILABLE;
}
