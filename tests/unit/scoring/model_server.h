/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of a few lines behind real HTTP on loopback, one thread a connection, that does what a test scripts.
 */
#ifndef XPL_SCORING_MODEL_SERVER_H
#define XPL_SCORING_MODEL_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#include "lib/base/buf.h"

#define SERVER_URL_SIZE  80
#define SEEN_HEADERS_MAX 4096

struct model_server;

/** What the server does with one call. */
struct reaction {
    unsigned status; /* 0 = close the connection without an answer */
    char body[4096];
    const char *header, *header_value; /* one more of the answer; NULL = none */
};

/** `number` counts calls from 0; `body` is what was sent. Runs on the connection's thread. */
typedef void (*react_fn)(struct model_server *server, unsigned number, const struct xpl_buf *body,
                         struct reaction *reaction);

struct model_server {
    struct MHD_Daemon *daemon;
    react_fn react;
    void *arg; /* of the test */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned n_calls, n_answered;
    bool released;                  /* lets go of every call that waits */
    char headers[SEEN_HEADERS_MAX]; /* of the last call: "Name: value\n" */
    char url[SERVER_URL_SIZE];
};

/** Starts on a free port. NULL when it cannot. */
struct model_server *model_server_start(react_fn react);
void model_server_stop(struct model_server *server);

unsigned model_server_calls(struct model_server *server);

/** Blocks the call until `n` others were answered, or the server was released or stopped. */
void model_server_wait_for_answers(struct model_server *server, unsigned n);
void model_server_release(struct model_server *server);

/** True when the last call had that header line. */
bool model_server_saw(struct model_server *server, const char *line);

#endif
