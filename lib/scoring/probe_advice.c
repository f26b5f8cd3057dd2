/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/probe_advice.h"

/* ---- of a model that fails ---- */

static const char *on_bad_answer(struct xpl_arena *arena, const struct xpl_exchange *e)
{
    if (xpl_exchange_is_compressed(e))
        return xpl_arena_printf(arena,
                                "the answer is compressed (Content-Encoding: %s), which was not asked for: let the "
                                "model, or what stands in front of it, answer without",
                                e->encoding);
    return "the model answered, but not in a form that is known: probability_path can say where the probabilities "
           "are, activation what makes them of logits, class_labels what the classes are";
}

static const char *on_redirect(struct xpl_arena *arena, const struct xpl_exchange *e)
{
    return xpl_arena_printf(arena,
                            "redirects are not followed: put the address that this one points to%s%s into "
                            "deployment.scoring_endpoint.url",
                            *e->location ? ", " : "", *e->location ? e->location : "");
}

static const char *on_limit(struct xpl_arena *arena, const struct xpl_exchange *e)
{
    const char *wait = "";

    if (e->retry_after_ms)
        wait =
            xpl_arena_printf(arena, " (it asks to wait for %lld s, Retry-After)", (long long)e->retry_after_ms / 1000);
    return wait ? xpl_arena_printf(arena,
                                   "the model limits how many calls it takes%s: in_flight 1 makes one at a time, batch "
                                   "fewer with more images; explanations wait for Retry-After, 30 s at most, and try "
                                   "again",
                                   wait)
                : NULL;
}

static const char *on_refusal(struct xpl_arena *arena, const struct xpl_probe_report *report)
{
    const struct xpl_exchange *e = &report->exchange;
    long status = e->last_status;

    if (status >= 300 && status < 400)
        return on_redirect(arena, e);
    if (status == 401 || status == 403)
        return "the model wants other credentials: those of the service provider, or of deployment.scoring_endpoint";
    if (status == 404)
        return "there is nothing at the scoring address: look at deployment.scoring_endpoint.url";
    if (status == 429 || (status == 503 && e->retry_after_ms))
        return on_limit(arena, e);
    if (report->stats.form != XPL_BODY_JSON)
        return "the model did not take the request: content_type says what is sent, application/json or a file "
               "(image/png, image/jpeg, application/x-image, application/octet-stream, application/x-npy), datatype "
               "what "
               "the numbers of application/x-npy are";
    if (status == 415)
        return "the model does not take JSON: content_type can be image/png, image/jpeg, application/x-image, "
               "application/octet-stream or application/x-npy, for models that take files, and form_field names the "
               "field of those that take uploads; binary (always) sends tensors of V2 as raw bytes";
    return "the model did not take the request: compare the excerpt of it with what the model takes; protocol, "
           "input_name, datatype and layout change what is sent, binary (always) sends a tensor of V2 as raw bytes, "
           "and "
           "content_type (image/png, image/jpeg, application/x-npy, …) is for models that take files and not JSON, "
           "with form_field for uploads (multipart/form-data); fixed_batch is for models that take a certain number of "
           "images only";
}

static const char *on_failure(struct xpl_arena *arena, const struct xpl_probe_report *report)
{
    enum xpl_status st = report->status;

    if (st == XPL_MODEL_BAD_ANSWER)
        return on_bad_answer(arena, &report->exchange);
    if (st == XPL_MODEL_REFUSED || st == XPL_MODEL_FAILED)
        return on_refusal(arena, report);
    if (st == XPL_MODEL_UNREACHABLE)
        return "look at deployment.scoring_endpoint.url, at certificates, and at the setting scoring.allow";
    if (st == XPL_MODEL_TIMEOUT || st == XPL_DEADLINE)
        return "the model is slow: call_timeout_ms gives it more time, batch and in_flight less to do at once";
    return "";
}

/* ---- of one that is slow, or that limits its calls ---- */

static bool is_limited(const struct xpl_probe_report *report)
{
    return report->error.status == XPL_MODEL_FAILED;
}

static const char *on_slowness(struct xpl_arena *arena, const struct xpl_probe_input *in,
                               const struct xpl_probe_report *report)
{
    double seconds = report->image_ms * XPL_PROBE_USUAL_CALLS / 1000;
    const char *now = in->explanation_ms ? xpl_arena_printf(arena, " (%.0f s now)", in->explanation_ms / 1e3) : "";

    return now ? xpl_arena_printf(arena,
                                  "an explanation of %d images takes about %.0f s: give it a deadline_ms above that%s, "
                                  "or a smaller budget; call_timeout_ms (%u now) must be enough for a call while %u "
                                  "are under way, in_flight makes that fewer",
                                  XPL_PROBE_USUAL_CALLS, seconds, now, in->options->call.call_timeout_ms,
                                  report->stats.depth)
               : NULL;
}

static const char *warning_on(struct xpl_arena *arena, const struct xpl_probe_input *in,
                              const struct xpl_probe_report *report)
{
    double call_s = report->exchange.ms / 1000;

    if (report->error.status == XPL_MODEL_TIMEOUT)
        return xpl_arena_printf(arena,
                                "the model answered after %.1f s, but a later call was not answered within "
                                "call_timeout_ms (%u)",
                                call_s, in->options->call.call_timeout_ms);
    if (is_limited(report))
        return xpl_arena_printf(arena, "the model answered its first call; later, %s", report->error.message);
    if (report->n_trials == XPL_PROBE_TRIALS)
        return xpl_arena_printf(arena, "an explanation takes longer than it may (deadline_ms %u)", in->explanation_ms);
    return xpl_arena_printf(
        arena,
        "the model is slow: its first call took %.1f s, so that %u trial images were asked about and "
        "not %u",
        call_s, report->n_trials, XPL_PROBE_TRIALS);
}

/* Fewer trials than usual are a matter of time; so is an explanation that its deadline would end. */
static bool is_slow(const struct xpl_probe_input *in, const struct xpl_probe_report *report)
{
    return report->n_trials < XPL_PROBE_TRIALS ||
           (in->explanation_ms && report->image_ms * XPL_PROBE_USUAL_CALLS > in->explanation_ms);
}

enum xpl_status xpl_probe_advise(struct xpl_arena *arena, const struct xpl_probe_input *in,
                                 struct xpl_probe_report *report, struct xpl_error *err)
{
    bool slow = !report->status && is_slow(in, report);

    if (report->status)
        report->advice = on_failure(arena, report);
    else if (slow) {
        report->warning = warning_on(arena, in, report);
        report->advice = is_limited(report) ? on_limit(arena, &report->exchange) : on_slowness(arena, in, report);
    }
    return report->advice && (report->warning || !slow) ? XPL_OK : xpl_no_memory(err);
}
