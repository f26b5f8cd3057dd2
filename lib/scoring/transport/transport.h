/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in flight: a fixed number of slots, each with its own connection, body and answer buffer, on one curl multi
 * handle.
 *
 * A transport belongs to one thread. Addresses are decided about when a socket is opened: what is really connected
 * counts, not what a name resolved to earlier. No redirects, no proxies, no compression; answers are counted while they
 * arrive.
 */
#ifndef XPL_SCORING_TRANSPORT_H
#define XPL_SCORING_TRANSPORT_H

#include <curl/curl.h>

#include "lib/base/buf.h"
#include "lib/scoring/transport/endpoint.h"
#include "lib/scoring/transport/outcome.h"

#define XPL_MAX_IN_FLIGHT      64u
#define XPL_MAX_ANSWER_HEADERS ((size_t)64 << 10)

/** A body that is made while it is sent. `read` NULL = there is none. */
struct xpl_body_source {
    /* The next bytes, fewer than `size` at the end only; CURL_READFUNC_PAUSE: when xpl_transport_send_on was called. */
    size_t (*read)(void *context, char *out, size_t size);
    void (*rewind)(void *context); /* back to the first byte */
    void *context;
};

struct xpl_slot {
    CURL *handle;
    struct curl_slist *headers;
    char *head_digits;    /* inside of Inference-Header-Content-Length, likewise; NULL without that header */
    size_t head_length;   /* of the next request, for the caller to write */
    size_t answer_head;   /* bytes of JSON in front of an answer's raw tensors; 0 = it is all text */
    char *sequence;       /* eight digits inside of the header Ce-Id, rewritten for every call; NULL without task */
    char *body;           /* for the caller to write; see xpl_transport_body */
    size_t body_size;     /* bytes it has room for */
    const char *borrowed; /* sent in its place; NULL = none */
    struct xpl_body_source source; /* likewise */
    bool posts;                    /* requests have bodies */
    struct xpl_buf answer;
    const struct xpl_endpoint *endpoint;
    CURLU *url;          /* the endpoint's address as curl reads it, so that the policy sees the same host */
    char *host;          /* of `url`, without brackets */
    char *host_port;     /* "host:port" */
    size_t header_bytes; /* of the answer, so far */
    size_t piece;        /* the answer is taken in pieces of about this many bytes; 0 = when it is whole */
    bool news;           /* with `piece`: its head or more of its body has come; the taker sets it back */
    bool has_head;       /* the answer's headers are there */
    bool paused;         /* until the piece that is there was taken */
    bool refused;        /* the address policy said no */
    bool opened;         /* it said yes to another address of the host */
    long status;         /* HTTP status of the answer; 0 = none came */
    bool connected;      /* the request was, or could have been, sent */
    bool whole;          /* the answer is there to its end */
    bool active;
};

struct xpl_transport;

/** For up to `in_flight` requests at a time; `posts` false = GET requests. */
enum xpl_status xpl_transport_new(const struct xpl_endpoint *endpoint, const struct xpl_call_options *options,
                                  uint32_t in_flight, bool posts, struct xpl_transport **ret, struct xpl_error *err);
void xpl_transport_free(struct xpl_transport *transport);

struct xpl_slot *xpl_transport_slot(struct xpl_transport *transport, uint32_t index);

/** "host:port" that requests go to. */
const char *xpl_transport_host(const struct xpl_transport *transport);

/** The slot's body to write, with room for `size` bytes. NULL without memory. */
char *xpl_transport_body(struct xpl_slot *slot, size_t size);

/** What a request is, and what its answer should be. */
struct xpl_media {
    const char *content_type, *accept;
    bool tells_head;         /* how long the JSON in front of its raw tensor is */
    const char *head_length; /* the same, when it was somebody else's request; NULL = not said */
};

/** Other headers for the slot's next requests: those of `options`, with these media types. */
enum xpl_status xpl_transport_redress(struct xpl_slot *slot, const struct xpl_endpoint *endpoint,
                                      const struct xpl_call_options *options, const struct xpl_media *media,
                                      struct xpl_error *err);

/** Starts the request of a slot whose body was written, or whose source is at its beginning: then `body_length` may be
 * SIZE_MAX, not known yet. `number` tells calls apart in the Ce-Id header. */
enum xpl_status xpl_transport_start(struct xpl_transport *transport, struct xpl_slot *slot, size_t body_length,
                                    uint64_t number, struct xpl_error *err);

/** Works on all requests for at most `timeout_ms`, or until there is news; `*ret_slot` is one that ended, or NULL. */
enum xpl_status xpl_transport_poll(struct xpl_transport *transport, int timeout_ms, struct xpl_slot **ret_slot,
                                   enum xpl_outcome *ret_outcome, int64_t *ret_retry_after_ms, struct xpl_error *err);

/** The answer's buffer was emptied: lets the rest come. */
void xpl_transport_go_on(struct xpl_slot *slot);

/** There is more of a body that had paused. */
static inline void xpl_transport_send_on(struct xpl_slot *slot)
{
    curl_easy_pause(slot->handle, slot->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

/** Drops everything that is under way. */
void xpl_transport_abort(struct xpl_transport *transport);

void xpl_transport_bytes(const struct xpl_transport *transport, uint64_t *ret_sent, uint64_t *ret_received);

#endif
