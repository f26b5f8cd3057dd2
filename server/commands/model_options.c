/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/model_options.h"

#include <stdio.h>
#include <string.h>

#include "lib/image/pixels.h"
#include "lib/scoring/answers/answer_table.h"
#include "lib/scoring/transport/url.h"

enum {
    OPTION_FORMAT = 256,
    OPTION_LAYOUT,
    OPTION_INPUT_NAME,
    OPTION_PATH,
    OPTION_ACTIVATION,
    OPTION_CLASS_LABELS,
    OPTION_SIZE,
    OPTION_CHANNELS,
    OPTION_RANGE,
    OPTION_FIXED_BATCH
};

static const struct argp_option option_list[] = {
    {"format", OPTION_FORMAT, "FORMAT", 0, "what it takes: ", 0}, /* add_names puts the rest */
    {"layout", OPTION_LAYOUT, "LAYOUT", 0, "of the numbers sent: hwc (default) or chw, channels first", 0},
    {"input-name", OPTION_INPUT_NAME, "NAME", 0,
     "of the tensor or column, with open-inference-v2 and tf-serving-columns (default input-0), or of the form's "
     "field, "
     "with form-png and form-jpeg (default file)",
     0},
    {"probability-path", OPTION_PATH, "PATH", 0, "where the answer has the probabilities, if they are not found", 0},
    {"activation", OPTION_ACTIVATION, "NAME", 0,
     "softmax or sigmoid, when the model answers with logits; percent, when with numbers from 0 to 100", 0},
    {"class-labels", OPTION_CLASS_LABELS, "FILE", 0,
     "the names of all classes in their order, one a line; needed when the model answers with names only, or with the "
     "best few",
     0},
    {"size", OPTION_SIZE, "HxW", 0, "scale the image to the model's input size", 0},
    {"channels", OPTION_CHANNELS, "N", 0, "3 (default), or 1 for grey", 0},
    {"fixed-batch", OPTION_FIXED_BATCH, "N", 0,
     "images in every request, of a model that takes no other number: what is missing is filled up with copies", 0},
    {"range", OPTION_RANGE, "RANGE", 0, "of the values sent: 0..255 (default), 0..1 or -1..1", 0},
    {0}};

static size_t take_choice(struct argp_state *state, const char *option, const char *text, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    argp_error(state, "--%s %s: there is no such %s", option, text, option);
    return 0;
}

static void take_size(struct argp_state *state, const char *text, struct xpl_model_options *options)
{
    char end;

    if (sscanf(text, "%4ux%4u%c", &options->height, &options->width, &end) != 2 || options->height < 1 ||
        options->width < 1 || options->height > XPL_IMAGE_MAX_SIDE || options->width > XPL_IMAGE_MAX_SIDE)
        argp_error(state, "--size %s: HxW with sides from 1 to %u, such as 224x224, is needed", text,
                   XPL_IMAGE_MAX_SIDE);
}

static void take_channels(struct argp_state *state, const char *text, struct xpl_model_options *options)
{
    if (strcmp(text, "1") != 0 && strcmp(text, "3") != 0)
        argp_error(state, "--channels %s: 1 or 3", text);
    options->channels = (uint32_t)(*text - '0');
}

static void take_input_name(struct argp_state *state, const char *text, struct xpl_model_options *options)
{
    if (text[strcspn(text, "\"\\")])
        argp_error(state, "--input-name %s: without quotes and backslashes", text);
    options->format.input_name = text;
}

static void take_path(struct argp_state *state, const char *text, struct xpl_model_options *options)
{
    if (!xpl_answer_path_is_sound(text))
        argp_error(state, "--probability-path %s: names and numbers, such as outputs.scores or results[*].p", text);
    options->answer.probability_path = text;
}

static void take_fixed_batch(struct argp_state *state, const char *text, struct xpl_model_options *options)
{
    char end;

    if (sscanf(text, "%4u%c", &options->fixed_batch, &end) != 1 || options->fixed_batch < 2 ||
        options->fixed_batch > XPL_MODEL_MAX_BATCH)
        argp_error(state, "--fixed-batch %s: a number from 2 to %u is needed", text, XPL_MODEL_MAX_BATCH);
}

const char *xpl_model_url(struct argp_state *state, const char *option, const char *url)
{
    struct xpl_error err = {0};

    if (xpl_url_check(url, option, &err))
        argp_error(state, "%s %s", option, err.message);
    return url;
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    static const char *const ranges[] = {"0..255", "0..1", "-1..1", NULL};
    static const char *const layouts[] = {"auto", "hwc", "chw", NULL};
    static const char *const activations[] = {"none", "softmax", "sigmoid", "percent", NULL};
    struct xpl_model_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        *options = (struct xpl_model_options){.channels = 3};
        return 0;
    case OPTION_FORMAT:
        if (!xpl_sample_frame(value))
            argp_error(state, "--format %s: there is no such format", value);
        options->format.name = value;
        return 0;
    case OPTION_LAYOUT:
        options->format.layout = (enum xpl_layout)take_choice(state, "layout", value, layouts);
        return 0;
    case OPTION_INPUT_NAME:
        take_input_name(state, value, options);
        return 0;
    case OPTION_PATH:
        take_path(state, value, options);
        return 0;
    case OPTION_ACTIVATION:
        options->answer.activation = (enum xpl_activation)take_choice(state, "activation", value, activations);
        return 0;
    case OPTION_CLASS_LABELS:
        options->class_labels = value;
        return 0;
    case OPTION_SIZE:
        take_size(state, value, options);
        return 0;
    case OPTION_CHANNELS:
        take_channels(state, value, options);
        return 0;
    case OPTION_FIXED_BATCH:
        take_fixed_batch(state, value, options);
        return 0;
    case OPTION_RANGE:
        options->format.range = (enum xpl_sample_range)take_choice(state, "range", value, ranges);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The help of --format names all of them. */
static char *add_names(int key, const char *text, void *input)
{
    char *all = NULL;
    size_t size = 0;
    FILE *out;

    (void)input;
    if (key != OPTION_FORMAT || !(out = open_memstream(&all, &size)))
        return (char *)(uintptr_t)text;
    fputs(text, out);
    for (const struct xpl_sample_frame *frame = xpl_sample_formats; frame->name; frame++)
        fprintf(out, "%s%s", frame == xpl_sample_formats ? "" : ", ", frame->name);
    fclose(out);
    return all;
}

const struct argp xpl_model_argp = {option_list, on_option, NULL, NULL, NULL, add_names, NULL};

/* ---- what they mean ---- */

struct xpl_model_settings xpl_model_options_settings(const struct xpl_model_options *options, const char *format)
{
    return (struct xpl_model_settings){
        .request.layout = options->format.layout,
        .answer = options->answer,
        .fixed_batch = options->fixed_batch,
        .has_wire = true,
        .wire.raw = xpl_sample_frame(format)->image == XPL_SAMPLE_RAW ? XPL_RAW_ALWAYS : XPL_RAW_IF_SMALLER};
}

struct xpl_wire xpl_model_options_wire(const struct xpl_model_options *options, const char *url,
                                       const struct xpl_request *request)
{
    struct xpl_model_settings model = xpl_model_options_settings(options, options->format.name);

    return xpl_wire_of(&model, url, request);
}
