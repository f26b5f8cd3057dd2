/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/explain_command.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/explanations/explain_params.h"
#include "lib/base/time.h"
#include "lib/explain/coarse_to_fine.h"
#include "lib/explain/superpixels/fill.h"
#include "lib/image/decode.h"
#include "lib/image/exif.h"
#include "server/commands/explain_shell.h"
#include "server/commands/label_file.h"
#include "server/commands/option_names.h"
#include "server/commands/picture_file.h"

#define ARENA_BYTES  ((size_t)1 << 30)
#define IN_FLIGHT    16
#define INTERRUPTED  130
#define BAR_WIDTH    30
#define BAR_EVERY_US 100000

/* Shared with the signal handler and the thread that draws the bar. */
static struct xpl_predictor_progress progress;
static atomic_bool bar_done;

/* ---- the image ---- */

/* Cameras store pictures as they were held, and viewers turn them. */
static void note_orientation(const void *data, size_t length)
{
    uint32_t orientation = xpl_jpeg_orientation(data, length);

    if (orientation != 1)
        fprintf(
            stderr,
            "explaind: note: the picture says that it is turned (EXIF orientation %u); it is taken as it is stored\n",
            orientation);
}

/* What was cut out of a picture often still has its colours, or black. */
static void note_alpha(const void *data, size_t length)
{
    if (xpl_image_has_alpha(data, length))
        fputs("explaind: note: the picture has an alpha channel, which is left out: the model sees the colours stored"
              " where it is transparent\n",
              stderr);
}

static enum xpl_status load_image(struct xpl_shell *s, struct xpl_error *err)
{
    uint32_t height = s->options.model.height, width = s->options.model.width;
    struct xpl_request_hints hints = {.layout = s->options.model.format.layout};
    struct xpl_segments *segments = NULL;
    struct xpl_text text;
    uint8_t *bytes;
    void *data = NULL;
    size_t length = 0;
    enum xpl_status st;

    if ((st = xpl_read_picture_file(s->arena, s->options.image, &data, &length, err)) ||
        (st = xpl_decode_image(s->arena, data, length, s->options.model.channels, &height, &width, &bytes, err)) ||
        (st = xpl_sample_request(s->arena, &s->options.model.format, bytes, height, width, s->options.model.channels,
                                 &text, err)) ||
        (st = xpl_request_read(s->arena, text, &hints, &xpl_decode_in_process, &s->request, err)) ||
        (st = xpl_request_pixels(s->arena, s->request, 0, &s->image, err)))
        return st;
    note_orientation(data, length);
    note_alpha(data, length);
    xpl_hash(text.ptr, text.length, s->seed);
    st = xpl_segment_image(s->arena, s->image, &s->params, &s->interrupt, &segments, err);
    s->segments = segments;
    return st;
}

/* ---- the model ---- */

static enum xpl_status make_predictor(struct xpl_shell *s, struct xpl_error *err)
{
    struct xpl_predictor_options options = {.in_flight = IN_FLIGHT,
                                            .fixed_batch = s->options.model.fixed_batch,
                                            .max_body_bytes = (size_t)1 << 20,
                                            .call.connect_timeout_ms = 5000,
                                            .call.call_timeout_ms = 60000,
                                            .retries = 3,
                                            .call.max_answer_bytes = (size_t)16 << 20,
                                            .deadline_us = s->patience.deadline_us,
                                            .call.task_id = "shell"};
    enum xpl_status st = xpl_address_policy_new(s->arena, "", true, &s->policy, err);

    if (st)
        return st;
    s->endpoint = (struct xpl_endpoint){.url = s->options.url,
                                        .username = getenv("EXPLAIND_USER"),
                                        .password = getenv("EXPLAIND_PASSWORD"),
                                        .bearer = getenv("EXPLAIND_TOKEN"),
                                        .policy = s->policy};
    return xpl_predictor_new(&s->endpoint, &options, &s->options.model.answer, &progress, &s->predictor, err);
}

static enum xpl_status make_splicer(struct xpl_shell *s, struct xpl_error *err)
{
    struct xpl_wire wire = xpl_model_options_wire(&s->options.model, s->options.url, s->request);
    uint8_t seed[XPL_HASH_BYTES];
    struct xpl_splicer *splicer;
    struct xpl_pixels *fill;
    enum xpl_status st;

    xpl_explain_choose_seed(s->seed, &s->params, seed);
    if ((st = xpl_fill_visible(s->arena, s->image, s->segments, &s->params, seed, NULL, &fill, &s->fill, err)) ||
        (st = xpl_splicer_new(s->arena, s->request, 0, &wire, s->segments->labels, s->segments->count, fill, &splicer,
                              err)))
        return st;
    return xpl_predictor_set_splicer(s->predictor, splicer, err);
}

static enum xpl_status score(void *model, const xpl_mask *masks, size_t n, double *ret_scores, struct xpl_error *err)
{
    struct xpl_shell *s = model;

    return xpl_predictor_score(s->predictor, masks, n, ret_scores, err);
}

static enum xpl_status use_segments(void *model, const struct xpl_segments *segments, struct xpl_error *err)
{
    struct xpl_shell *s = model;

    s->segments = segments;
    return make_splicer(s, err);
}

static void plan(void *model, size_t total)
{
    (void)model;
    atomic_store(&progress.planned, total);
}

static enum xpl_status explain(struct xpl_shell *s, struct xpl_error *err)
{
    struct xpl_explain_input input = {.image = s->image,
                                      .segments = s->segments,
                                      .params = s->params,
                                      .fill = &s->fill,
                                      .score = score,
                                      .plan = plan,
                                      .model = s,
                                      .interrupt = &s->interrupt};
    uint64_t all_on = ((uint64_t)1 << s->segments->count) - 1;
    enum xpl_status st =
        xpl_predictor_try(s->predictor, s->arena, all_on, &s->n_classes, &s->full_scores, &s->labels, err);

    if (st)
        return st;
    memcpy(input.seed, s->seed, sizeof input.seed);
    input.n_classes = s->n_classes;
    input.full_scores = s->full_scores;
    st = xpl_explain_coarse_to_fine(s->arena, &input, use_segments, &s->segments, &s->explanation, err);
    if (st == XPL_DEADLINE)
        xpl_predictor_tell_deadline(&progress, err);
    return st;
}

/* ---- progress ---- */

static void draw_bar(size_t done, size_t planned)
{
    size_t filled = planned ? done * BAR_WIDTH / planned : 0;

    filled = filled < BAR_WIDTH ? filled : BAR_WIDTH;
    fprintf(stderr, "\r[%.*s%*s] %zu of %zu calls ", (int)filled, "##############################",
            (int)(BAR_WIDTH - filled), "", done, planned);
    fflush(stderr);
}

static void *bar_main(void *arg)
{
    (void)arg;
    while (!atomic_load(&bar_done)) {
        draw_bar(atomic_load(&progress.done), atomic_load(&progress.planned));
        usleep(BAR_EVERY_US);
    }
    fprintf(stderr, "\r%60s\r", "");
    return NULL;
}

static void on_interrupt(int number)
{
    (void)number;
    atomic_store(&progress.cancel, true);
}

/* With a bar while it goes on, if somebody looks. */
static enum xpl_status explain_and_show(struct xpl_shell *s, struct xpl_error *err)
{
    pthread_t thread;
    bool bar = isatty(STDERR_FILENO) && pthread_create(&thread, NULL, bar_main, NULL) == 0;
    enum xpl_status st = explain(s, err);

    atomic_store(&bar_done, true);
    if (bar)
        pthread_join(thread, NULL);
    return st;
}

static enum xpl_status run(struct xpl_shell *s, struct xpl_error *err)
{
    enum xpl_status st;

    s->params = xpl_explain_params_default();
    s->started_us = xpl_monotonic_us();
    if ((st = xpl_explain_params_read(s->arena, s->options.parameters, "", &s->params, err)) ||
        (s->options.model.class_labels &&
         (st = xpl_label_file_read(s->arena, s->options.model.class_labels, &s->options.model.answer, err))))
        return st;
    s->patience = (struct xpl_patience){&progress.cancel, s->started_us + (int64_t)s->params.deadline_ms * 1000};
    s->interrupt = (struct xpl_interrupt){xpl_patience_check, &s->patience};
    if ((st = load_image(s, err)) || (st = xpl_explain_check_budget(&s->params, s->segments->count, err)) ||
        (st = make_predictor(s, err)) || (st = make_splicer(s, err)) || (st = explain_and_show(s, err)))
        return st;
    if (!s->options.json)
        xpl_shell_print_words(s);
    else if ((st = xpl_shell_print_json(s, err)))
        return st;
    return s->options.output ? xpl_shell_write_picture(s, err) : XPL_OK;
}

static int exit_status(enum xpl_status st, const struct xpl_error *err)
{
    if (st == XPL_CANCELLED)
        return INTERRUPTED;
    if (st == XPL_BAD_FIELD && strcmp(err->field, "image") != 0)
        return EX_USAGE;
    if (st == XPL_BAD_FIELD || st == XPL_BAD_RECORD)
        return EX_DATAERR;
    return st >= XPL_MODEL_UNREACHABLE && st <= XPL_DEADLINE ? EX_UNAVAILABLE : EX_SOFTWARE;
}

int xpl_explain_command(int argc, char **argv)
{
    struct xpl_shell s = {.arena = xpl_arena_new(ARENA_BYTES)};
    struct xpl_error err = {0};
    enum xpl_status st;
    int code = EX_OK;

    if (!s.arena)
        return EX_OSERR;
    xpl_explain_options_read(argc, argv, &s.options);
    signal(SIGINT, on_interrupt);
    if ((st = run(&s, &err))) {
        xpl_print_error(stderr, &err);
        if (st == XPL_MODEL_FAILED || st == XPL_MODEL_REFUSED)
            fprintf(stderr, "explaind: note: `explaind probe URL --image FILE' shows what it answered\n");
        code = exit_status(st, &err);
    }
    xpl_predictor_free(s.predictor);
    json_decref(s.options.parameters);
    xpl_arena_free(s.arena);
    return code;
}
