/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `explaind explain`. */
#ifndef XPL_SERVER_EXPLAIN_OPTIONS_H
#define XPL_SERVER_EXPLAIN_OPTIONS_H

#include <jansson.h>

#include "api/explanations/picture_query.h"
#include "server/commands/model_options.h"

struct xpl_explain_options {
    const char *image, *url, *output; /* url: the model's */
    bool json;
    struct xpl_model_options model;
    const char *class_index;          /* NULL = the most probable one */
    struct xpl_picture_query picture; /* of the output */
    json_t *parameters;               /* {"image": {…}} as in requests; owned */
};

/** Reads the command line; on an error or --help it prints and ends the process (64 for an error). */
void xpl_explain_options_read(int argc, char **argv, struct xpl_explain_options *ret);

#endif
