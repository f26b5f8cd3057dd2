/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How functions fail: they return a status, and describe the first error in a struct the caller owns.
 *
 * Out parameters are written on success only. api/errors.c holds the one table that maps a status to its HTTP
 * status and error code.
 */
#ifndef XPL_BASE_STATUS_H
#define XPL_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum xpl_status {
    XPL_OK = 0,

    /* a client's fault */
    XPL_BAD_REQUEST,   /* the request itself is malformed (headers, query, path) */
    XPL_BAD_JSON,      /* the body is not JSON, or breaks the limits of depth and size */
    XPL_BAD_FIELD,     /* a field is missing, of the wrong type or out of range */
    XPL_BAD_RECORD,    /* a logged transaction in which image or probabilities cannot be found */
    XPL_NOT_AVAILABLE, /* understood, but this version does not have it */
    XPL_NOT_ENABLED,   /* explainability is not enabled for the subscription */
    XPL_UNAUTHORIZED,
    XPL_FORBIDDEN,
    XPL_NOT_FOUND,
    XPL_BAD_METHOD,
    XPL_CONFLICT,
    XPL_GONE, /* what is asked for was deleted on purpose */
    XPL_DATA_MART_EXISTS,
    XPL_KEY_REUSED, /* an idempotency key, for another request */
    XPL_TOO_LARGE,
    XPL_HEADER_TOO_LARGE,
    XPL_BAD_MEDIA_TYPE,
    XPL_TOO_MANY,

    /* ours or the machine's */
    XPL_NO_MEMORY,
    XPL_OVERLOADED,
    XPL_NOT_READY, /* told to load balancers only */
    XPL_STORAGE_FULL,
    XPL_STORAGE_FAILED,
    XPL_INTERNAL,

    /* the deployed model's: how an explanation fails */
    XPL_MODEL_UNREACHABLE,
    XPL_MODEL_TIMEOUT,
    XPL_MODEL_REFUSED,    /* it answered 4xx */
    XPL_MODEL_FAILED,     /* it answered 5xx after all retries */
    XPL_MODEL_BAD_ANSWER, /* no probabilities, NaN, a wrong count, too long */
    XPL_MODEL_PAUSED,     /* it failed again and again, and is not asked for a while */
    XPL_ADDRESS_REFUSED,  /* scoring.allow does not cover the address */
    XPL_UPSTREAM_FAILED,  /* asset discovery at the model's engine failed */

    /* how an explanation ends early */
    XPL_CANCELLED,
    XPL_DEADLINE,
    XPL_CRASHED, /* the process died three times while working on it */

    XPL_STATUS_COUNT
};

#define XPL_ERROR_FIELD_MAX   192
#define XPL_ERROR_MESSAGE_MAX 512

/** The first error of a call chain. `field` is the path of the offending input member ("" when there is none). */
struct xpl_error {
    enum xpl_status status;
    char field[XPL_ERROR_FIELD_MAX];
    char message[XPL_ERROR_MESSAGE_MAX];
};

/** Records an error unless one is there already. `err` may be NULL. Returns `status`, so that one can return the call.
 * Field and message are well-formed UTF-8 whatever is quoted in them. */
enum xpl_status xpl_fail(struct xpl_error *err, enum xpl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The same for an error in one member of the input; `field` is its path, such as "[3].request.input_data". */
enum xpl_status xpl_fail_field(struct xpl_error *err, enum xpl_status status, const char *field, const char *format,
                               ...) __attribute__((format(printf, 4, 5)));

/** Puts `prefix` in front of the field path of a recorded error, for callers that know the outer path. */
void xpl_error_prefix(struct xpl_error *err, const char *prefix);

/** Forgets a recorded error. */
void xpl_error_clear(struct xpl_error *err);

/** XPL_NO_MEMORY with its text. */
enum xpl_status xpl_no_memory(struct xpl_error *err);

#endif
