/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is to be woken when there is news of explanations: streams of events, whose connections are suspended meanwhile.
 *
 * The writer tells after each commit; what is new is read off the log of events, so nobody who changes a task has to
 * think of it. Streams also look for themselves, once a second: what another process wrote is seen then.
 */
#ifndef XPL_SERVER_STREAMS_H
#define XPL_SERVER_STREAMS_H

#include "db/writer.h"
#include "server/http/waiting.h"

struct xpl_streams;

/** For at most `max` streams. `writer` must have stopped before it is freed. */
enum xpl_status xpl_streams_start(struct xpl_writer *writer, size_t max, struct xpl_streams **ret,
                                  struct xpl_error *err);

/** Ends all of them and lets no further one begin. NULL is fine. */
void xpl_streams_drain(struct xpl_streams *streams);
void xpl_streams_free(struct xpl_streams *streams);

/** One more; false when there are too many. Each has to leave. */
bool xpl_streams_enter(struct xpl_streams *streams);
void xpl_streams_leave(struct xpl_streams *streams);

/** As xpl_waiting_ends and xpl_waiting_add; what is awaited is the id of a task or of a subscription. */
uint64_t xpl_streams_news(struct xpl_streams *streams);
enum xpl_wait xpl_streams_wait(struct xpl_streams *streams, struct xpl_waiter *waiter, uint64_t news);

#endif
