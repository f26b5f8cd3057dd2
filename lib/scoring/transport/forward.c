/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/forward.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/time.h"
#include "lib/scoring/transport/idle_connections.h"
#include "lib/scoring/transport/transport.h"

#define POLL_US   1000000
#define MOMENT_MS 2

/* ---- a call ---- */

struct xpl_forwarding {
    struct xpl_forwarder *forwarder;
    struct xpl_forward_call call;
    uint8_t key[XPL_HASH_BYTES];
    struct xpl_transport *transport;
    struct xpl_slot *slot;
    size_t length; /* of the body when it is whole, if that is known; call.body is what is there of it */
    size_t taken;  /* of it, by the connection */
    bool starved;  /* the connection waits for more of it */
    bool kept;     /* the connection was there already */
    bool ended;    /* nothing more comes: the answer is whole, or `why` says what happened */
    struct xpl_error why;
    int64_t until_us;  /* monotonic: when the model is too slow */
    int64_t ask_us;    /* likewise: when the taker is asked whether it is still there */
    int64_t waited_us; /* for the model */
    int64_t given;     /* bytes of the answer that were read */
    int64_t retry_after_ms;
};

/* ---- sending ---- */

/* Reads on from what is there; a body that is not whole yet may be read on later. */
static size_t give_part(void *context, char *out, size_t size)
{
    struct xpl_forwarding *f = context;
    size_t left = f->call.body.length - f->taken, n = left < size ? left : size;

    if (n == 0 && f->taken < f->length) {
        f->starved = f->slot->news = true;
        return CURL_READFUNC_PAUSE;
    }
    memcpy(out, f->call.body.ptr + f->taken, n);
    f->taken += n;
    return n;
}

/* What is there is kept, so that a connection that had been closed costs nothing. */
static void rewind_parts(void *context)
{
    struct xpl_forwarding *f = context;

    f->taken = 0;
}

/* The time-outs are ours: that of the library would count the time in which nobody takes the answer. */
static enum xpl_status send_request(struct xpl_forwarding *f, bool may_keep, struct xpl_error *err)
{
    const struct xpl_forward_call *call = &f->call;
    const struct xpl_media media = {
        .content_type = call->content_type, .accept = call->accept, .head_length = call->head_length};
    struct xpl_call_options options = *call->options;
    enum xpl_status st;

    options.max_answer_bytes = XPL_FORWARD_PIECE_MAX;
    options.call_timeout_ms = 0;
    f->kept = may_keep && (f->transport = xpl_idle_take(f->forwarder, f->key));
    if (!f->kept && (st = xpl_transport_new(call->endpoint, &options, 1, true, &f->transport, err)))
        return st;
    f->slot = xpl_transport_slot(f->transport, 0);
    f->slot->piece = XPL_FORWARD_PIECE_MAX - CURL_MAX_WRITE_SIZE;
    f->slot->borrowed = call->body.ptr;
    if (f->length > call->body.length)
        f->slot->source = (struct xpl_body_source){give_part, rewind_parts, f};
    if ((st = xpl_transport_redress(f->slot, call->endpoint, &options, &media, err)))
        return st;
    return xpl_transport_start(f->transport, f->slot, f->length, 0, err);
}

/*
 * A kept connection may be closed by the model while the request is on its way. The library notices when it finds no
 * answer, for some times in the life of a handle, and not when it cannot send.
 */
static bool was_closed_before(const struct xpl_forwarding *f)
{
    return f->kept && !f->slot->opened && !f->slot->whole && f->slot->header_bytes == 0 &&
           f->why.status == XPL_MODEL_UNREACHABLE;
}

static enum xpl_status send_again(struct xpl_forwarding *f, struct xpl_error *err)
{
    xpl_transport_free(f->transport);
    f->transport = NULL;
    f->slot = NULL;
    f->taken = 0;
    f->starved = false;
    f->why = (struct xpl_error){0};
    return send_request(f, false, err);
}

/* ---- waiting ---- */

/* Works on the call for at most `wait_ms`, or until there is news. */
static enum xpl_status advance(struct xpl_forwarding *f, int wait_ms, struct xpl_error *err)
{
    enum xpl_outcome outcome = XPL_OUTCOME_FAILED;
    struct xpl_slot *done = NULL;
    enum xpl_status st;

    f->slot->news = false;
    st = xpl_transport_poll(f->transport, wait_ms, &done, &outcome, &f->retry_after_ms, &f->why);
    if (st)
        return xpl_fail(err, st, "%s", f->why.message);
    if (done && was_closed_before(f))
        return send_again(f, err);
    f->ended = done;
    return XPL_OK;
}

/* A taker that is thought to be gone may only have nothing more to say: a model that is quick finds it still there. */
static enum xpl_status ask_taker(struct xpl_forwarding *f, struct xpl_error *err)
{
    int64_t now = xpl_monotonic_us();

    if (now < f->ask_us)
        return XPL_OK;
    f->ask_us = now + POLL_US;
    if (f->call.given_up && f->call.given_up(f->call.context))
        return xpl_fail(err, XPL_CANCELLED, "the call was given up");
    return XPL_OK;
}

/* One step of waiting for the model. */
static enum xpl_status wait_for_model(struct xpl_forwarding *f, struct xpl_error *err)
{
    int64_t now = xpl_monotonic_us(), left_ms = (f->until_us - now + 999) / 1000;
    int64_t ask_ms = now < f->ask_us ? (f->ask_us - now + 999) / 1000 : 0;
    enum xpl_status st;

    if (left_ms <= 0)
        return xpl_fail(err, XPL_MODEL_TIMEOUT, "the model did not answer in time");
    if ((st = advance(f, (int)(left_ms < ask_ms ? left_ms : ask_ms), err)))
        return st;
    return f->ended || f->slot->news ? XPL_OK : ask_taker(f, err);
}

/* From now on the model has its time to do something; returns the time. */
static int64_t start_waiting(struct xpl_forwarding *f)
{
    int64_t now = xpl_monotonic_us();

    f->until_us = now + (int64_t)f->call.options->call_timeout_ms * 1000;
    f->ask_us = now + POLL_US;
    return now;
}

static void stop_waiting(struct xpl_forwarding *f, int64_t started)
{
    f->waited_us += xpl_monotonic_us() - started;
}

static enum xpl_status wait_for_head(struct xpl_forwarding *f, struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;

    while (!st && !f->ended && !f->slot->has_head)
        st = wait_for_model(f, err);
    return st;
}

/* Most answers are short and come right behind their head: what is there as a whole need not be streamed. */
static enum xpl_status wait_a_moment(struct xpl_forwarding *f, struct xpl_error *err)
{
    int64_t until_us = xpl_monotonic_us() + MOMENT_MS * 1000;
    enum xpl_status st = XPL_OK;

    while (!st && !f->ended && !f->slot->paused && xpl_monotonic_us() < until_us)
        st = advance(f, MOMENT_MS, err);
    if (!st && f->ended && !f->slot->whole)
        return xpl_fail(err, f->why.status, "%s", f->why.message);
    if (!st && f->ended && !f->slot->has_head) /* the library takes it for an answer without a body */
        return xpl_fail(err, XPL_MODEL_UNREACHABLE, "the connection to the model broke in the head of its answer");
    return st;
}

/* ---- a body on its way ---- */

static bool is_answering(const struct xpl_forwarding *f)
{
    return f->ended || f->slot->has_head;
}

static enum xpl_status pass_on(struct xpl_forwarding *f, struct xpl_error *err)
{
    enum xpl_status st = XPL_OK;

    if (f->starved) {
        f->starved = false;
        xpl_transport_send_on(f->slot);
    }
    while (!st && !is_answering(f) && !f->starved)
        st = wait_for_model(f, err);
    return st;
}

enum xpl_status xpl_forwarding_send(struct xpl_forwarding *f, struct xpl_text body, struct xpl_error *err)
{
    int64_t started = start_waiting(f);
    enum xpl_status st;

    f->call.body = body;
    st = pass_on(f, err);
    stop_waiting(f, started);
    return st;
}

enum xpl_status xpl_forward_open(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call, size_t length,
                                 struct xpl_forwarding **ret, struct xpl_error *err)
{
    struct xpl_forwarding *f = calloc(1, sizeof *f);
    enum xpl_status st;

    if (!f)
        return xpl_no_memory(err);
    f->forwarder = forwarder;
    f->call = *call;
    f->length = length;
    xpl_idle_key(call->endpoint, f->key);
    start_waiting(f);
    if ((st = send_request(f, true, err))) {
        xpl_forwarding_end(f);
        return st;
    }
    *ret = f;
    return XPL_OK;
}

enum xpl_status xpl_forwarding_finish(struct xpl_forwarding *f, struct xpl_text body, struct xpl_error *err)
{
    int64_t started = start_waiting(f);
    enum xpl_status st;

    f->call.body = body;
    f->length = body.length;
    if (f->starved)
        xpl_transport_send_on(f->slot);
    if (!(st = wait_for_head(f, err)))
        st = wait_a_moment(f, err);
    stop_waiting(f, started);
    return st;
}

enum xpl_status xpl_forward_begin(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call,
                                  struct xpl_forwarding **ret, struct xpl_error *err)
{
    struct xpl_forwarding *f;
    enum xpl_status st;

    if ((st = xpl_forward_open(forwarder, call, call->body.length, &f, err)))
        return st;
    if ((st = xpl_forwarding_finish(f, call->body, err))) {
        xpl_forwarding_end(f);
        return st;
    }
    *ret = f;
    return XPL_OK;
}

long xpl_forwarding_status(const struct xpl_forwarding *f)
{
    long status = 0;

    curl_easy_getinfo(f->slot->handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

const char *xpl_forwarding_header(const struct xpl_forwarding *f, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(f->slot->handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

int64_t xpl_forwarding_length(const struct xpl_forwarding *f)
{
    curl_off_t length = -1;

    curl_easy_getinfo(f->slot->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length;
}

double xpl_forwarding_ms(const struct xpl_forwarding *f)
{
    return (double)f->waited_us / 1000;
}

bool xpl_forwarding_is_whole(const struct xpl_forwarding *f)
{
    return f->ended && f->slot->whole;
}

static enum xpl_status read_piece(struct xpl_forwarding *f, struct xpl_buf *out, bool *ret_more, struct xpl_error *err)
{
    struct xpl_buf *piece = &f->slot->answer;
    enum xpl_status st = XPL_OK;

    while (!st && !f->ended && piece->length == 0)
        st = wait_for_model(f, err);
    if (st)
        return st;
    if (piece->length == 0 && !f->slot->whole)
        return xpl_fail(err, f->why.status, "%s", f->why.message);
    if (piece->length > out->max - out->length)
        return xpl_fail(err, XPL_MODEL_BAD_ANSWER, "the model's answer is longer than %zu bytes", out->max);
    if (!xpl_buf_append(out, piece->data, piece->length))
        return xpl_no_memory(err);
    f->given += (int64_t)piece->length;
    xpl_buf_clear(piece);
    if (!f->ended)
        xpl_transport_go_on(f->slot);
    /* whoever was told the length does not ask again behind the last byte: what is left is to notice the end */
    while (!st && !f->ended && f->given == xpl_forwarding_length(f))
        st = wait_for_model(f, err);
    *ret_more = !xpl_forwarding_is_whole(f);
    return st;
}

enum xpl_status xpl_forwarding_read(struct xpl_forwarding *f, struct xpl_buf *out, bool *ret_more,
                                    struct xpl_error *err)
{
    int64_t started = start_waiting(f);
    enum xpl_status st;

    st = read_piece(f, out, ret_more, err);
    stop_waiting(f, started);
    return st;
}

void xpl_forwarding_end(struct xpl_forwarding *f)
{
    if (!f)
        return;
    if (f->slot && xpl_forwarding_is_whole(f)) {
        f->slot->borrowed = NULL;
        f->slot->source = (struct xpl_body_source){0};
        xpl_idle_give_back(f->forwarder, f->transport, f->key);
    } else {
        xpl_transport_free(f->transport);
    }
    free(f);
}

enum xpl_status xpl_forward(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call,
                            struct xpl_forward_answer *ret, struct xpl_error *err)
{
    struct xpl_forwarding *f = NULL;
    enum xpl_status st;
    bool more = true;

    *ret = (struct xpl_forward_answer){0};
    xpl_buf_init(&ret->body, call->options->max_answer_bytes);
    st = xpl_forward_begin(forwarder, call, &f, err);
    while (!st && more)
        st = read_piece(f, &ret->body, &more, err);
    if (st) {
        xpl_buf_release(&ret->body);
    } else {
        ret->status = xpl_forwarding_status(f);
        ret->retry_after_ms = f->retry_after_ms;
    }
    xpl_forwarding_end(f);
    return st;
}
