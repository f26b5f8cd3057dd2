/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `explaind explain`. */
#ifndef XPL_SERVER_EXPLAIN_OPTIONS_H
#define XPL_SERVER_EXPLAIN_OPTIONS_H

#include <jansson.h>

#include "api/picture_query.h"

enum xpl_shell_range {
    XPL_SHELL_BYTES, /* 0 to 255, whole numbers */
    XPL_SHELL_UNIT,  /* 0 to 1 */
    XPL_SHELL_SIGNED /* -1 to 1 */
};

struct xpl_explain_options {
    const char *image, *model, *output;
    bool wml_v4, json;
    uint32_t height, width, channels; /* 0 x 0 = as the image is */
    enum xpl_shell_range range;
    const char *class_index;          /* NULL = the most probable one */
    struct xpl_picture_query picture; /* of the output */
    json_t *parameters;               /* {"image": {…}} as in requests; owned */
};

/** Reads the command line; on an error or --help it prints and ends the process (64 for an error). */
void xpl_explain_options_read(int argc, char **argv, struct xpl_explain_options *ret);

#endif
