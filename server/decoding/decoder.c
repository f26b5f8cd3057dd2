/* SPDX-License-Identifier: Apache-2.0 */
#include "server/decoding/decoder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/image/pixels.h"
#include "server/decoding/decode_helper.h"
#include "server/decoding/decode_process.h"

#define START_US      ((int64_t)30000000)
#define KEPT_MEMORY   ((uint32_t)32 << 20) /* what one picture may leave resident */
#define CPU_RESERVE_S 10

struct xpl_decoder {
    struct xpl_picture_decoder face;
    const char *program;
    int64_t timeout_us;
    pthread_mutex_t lock; /* of all below */
    struct xpl_decode_process process;
    bool ready;        /* it has said so */
    int64_t worked_us; /* its answers took so long, which is more than it had of the processor */
    xpl_counter *failures;
};

/* ---- the process ---- */

static void drop(struct xpl_decoder *d)
{
    xpl_decode_process_end(&d->process);
    d->ready = false;
    d->worked_us = 0;
}

static void drop_failed(struct xpl_decoder *d, enum xpl_decode_outcome why)
{
    static const char *const names[] = {
        [XPL_DECODE_ENDED] = "ended", [XPL_DECODE_TIMEOUT] = "timeout", [XPL_DECODE_LIED] = "nonsense"};

    drop(d);
    xpl_count(d->failures);
    xpl_log(XPL_LOG_WARN, "decoder_restarted", "reason", names[why], NULL);
}

/* The first answer says that it has locked itself in. */
static enum xpl_status make_ready(struct xpl_decoder *d, struct xpl_error *err)
{
    char reason[XPL_ERROR_MESSAGE_MAX] = "it did not come up";
    struct xpl_decode_answer answer;
    enum xpl_decode_outcome outcome;

    if (d->ready)
        return XPL_OK;
    if (!xpl_decode_process_runs(&d->process) && xpl_decode_process_start(d->program, &d->process, err))
        return XPL_OVERLOADED;
    xpl_decode_process_begin(&d->process, START_US);
    outcome = xpl_decode_receive_head(&d->process, &answer);
    if (outcome == XPL_DECODE_DONE && answer.refused)
        outcome = xpl_decode_receive_reason(&d->process, &answer, reason);
    d->ready = outcome == XPL_DECODE_DONE && !answer.refused;
    if (d->ready)
        return XPL_OK;
    drop(d);
    return xpl_fail(err, XPL_OVERLOADED, "pictures cannot be decoded now: the process for it cannot be started (%s)",
                    reason);
}

/* Memory that a picture took stays with the process, and its time is limited over all pictures. */
static void renew_if_used_up(struct xpl_decoder *d, const struct xpl_decode_answer *answer)
{
    if (answer->memory_used > KEPT_MEMORY ||
        d->worked_us > (int64_t)(XPL_DECODE_CPU_SECONDS - CPU_RESERVE_S) * 1000000 - d->timeout_us)
        drop(d);
}

/* ---- one picture ---- */

struct wanted {
    struct xpl_arena *arena;
    const void *data;
    size_t length;
    struct xpl_picture_size size;
    uint8_t *pixels;
};

static bool is_plausible(const struct xpl_decode_answer *answer)
{
    const struct xpl_picture_size *p = &answer->picture;

    return p->height >= 1 && p->width >= 1 && p->height <= XPL_IMAGE_MAX_SIDE && p->width <= XPL_IMAGE_MAX_SIDE &&
           (size_t)p->height * p->width <= XPL_PICTURE_MAX_PIXELS &&
           (p->channels == 1 || p->channels == 3 || p->channels == 4) &&
           answer->length == p->height * p->width * p->channels;
}

static enum xpl_decode_outcome receive_pixels(struct xpl_decoder *d, struct wanted *w,
                                              const struct xpl_decode_answer *answer, enum xpl_status *ret_st,
                                              struct xpl_error *err)
{
    if (!is_plausible(answer))
        return XPL_DECODE_LIED;
    w->size = answer->picture;
    if (!(w->pixels = xpl_arena_alloc(w->arena, answer->length))) {
        *ret_st = xpl_no_memory(err);
        return XPL_DECODE_LIED; /* what follows is not read */
    }
    return xpl_decode_receive(&d->process, w->pixels, answer->length);
}

static enum xpl_decode_outcome ask(struct xpl_decoder *d, struct wanted *w, enum xpl_status *ret_st,
                                   struct xpl_error *err)
{
    const struct xpl_decode_question question = {(uint32_t)w->length};
    char reason[XPL_ERROR_MESSAGE_MAX];
    struct xpl_decode_answer answer;
    enum xpl_decode_outcome outcome;
    int64_t started_us = xpl_monotonic_us();

    xpl_decode_process_begin(&d->process, d->timeout_us);
    if ((outcome = xpl_decode_send(&d->process, &question, sizeof question)) ||
        (outcome = xpl_decode_send(&d->process, w->data, w->length)) ||
        (outcome = xpl_decode_receive_head(&d->process, &answer)))
        return outcome;
    if (!answer.refused)
        outcome = receive_pixels(d, w, &answer, ret_st, err);
    else if (!(outcome = xpl_decode_receive_reason(&d->process, &answer, reason)))
        *ret_st = xpl_fail(err, XPL_BAD_RECORD, "%s", reason);
    d->worked_us += xpl_monotonic_us() - started_us;
    if (!outcome)
        renew_if_used_up(d, &answer);
    return outcome;
}

static enum xpl_status blame(const struct xpl_decoder *d, enum xpl_decode_outcome outcome, struct xpl_error *err)
{
    switch (outcome) {
    case XPL_DECODE_DONE:
        return XPL_OK;
    case XPL_DECODE_TIMEOUT:
        return xpl_fail(err, XPL_BAD_RECORD, "is a picture that is not decoded within %lld ms (limits.decode_ms)",
                        (long long)d->timeout_us / 1000);
    case XPL_DECODE_ENDED:
    case XPL_DECODE_LIED:
        break;
    }
    return xpl_fail(err, XPL_BAD_RECORD, "is a picture that breaks the decoder");
}

static enum xpl_status decode_locked(struct xpl_decoder *d, struct wanted *w, struct xpl_error *err)
{
    enum xpl_decode_outcome outcome = XPL_DECODE_ENDED;
    enum xpl_status st = XPL_OK;

    for (int tries = 0; tries < 2 && outcome == XPL_DECODE_ENDED; tries++) {
        if (make_ready(d, err))
            return XPL_OVERLOADED;
        if ((outcome = ask(d, w, &st, err)))
            drop_failed(d, outcome);
    }
    return st ? st : blame(d, outcome, err);
}

static enum xpl_status decode(const void *context, struct xpl_arena *arena, const void *data, size_t length,
                              struct xpl_picture_size *ret_size, uint8_t **ret, struct xpl_error *err)
{
    struct wanted w = {.arena = arena, .data = data, .length = length};
    struct xpl_decoder *d = (struct xpl_decoder *)(uintptr_t)context; /* the face of a decoder that is ours to lock */
    enum xpl_status st;

    if (length > XPL_PICTURE_MAX_BYTES)
        return xpl_fail(err, XPL_BAD_RECORD, "is a picture of more than %zu bytes", XPL_PICTURE_MAX_BYTES);
    pthread_mutex_lock(&d->lock);
    st = decode_locked(d, &w, err);
    pthread_mutex_unlock(&d->lock);
    if (st)
        return st;
    *ret_size = w.size;
    *ret = w.pixels;
    return XPL_OK;
}

/* ---- life ---- */

enum xpl_status xpl_decoder_start(const struct xpl_decoder_options *options, struct xpl_decoder **ret,
                                  struct xpl_error *err)
{
    struct xpl_decoder *d = calloc(1, sizeof *d);

    if (!d)
        return xpl_no_memory(err);
    d->face = (struct xpl_picture_decoder){d, decode};
    d->program = options->program;
    d->timeout_us = options->timeout_ms * 1000;
    d->failures = options->failures;
    pthread_mutex_init(&d->lock, NULL);
    xpl_decode_process_start(d->program, &d->process, NULL); /* if not, the check says so */
    *ret = d;
    return XPL_OK;
}

void xpl_decoder_check(struct xpl_decoder *d)
{
    struct xpl_error why = {0};

    pthread_mutex_lock(&d->lock);
    if (make_ready(d, &why))
        xpl_log(XPL_LOG_ERROR, "decoder_not_started", "message", why.message, NULL);
    pthread_mutex_unlock(&d->lock);
}

void xpl_decoder_stop(struct xpl_decoder *d)
{
    if (!d)
        return;
    drop(d);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

const struct xpl_picture_decoder *xpl_decoder_face(const struct xpl_decoder *d)
{
    return &d->face;
}
