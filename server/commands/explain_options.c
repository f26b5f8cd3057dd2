/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/explain_options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/text.h"

enum {
    OPTION_CLASS = 256,
    OPTION_PANE,
    OPTION_JSON,
    OPTION_DESIGN,
    OPTION_BUDGET,
    OPTION_ZONES,
    OPTION_SUPERPIXELS,
    OPTION_REFINE,
    OPTION_FILL,
    OPTION_CONTRASTIVE,
    OPTION_SEED,
    OPTION_DEADLINE
};

static const struct argp_option option_list[] = {
    {"model", 'm', "URL", 0, "the model's scoring endpoint", 0},
    {"class", OPTION_CLASS, "N", 0, "explain this class instead of the most probable one", 0},
    {"output", 'o', "FILE", 0, "write a picture: .png, or .svg of a heat map", 0},
    {"pane", OPTION_PANE, "PANE", 0,
     "which: heatmap (default), positive, negative, both, outline, masked, sheet, pertinent_positive, "
     "pertinent_negative",
     0},
    {"json", OPTION_JSON, 0, 0, "print all numbers as JSON, as GET .../attributions does", 0},
    {"design", OPTION_DESIGN, "DESIGN", 0, "auto (default), exact, array, adaptive or reference", 0},
    {"budget", OPTION_BUDGET, "N", 0, "model calls at most", 0},
    {"zones", OPTION_ZONES, "N", 0, "superpixels at most", 0},
    {"superpixels", OPTION_SUPERPIXELS, "NAME", 0, "quickshift (default), slic, felzenszwalb or grid", 0},
    {"refine", OPTION_REFINE, "N", 0, "split the superpixels that matter until there are N, and explain again", 0},
    {"fill", OPTION_FILL, "FILL", 0, "of hidden zones: mean (default), black, blur, noise or #rrggbb", 0},
    {"contrastive", OPTION_CONTRASTIVE, 0, 0,
     "find the zones that are enough for the class, and those that change it when hidden", 0},
    {"seed", OPTION_SEED, "N", 0, "of what is drawn", 0},
    {"deadline", OPTION_DEADLINE, "MS", 0, "time for the explanation (default 120000)", 0},
    {0}};

static const char doc[] =
    "Explains what an image model says of IMAGE, by asking its REST endpoint about variations of it.\v"
    "Without --format, numbers are sent as wml-v4.\n\n"
    "Credentials come from the environment: EXPLAIND_TOKEN is sent as a bearer token, EXPLAIND_USER and "
    "EXPLAIND_PASSWORD "
    "as HTTP Basic.\n\n"
    "Exit status: 0 explained, 64 wrong usage, 65 the image cannot be used, 69 the model cannot, 74 not all could be "
    "printed, 130 interrupted.\n";

static int64_t take_number(struct argp_state *state, const char *option, const char *text)
{
    int64_t value = 0;

    if (!xpl_parse_int(text, 0, INT64_MAX, &value))
        argp_error(state, "--%s %s: a whole number is needed", option, text);
    return value;
}

/* Into the parameters, where it is checked like that of a request. */
static void set(struct xpl_explain_options *options, const char *name, json_t *value)
{
    json_object_set_new(json_object_get(options->parameters, "image"), name, value);
}

static void set_segmentation(struct xpl_explain_options *options, const char *name, json_t *value)
{
    json_object_set_new(json_object_get(json_object_get(options->parameters, "image"), "segmentation"), name, value);
}

static void ask_contrastive(struct xpl_explain_options *options)
{
    json_object_set_new(options->parameters, "contrastive", json_pack("{s:b}", "enabled", 1));
}

static error_t take_parameter(int key, const char *value, struct argp_state *state, struct xpl_explain_options *options)
{
    switch (key) {
    case OPTION_CLASS:
        options->class_index = value;
        set(options, "classes", json_pack("[s]", value));
        return 0;
    case OPTION_DESIGN:
        set(options, "design", json_string(value));
        return 0;
    case OPTION_BUDGET:
        set(options, "budget", json_integer(take_number(state, "budget", value)));
        return 0;
    case OPTION_ZONES:
        set_segmentation(options, "max_segments", json_integer(take_number(state, "zones", value)));
        return 0;
    case OPTION_REFINE:
        set_segmentation(options, "refine", json_integer(take_number(state, "refine", value)));
        return 0;
    case OPTION_SUPERPIXELS:
        set_segmentation(options, "algorithm", json_string(value));
        return 0;
    case OPTION_FILL:
        if (strcmp(value, "image") == 0)
            argp_error(state, "--fill image: only the daemon has other images to show");
        set(options, "fill", json_string(value));
        return 0;
    case OPTION_CONTRASTIVE:
        ask_contrastive(options);
        return 0;
    case OPTION_SEED:
        set(options, "seed", json_integer(take_number(state, "seed", value)));
        return 0;
    case OPTION_DEADLINE:
        set(options, "deadline_ms", json_integer(take_number(state, "deadline", value)));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Told before the model is asked for what could not be kept. */
static bool can_write(const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    struct stat found;

    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (access(path, F_OK) == 0)
        return access(path, W_OK) == 0;
    snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    return access(directory, W_OK) == 0;
}

/* An SVG is a heat map, and is asked for by its name. Without an ending a PNG is written. */
static void check_output(struct argp_state *state, struct xpl_explain_options *options)
{
    const char *slash = options->output ? strrchr(options->output, '/') : NULL;
    const char *name = slash ? slash + 1 : options->output, *dot = name ? strrchr(name, '.') : NULL;

    if (dot && strcmp(dot, ".png") != 0 && strcmp(dot, ".svg") != 0)
        argp_error(state, "--output %s: pictures are written as .png, and heat maps as .svg", options->output);
    options->picture.format = dot && strcmp(dot, ".svg") == 0 ? XPL_PICTURE_SVG : XPL_PICTURE_PNG;
    if (options->picture.format == XPL_PICTURE_SVG && options->picture.kind != XPL_PICTURE_HEATMAP)
        argp_error(state, "only heat maps are written as SVG");
    if (options->output && !can_write(options->output))
        argp_error(state, "--output %s: %s", options->output, strerror(errno));
}

static void check(struct argp_state *state, struct xpl_explain_options *options)
{
    options->picture.legend = options->picture.kind == XPL_PICTURE_HEATMAP;
    if (!options->image || !options->url)
        argp_error(state, "an image and --model are needed");
    if (options->picture.kind >= XPL_PICTURE_PERTINENT_POSITIVE)
        ask_contrastive(options);
    check_output(state, options);
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct xpl_explain_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->model;
        return 0;
    case 'm':
        options->url = xpl_model_url(state, "--model", value);
        return 0;
    case 'o':
        options->output = value;
        return 0;
    case OPTION_PANE:
        if (!xpl_picture_query_of(value, &options->picture))
            argp_error(state, "--pane %s: there is no such pane", value);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "%s is one word too many", value);
        options->image = value;
        return 0;
    case ARGP_KEY_END:
        check(state, options);
        return 0;
    default:
        return take_parameter(key, value, state, options);
    }
}

void xpl_explain_options_read(int argc, char **argv, struct xpl_explain_options *ret)
{
    static const struct argp_child children[] = {{&xpl_model_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {option_list, on_option, "IMAGE --model URL", doc, children, NULL, NULL};
    static char name[] = "explaind explain";

    argp_err_exit_status = EX_USAGE;
    argv[0] = name;
    *ret = (struct xpl_explain_options){.parameters = json_pack("{s:{s:{}}}", "image", "segmentation")};
    xpl_picture_query_of("heatmap", &ret->picture);
    argp_parse(&argp, argc, argv, 0, NULL, ret);
    if (!ret->model.format.name)
        ret->model.format.name = xpl_sample_formats[0].name;
}
