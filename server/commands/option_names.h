/* SPDX-License-Identifier: Apache-2.0 */
/* Errors name members of requests and subscriptions; at a shell these are options. */
#ifndef XPL_SERVER_OPTION_NAMES_H
#define XPL_SERVER_OPTION_NAMES_H

#include <stdio.h>

#include "lib/base/status.h"

/** A text in which members are called by the options that set them. */
void xpl_print_as_options(FILE *out, const char *text);

/** A line with the error; members are called by the options of `explaind explain` that set them. */
void xpl_print_error(FILE *out, const struct xpl_error *err);

#endif
