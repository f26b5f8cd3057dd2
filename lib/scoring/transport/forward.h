/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing a client's scoring request on to a model, byte for byte, over connections that are kept.
 *
 * A forwarder may be used by any number of threads. Idle connections are kept by address and credentials, a bounded
 * number of them; what the address policy says holds as for every other call of a model. An answer is taken piece by
 * piece, so that none is too long; while nobody takes it, the model is held up by TCP's flow control.
 */
#ifndef XPL_SCORING_FORWARD_H
#define XPL_SCORING_FORWARD_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/scoring/transport/endpoint.h"

/** A piece of an answer has at most this many bytes. */
#define XPL_FORWARD_PIECE_MAX ((size_t)64 << 10)

struct xpl_forwarder;

/** The length of a body that nobody knows before its end: it is sent in chunks. */
#define XPL_FORWARD_UNKNOWN SIZE_MAX

/** A call whose answer arrives; of one thread at a time. */
struct xpl_forwarding;

struct xpl_forward_call {
    const struct xpl_endpoint *endpoint;    /* must outlive the answer */
    const struct xpl_call_options *options; /* time-outs, ids; for xpl_forward the longest answer */
    const char *content_type, *accept;
    const char *head_length; /* Inference-Header-Content-Length as the client sent it; NULL = it did not */
    struct xpl_text body;    /* must outlive the answer */
    /** Asked when the model has said nothing for a second, and each second from then on: whether nobody wants the
     * answer any more; NULL = somebody does. */
    bool (*given_up)(void *context);
    void *context;
};

/** What the model answered, whatever the status. */
struct xpl_forward_answer {
    long status;
    struct xpl_buf body;    /* to be released */
    int64_t retry_after_ms; /* of a 408, 429 or 5xx that says so; else 0 */
};

enum xpl_status xpl_forwarder_new(struct xpl_forwarder **ret, struct xpl_error *err);
void xpl_forwarder_free(struct xpl_forwarder *forwarder);

/**
 * Sends the request, once, but for a kept connection that the model had closed before; waits for the head of the
 * answer, and a moment for its body. XPL_MODEL_UNREACHABLE, XPL_MODEL_TIMEOUT (nothing within call_timeout_ms),
 * XPL_ADDRESS_REFUSED, XPL_CANCELLED (given up), XPL_MODEL_BAD_ANSWER (its headers are too long).
 */
enum xpl_status xpl_forward_begin(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call,
                                  struct xpl_forwarding **ret, struct xpl_error *err);

/**
 * The same for a body that is still on its way: begins with the request's head. `call->body` is what is there of it,
 * and `length` what it will be, or XPL_FORWARD_UNKNOWN. Then xpl_forwarding_send whenever there is more, and
 * xpl_forwarding_finish with all of it.
 */
enum xpl_status xpl_forward_open(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call, size_t length,
                                 struct xpl_forwarding **ret, struct xpl_error *err);

/**
 * Passes on what there is of the body by now, from its first byte: it must stay until the next call, from whose body on
 * it may be another copy. Returns when all of that was taken, or when the model answers already. Errors as above.
 */
enum xpl_status xpl_forwarding_send(struct xpl_forwarding *forwarding, struct xpl_text body, struct xpl_error *err);

/** The rest of the body, which must outlive the answer; then as xpl_forward_begin. */
enum xpl_status xpl_forwarding_finish(struct xpl_forwarding *forwarding, struct xpl_text body, struct xpl_error *err);

long xpl_forwarding_status(const struct xpl_forwarding *forwarding);

/** A header of the answer, until the end; NULL when there is none. */
const char *xpl_forwarding_header(const struct xpl_forwarding *forwarding, const char *name);

/** How long the body is, as the model says; -1 when it does not. */
int64_t xpl_forwarding_length(const struct xpl_forwarding *forwarding);

/** Time spent on waiting for the model. */
double xpl_forwarding_ms(const struct xpl_forwarding *forwarding);

/**
 * Appends the next piece of the body, waiting for the first byte of it; `*ret_more` says whether there may be another.
 * XPL_MODEL_UNREACHABLE (the answer broke off), XPL_MODEL_TIMEOUT (nothing came for call_timeout_ms), XPL_CANCELLED.
 */
enum xpl_status xpl_forwarding_read(struct xpl_forwarding *forwarding, struct xpl_buf *out, bool *ret_more,
                                    struct xpl_error *err);

/** Whether all of the body has arrived: the next read is the last one and does not wait. */
bool xpl_forwarding_is_whole(const struct xpl_forwarding *forwarding);

/** Keeps the connection when the answer was read to its end, else closes it. NULL is fine. */
void xpl_forwarding_end(struct xpl_forwarding *forwarding);

/** The whole call, at most options->max_answer_bytes of answer within call_timeout_ms: errors as above, and
 * XPL_MODEL_BAD_ANSWER when it is longer. */
enum xpl_status xpl_forward(struct xpl_forwarder *forwarder, const struct xpl_forward_call *call,
                            struct xpl_forward_answer *ret, struct xpl_error *err);

#endif
