/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background/explain_job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/configuration/subscriptions.h"
#include "api/explanations/explain_params.h"
#include "api/explanations/explanation_views.h"
#include "api/json_spec.h"
#include "api/records/record_batch.h"
#include "api/scoring/endpoint.h"
#include "api/scoring/model_settings.h"
#include "db/automatic.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/explain/coarse_to_fine.h"
#include "lib/explain/superpixels/fill.h"
#include "lib/explain/superpixels/segment.h"
#include "server/background/batch_memory.h"
#include "server/background/explain_data.h"

#define MAX_WARNINGS 4
#define FILL_BYTES   ((size_t)1 << 30) /* of the filled image, which goes when its text is written */
#define CHANGED      1e-3              /* a probability that differs by more from the logged one is worth a warning */

struct job {
    struct xpl_app *app;
    struct xpl_db *db;
    struct xpl_arena *arena;
    const struct xpl_task *task;
    struct xpl_job_progress *progress;
    struct xpl_explain_params params;
    struct xpl_task_data data;
    const struct xpl_segments *segments;
    struct xpl_fill_effect fill;
    struct xpl_endpoint endpoint;
    struct xpl_batch_memory memory;
    struct xpl_predictor *predictor;
    uint32_t n_classes;
    double *full_scores;
    bool is_logged; /* what the model said when the image was logged */
    const char *const *labels;
    struct xpl_explanation *explanation;
    const char *warnings[MAX_WARNINGS];
    size_t n_warnings;
    int64_t started_us, lap_us; /* monotonic */
    struct xpl_patience patience;
    struct xpl_interrupt interrupt; /* of it */
    struct xpl_explanation_timing timing;
};

static double lap(struct job *job)
{
    int64_t now = xpl_monotonic_us();
    double ms = (double)(now - job->lap_us) / 1000;

    job->lap_us = now;
    return ms;
}

static void enter(struct job *job, const char *phase)
{
    atomic_store(&job->progress->phase, phase);
}

/* ---- what is known about the task ---- */

/* What earlier tries took of the time the task has. */
static int64_t spent_us(const struct xpl_task *task)
{
    int64_t spent = task->retries ? xpl_now_us() - task->started_at : 0;

    return spent > 0 ? spent : 0;
}

static void be_patient(struct job *job)
{
    int64_t end_us = job->started_us + (int64_t)job->params.deadline_ms * 1000 - spent_us(job->task);

    job->patience = (struct xpl_patience){&job->progress->scoring.cancel, end_us};
    job->interrupt = (struct xpl_interrupt){xpl_patience_check, &job->patience};
}

/* ---- the way to the model ---- */

static enum xpl_status make_predictor(struct job *job, struct xpl_error *err)
{
    struct xpl_predictor_options options = xpl_predictor_options_of(job->app, &job->data.model);
    const char *url = xpl_scoring_url(job->arena, job->data.subscription);
    enum xpl_status st;

    if (!url)
        return xpl_fail(err, XPL_MODEL_UNREACHABLE,
                        "the subscription has no deployment.scoring_endpoint.url to score with");
    st =
        xpl_endpoint_make(job->app, job->arena, job->data.provider,
                          xpl_json_at(job->data.subscription, "deployment.scoring_endpoint"), url, &job->endpoint, err);
    if (st)
        return st;
    options.deadline_us = job->patience.deadline_us;
    options.circuit = xpl_model_circuit(job->arena, job->data.subscription, job->data.provider, url);
    options.call.task_id = job->task->id;
    options.call.request_id = job->task->trace_id;
    options.call.traceparent = job->task->traceparent;
    job->memory = xpl_batch_recall(job->db, job->arena, job->task, job->data.subscription);
    options.batch = job->memory.batch;
    options.known_depth = job->memory.depth;
    options.raw_refused = job->memory.raw_refused;
    options.logged_batch = job->data.request->n_images;
    return xpl_predictor_new(&job->endpoint, &options, &job->data.model.answer, &job->progress->scoring,
                             &job->predictor, err);
}

/* The same image, parameters and model give the same seed. */
static void make_seed(const struct job *job, uint8_t ret[XPL_HASH_BYTES])
{
    const struct xpl_request_image *image = &job->data.request->images[job->data.record.image_index];
    const char *model = xpl_json_string_at(job->data.subscription, "asset.asset_id");
    const struct xpl_hash_part parts[] = {
        {job->data.request->text.ptr + image->offset, image->length},
        {job->task->parameters, strlen(job->task->parameters)},
        {model ? model : "", model ? strlen(model) : 0},
        {job->task->deployment_id, strlen(job->task->deployment_id)},
    };

    xpl_hash_parts(parts, XPL_COUNT(parts), ret);
}

static enum xpl_status make_splicer(struct job *job, struct xpl_error *err)
{
    XPL_AUTO(xpl_arena) scratch = xpl_arena_new(FILL_BYTES);
    struct xpl_wire wire = xpl_wire_of(&job->data.model, job->endpoint.url, job->data.request);
    struct xpl_splicer *splicer;
    uint8_t of_task[XPL_HASH_BYTES], seed[XPL_HASH_BYTES];
    struct xpl_pixels *fill;
    enum xpl_status st;

    if (!scratch)
        return xpl_no_memory(err);
    make_seed(job, of_task);
    xpl_explain_choose_seed(of_task, &job->params, seed);
    if ((st = xpl_fill_visible(scratch, job->data.image, job->segments, &job->params, seed, job->data.background, &fill,
                               &job->fill, err)) ||
        (st = xpl_splicer_new(job->arena, job->data.request, (uint32_t)job->data.record.image_index, &wire,
                              job->segments->labels, job->segments->count, fill, &splicer, err)))
        return st;
    return xpl_predictor_set_splicer(job->predictor, splicer, err);
}

static void warn(struct job *job, const char *text)
{
    if (text && job->n_warnings < MAX_WARNINGS)
        job->warnings[job->n_warnings++] = text;
}

/* The model may have changed since the image was logged. */
static void compare_with_log(struct job *job)
{
    XPL_AUTO_JSON logged = json_loads(job->data.record.predicted.probabilities, 0, NULL);
    double worst = 0;

    if (json_array_size(logged) != job->n_classes) {
        warn(job, xpl_arena_printf(job->arena, "the model answers with %u classes, the log has %zu", job->n_classes,
                                   json_array_size(logged)));
        return;
    }
    for (uint32_t c = 0; c < job->n_classes; c++)
        worst = fmax(worst, fabs(json_number_value(json_array_get(logged, c)) - job->full_scores[c]));
    if (worst > CHANGED)
        warn(job, xpl_arena_printf(job->arena, "the model's probabilities differ from the logged ones by up to %.4f",
                                   worst));
}

/* Not from a scoring that failed: that it failed with one image, too, says that their number was not the reason. */
static void remember_batch(const struct job *job, enum xpl_status st)
{
    const struct xpl_batch_memory *before = &job->memory;
    struct xpl_batch_memory now = {.batch = xpl_predictor_batch(job->predictor),
                                   .depth = xpl_predictor_depth(job->predictor),
                                   .raw_refused = xpl_predictor_raw_refused(job->predictor)};

    if (st && st != XPL_DEADLINE)
        return;
    if (now.depth == 0)
        now.depth = before->depth;
    if (now.batch.accepted != before->batch.accepted || now.batch.refused != before->batch.refused ||
        now.depth != before->depth || now.raw_refused != before->raw_refused)
        xpl_batch_remember(job->app, job->task, job->data.subscription, &now);
}

static enum xpl_status try_model(struct job *job, struct xpl_error *err)
{
    uint64_t all_on = ((uint64_t)1 << job->segments->count) - 1;
    enum xpl_status st =
        xpl_predictor_try(job->predictor, job->arena, all_on, &job->n_classes, &job->full_scores, &job->labels, err);

    if (st)
        return st;
    job->is_logged = strcmp(job->data.record.predicted.probabilities, XPL_NO_PROBABILITIES) != 0;
    if (job->is_logged)
        compare_with_log(job);
    return XPL_OK;
}

/* ---- the engine ---- */

static enum xpl_status score(void *model, const xpl_mask *masks, size_t n, double *ret_scores, struct xpl_error *err)
{
    struct job *job = model;

    return xpl_predictor_score(job->predictor, masks, n, ret_scores, err);
}

static enum xpl_status use_segments(void *model, const struct xpl_segments *segments, struct xpl_error *err)
{
    struct job *job = model;

    job->segments = segments;
    return make_splicer(job, err);
}

static void plan(void *model, size_t total)
{
    struct job *job = model;

    atomic_store(&job->progress->scoring.planned, total);
}

static enum xpl_status explain(struct job *job, struct xpl_error *err)
{
    struct xpl_explain_input input = {.image = job->data.image,
                                      .segments = job->segments,
                                      .params = job->params,
                                      .fill = &job->fill,
                                      .n_classes = job->n_classes,
                                      .full_scores = job->full_scores,
                                      .score = score,
                                      .plan = plan,
                                      .model = job,
                                      .interrupt = &job->interrupt};

    make_seed(job, input.seed);
    return xpl_explain_coarse_to_fine(job->arena, &input, use_segments, &job->segments, &job->explanation, err);
}

/* ---- the budget of automatic explanations ---- */

static enum xpl_status run_count(struct xpl_db *db, void *arg, struct xpl_error *err)
{
    const struct job *job = arg;
    struct xpl_automatic_count more = {.rule = job->task->rule};
    struct xpl_predictor_stats stats;

    xpl_predictor_stats(job->predictor, &stats);
    more.model_calls = (int64_t)stats.images;

    return xpl_automatic_add(db, job->task->subscription_id, xpl_hour_of(xpl_now_us()), &more, err);
}

/* Whatever becomes of the explanation: what was asked of the model is spent. */
static void count_calls(struct job *job)
{
    struct xpl_error err = {0};

    if (job->task->rule && job->predictor && xpl_writer_run(job->app->writer, run_count, job, 256, &err))
        xpl_log(XPL_LOG_ERROR, "model calls not counted", "task", job->task->id, "message", err.message, NULL);
}

/* ---- the whole ---- */

static enum xpl_status prepare(struct job *job, struct xpl_error *err)
{
    struct xpl_segments *segments;
    enum xpl_status st;

    enter(job, "segmenting");
    if ((st = xpl_explain_params_stored(job->arena, job->task->parameters, &job->params, err)))
        return st;
    be_patient(job);
    if ((st = xpl_task_data_load(job->app, job->db, job->arena, job->task, &job->params, &job->data, err)))
        return st;
    job->timing.decode = lap(job);
    if ((st = xpl_segment_image(job->arena, job->data.image, &job->params, &job->interrupt, &segments, err)))
        return st;
    job->segments = segments;
    job->timing.segment = lap(job);
    return XPL_OK;
}

static enum xpl_status run(struct job *job, struct xpl_error *err)
{
    struct xpl_predictor_stats stats;
    enum xpl_status st;

    if ((st = prepare(job, err)) || (st = make_predictor(job, err)) || (st = make_splicer(job, err)))
        return st;
    atomic_store(&job->progress->scoring_started_us, xpl_monotonic_us());
    enter(job, "scoring");
    st = try_model(job, err);
    if (!st)
        st = explain(job, err);
    remember_batch(job, st);
    if (st == XPL_DEADLINE)
        xpl_predictor_tell_deadline(&job->progress->scoring, err);
    if (st)
        return st;
    warn(job, xpl_predictor_caveat(job->predictor, job->arena));
    xpl_predictor_stats(job->predictor, &stats);
    job->timing.score = stats.seconds * 1000;
    job->timing.fit = fmax(0, lap(job) - job->timing.score);
    enter(job, "rendering");
    return XPL_OK;
}

/* The record was logged without the model's answer: it gets that of the first call. */
static enum xpl_status make_prediction(struct job *job, struct xpl_task_result *ret, struct xpl_error *err)
{
    struct xpl_prediction *prediction = XPL_NEW(job->arena, struct xpl_prediction);

    ret->prediction = prediction;
    return prediction ? xpl_prediction_of(job->arena, job->full_scores, job->n_classes, job->labels, prediction, err)
                      : xpl_no_memory(err);
}

static enum xpl_status make_result(struct job *job, struct xpl_task_result *ret, struct xpl_error *err)
{
    const struct xpl_explanation *e = job->explanation;
    struct xpl_finished finished = {.task = job->task,
                                    .subscription = job->data.subscription,
                                    .finished_at = xpl_now_us(),
                                    .params = &job->params,
                                    .image = job->data.image,
                                    .segments = job->segments,
                                    .explanation = e,
                                    .n_model_classes = job->n_classes,
                                    .labels = job->labels,
                                    .warnings = job->warnings,
                                    .n_warnings = job->n_warnings};
    enum xpl_status st;

    if (!job->is_logged && (st = make_prediction(job, ret, err)))
        return st;
    xpl_predictor_stats(job->predictor, &finished.stats);
    if ((st = xpl_finished_answer(job->arena, &finished, &ret->answer, err)))
        return st;
    job->timing.render = lap(job);
    job->timing.total = (double)(xpl_monotonic_us() - job->started_us) / 1000;
    job->timing.queued = fmax(0, (double)(job->task->started_at - job->task->created_at) / 1000);
    finished.timing = job->timing;
    ret->n_segments = job->segments->count;
    ret->masks = (struct xpl_blob){e->masks, e->calls * sizeof *e->masks};
    ret->classes = (struct xpl_blob){e->kept_classes, e->n_kept * sizeof *e->kept_classes};
    ret->scores = (struct xpl_blob){e->kept_scores, e->calls * e->n_kept * sizeof *e->kept_scores};
    return xpl_finished_attributions(job->arena, &finished, &ret->attributions, err);
}

enum xpl_status xpl_explain_job(struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                const struct xpl_task *task, struct xpl_job_progress *progress,
                                struct xpl_task_result *ret, struct xpl_error *err)
{
    struct job *job = XPL_NEW(arena, struct job);
    enum xpl_status st;

    if (!job)
        return xpl_no_memory(err);
    *job = (struct job){.app = app, .db = db, .arena = arena, .task = task, .progress = progress};
    job->started_us = job->lap_us = xpl_monotonic_us();
    st = run(job, err);
    count_calls(job);
    if (!st)
        st = make_result(job, ret, err);
    xpl_predictor_free(job->predictor);
    xpl_task_data_release(&job->data);
    return st;
}
