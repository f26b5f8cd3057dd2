/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of errors: what a status means over HTTP.
 */
#ifndef XPL_API_ERRORS_H
#define XPL_API_ERRORS_H

#include <stdbool.h>

#include "lib/base/status.h"

struct xpl_error_meaning {
    unsigned http_status;
    const char *code;   /* AIQES (explain), AIQCS (configuration), AIQDT (data), AISCS (as the original's data mart) */
    const char *text;   /* when the error carries no message of its own */
    bool clients_fault; /* logged at debug level; everything else is logged as an error */
};

const struct xpl_error_meaning *xpl_error_meaning(enum xpl_status status);

#endif
