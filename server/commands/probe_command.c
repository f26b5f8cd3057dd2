/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/probe_command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "api/call.h"
#include "api/scoring/probe_view.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/image/decode.h"
#include "lib/scoring/answer_table.h"
#include "lib/scoring/sample_request.h"
#include "server/commands/picture_file.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define DEADLINE_US (60 * INT64_C(1000000))
#define IN_FLIGHT   16

enum {
    OPTION_FORMAT = 256,
    OPTION_SIZE,
    OPTION_CHANNELS,
    OPTION_RANGE,
    OPTION_LAYOUT,
    OPTION_INPUT_NAME,
    OPTION_PATH,
    OPTION_ACTIVATION,
    OPTION_JSON
};

static const struct argp_option option_list[] = {
    {"image", 'i', "FILE", 0, "the picture to ask about", 0},
    {"format", OPTION_FORMAT, "FORMAT", 0, "try this one only; see explaind explain --help", 0},
    {"size", OPTION_SIZE, "HxW", 0, "scale the image to the model's input size", 0},
    {"channels", OPTION_CHANNELS, "N", 0, "3 (default), or 1 for grey", 0},
    {"range", OPTION_RANGE, "RANGE", 0, "of the values sent: 0..255 (default), 0..1 or -1..1", 0},
    {"layout", OPTION_LAYOUT, "LAYOUT", 0, "of the numbers sent: hwc (default) or chw", 0},
    {"input-name", OPTION_INPUT_NAME, "NAME", 0, "of the tensor, with open-inference-v2", 0},
    {"probability-path", OPTION_PATH, "PATH", 0, "where the answer has the probabilities", 0},
    {"activation", OPTION_ACTIVATION, "NAME", 0,
     "softmax or sigmoid, when the model answers with logits; percent, when from 0 to 100", 0},
    {"json", OPTION_JSON, 0, 0, "print everything that was found as JSON", 0},
    {0}};

static const char doc[] =
    "Asks the model at URL about one image in every format that explaind knows, and tells which it takes, how many "
    "images in a request, how long a call takes and what an explanation will cost.\v"
    "Credentials come from the environment: EXPLAIND_TOKEN is sent as a bearer token, EXPLAIND_USER and "
    "EXPLAIND_PASSWORD as HTTP Basic.\n\n"
    "Exit status: 0 a format works, 64 wrong usage, 65 the image cannot be used, 69 no format works.\n";

struct options {
    const char *url, *image;
    uint32_t height, width, channels;
    struct xpl_sample_format format; /* name NULL = all */
    struct xpl_answer_hints answer;
    bool json;
};

struct probing {
    struct xpl_arena *arena;
    struct options options;
    struct xpl_endpoint endpoint;
    uint8_t *bytes;
    uint32_t height, width;
};

static size_t take_choice(struct argp_state *state, const char *option, const char *text, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    argp_error(state, "--%s %s: there is no such %s", option, text, option);
    return 0;
}

static void take_size(struct argp_state *state, const char *text, struct options *o)
{
    char end;

    if (sscanf(text, "%4ux%4u%c", &o->height, &o->width, &end) != 2 || o->height < 1 || o->width < 1 ||
        o->height > XPL_IMAGE_MAX_SIDE || o->width > XPL_IMAGE_MAX_SIDE)
        argp_error(state, "--size %s: HxW with sides from 1 to %u, such as 224x224, is needed", text,
                   XPL_IMAGE_MAX_SIDE);
}

static error_t take_format(int key, char *value, struct argp_state *state, struct options *o)
{
    static const char *const ranges[] = {"0..255", "0..1", "-1..1", NULL};
    static const char *const layouts[] = {"auto", "hwc", "chw", NULL};
    static const char *const activations[] = {"none", "softmax", "sigmoid", "percent", NULL};

    switch (key) {
    case OPTION_FORMAT:
        o->format.name = xpl_sample_formats[take_choice(state, "format", value, xpl_sample_formats)];
        return 0;
    case OPTION_RANGE:
        o->format.range = (enum xpl_sample_range)take_choice(state, "range", value, ranges);
        return 0;
    case OPTION_LAYOUT:
        o->format.layout = (enum xpl_layout)take_choice(state, "layout", value, layouts);
        return 0;
    case OPTION_INPUT_NAME:
        if (value[strcspn(value, "\"\\")])
            argp_error(state, "--input-name %s: without quotes and backslashes", value);
        o->format.input_name = value;
        return 0;
    case OPTION_PATH:
        if (!xpl_answer_path_is_sound(value))
            argp_error(state, "--probability-path %s: names and numbers, such as outputs.scores", value);
        o->answer.probability_path = value;
        return 0;
    case OPTION_ACTIVATION:
        o->answer.activation = (enum xpl_activation)take_choice(state, "activation", value, activations);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'i':
        o->image = value;
        return 0;
    case OPTION_SIZE:
        take_size(state, value, o);
        return 0;
    case OPTION_CHANNELS:
        if (strcmp(value, "1") != 0 && strcmp(value, "3") != 0)
            argp_error(state, "--channels %s: 1 or 3", value);
        o->channels = (uint32_t)(*value - '0');
        return 0;
    case OPTION_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "%s is one word too many", value);
        o->url = value;
        return 0;
    case ARGP_KEY_END:
        if (!o->url || !o->image)
            argp_error(state, "a scoring address and --image are needed");
        return 0;
    default:
        return take_format(key, value, state, o);
    }
}

/* ---- asking ---- */

static enum xpl_status load(struct probing *p, struct xpl_error *err)
{
    struct xpl_address_policy *policy = NULL;
    size_t length = 0;
    void *data = NULL;
    enum xpl_status st;

    p->height = p->options.height;
    p->width = p->options.width;
    if ((st = xpl_read_picture_file(p->arena, p->options.image, &data, &length, err)) ||
        (st = xpl_decode_image(p->arena, data, length, p->options.channels, &p->height, &p->width, &p->bytes, err)) ||
        (st = xpl_address_policy_new(p->arena, "", true, &policy, err)))
        return st;
    p->endpoint = (struct xpl_endpoint){.url = p->options.url,
                                        .username = getenv("EXPLAIND_USER"),
                                        .password = getenv("EXPLAIND_PASSWORD"),
                                        .bearer = getenv("EXPLAIND_TOKEN"),
                                        .policy = policy};
    return XPL_OK;
}

static void print_words(const char *format, const struct xpl_probe_report *r)
{
    if (r->status) {
        printf("  %-18s no   %s\n", format, r->error.message);
        return;
    }
    printf("  %-18s yes  %u classes; %u images a request, %u in flight; %.1f ms an image, %zu bytes for one; an "
           "explanation takes about %.1f s\n",
           format, r->n_classes, r->stats.batch, r->stats.depth, r->image_ms, r->exchange.request_bytes,
           r->image_ms * 256 / 1000);
}

static enum xpl_status try_format(struct probing *p, const char *name, json_t *views, bool *ret_works,
                                  struct xpl_error *err)
{
    static const struct xpl_probe_subject subject = {.source = "file"};
    struct xpl_predictor_options options = {.in_flight = IN_FLIGHT,
                                            .max_body_bytes = (size_t)1 << 20,
                                            .connect_timeout_ms = 5000,
                                            .call_timeout_ms = 60000,
                                            .max_answer_bytes = (size_t)16 << 20,
                                            .deadline_us = xpl_monotonic_us() + DEADLINE_US,
                                            .task_id = "probe"};
    struct xpl_model_settings model = {.has_wire = true, .answer = p->options.answer};
    struct xpl_probe_input input = {.endpoint = &p->endpoint, .options = &options, .model = &model};
    struct xpl_sample_format format = p->options.format;
    struct xpl_probe_report report;
    struct xpl_request *request;
    struct xpl_pixels *pixels;
    struct xpl_text text;
    enum xpl_status st;
    json_t *view;

    format.name = name;
    model.request.layout = format.layout;
    if ((st = xpl_sample_request(p->arena, &format, p->bytes, p->height, p->width, p->options.channels, &text, err)) ||
        (st = xpl_request_read(p->arena, text, &model.request, &xpl_decode_in_process, &request, err)) ||
        (st = xpl_request_pixels(p->arena, request, 0, &pixels, err)))
        return st;
    input.request = request;
    input.pixels = pixels;
    if ((st = xpl_probe(p->arena, &input, &report, err)))
        return st;
    *ret_works = report.status == XPL_OK;
    if (!p->options.json)
        print_words(name, &report);
    if (!(view = xpl_probe_view(&subject, &input, &report)))
        return xpl_no_memory(err);
    json_object_set_new(view, "format", json_string(name));
    return json_array_append_new(views, view) ? xpl_no_memory(err) : XPL_OK;
}

static enum xpl_status try_all(struct probing *p, json_t *views, bool *ret_works, struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;

    if (!p->options.json)
        printf("%s, asked about %s (%u x %u):\n", p->options.url, p->options.image, p->height, p->width);
    for (size_t i = 0; !st && xpl_sample_formats[i]; i++) {
        bool works = false;

        if (p->options.format.name && strcmp(p->options.format.name, xpl_sample_formats[i]) != 0)
            continue;
        st = try_format(p, xpl_sample_formats[i], views, &works, err);
        *ret_works |= works;
    }
    return st;
}

int xpl_probe_command(int argc, char **argv)
{
    static const struct argp argp = {option_list, on_option, "URL --image FILE", doc, NULL, NULL, NULL};
    static char name[] = "explaind probe";
    XPL_AUTO(xpl_arena) arena = xpl_arena_new(ARENA_BYTES);
    XPL_AUTO_JSON views = json_array();
    struct probing p = {.arena = arena, .options = {.channels = 3}};
    struct xpl_error err = {0};
    bool works = false;
    enum xpl_status st;

    if (!arena)
        return EX_OSERR;
    argp_err_exit_status = EX_USAGE;
    argv[0] = name;
    argp_parse(&argp, argc, argv, 0, NULL, &p.options);
    if ((st = load(&p, &err)) || (st = try_all(&p, views, &works, &err))) {
        fprintf(stderr, "explaind: %s%s%s\n", err.field, *err.field ? ": " : "", err.message);
        return st == XPL_BAD_FIELD ? EX_DATAERR : EX_SOFTWARE;
    }
    if (p.options.json && (json_dumpf(views, stdout, JSON_INDENT(2)) || putchar('\n') == EOF))
        return EX_IOERR;
    return works ? EX_OK : EX_UNAVAILABLE;
}
