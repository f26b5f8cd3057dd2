/* SPDX-License-Identifier: Apache-2.0 */
/* A call of the API without a connection, for targets that read requests. */
#ifndef XPL_TESTS_FUZZ_FUZZ_CALL_H
#define XPL_TESTS_FUZZ_FUZZ_CALL_H

#include "api/call.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_ANSWER_BYTES ((size_t)1 << 20)

static inline void fuzz_call_start(struct xpl_call *call, struct xpl_app *app)
{
    *call = (struct xpl_call){.app = app, .arena = xpl_arena_new(FUZZ_ARENA_BYTES)};
    FUZZ_REQUIRE(call->arena);
    xpl_buf_init(&call->out, FUZZ_ANSWER_BYTES);
}

static inline void fuzz_call_end(struct xpl_call *call)
{
    xpl_buf_release(&call->out);
    xpl_buf_release(&call->body);
    xpl_arena_free(call->arena);
}

#endif
