/* SPDX-License-Identifier: Apache-2.0 */
/* One run of `explaind explain`: made by explain_command.c, shown by explain_output.c. Private to both. */
#ifndef XPL_SERVER_EXPLAIN_SHELL_H
#define XPL_SERVER_EXPLAIN_SHELL_H

#include "lib/explain/explain.h"
#include "lib/scoring/predictor.h"
#include "lib/scoring/requests/request.h"
#include "server/commands/explain_options.h"

struct xpl_shell {
    struct xpl_arena *arena;
    struct xpl_explain_options options;
    struct xpl_explain_params params;
    struct xpl_request *request;
    struct xpl_pixels *image;
    const struct xpl_segments *segments;
    struct xpl_fill_effect fill;
    struct xpl_address_policy *policy;
    struct xpl_endpoint endpoint;
    struct xpl_predictor *predictor;
    const char *const *labels;
    double *full_scores;
    uint32_t n_classes;
    uint8_t seed[XPL_HASH_BYTES];
    struct xpl_explanation *explanation;
    int64_t started_us;
    struct xpl_patience patience;
    struct xpl_interrupt interrupt; /* of it */
};

void xpl_shell_print_words(const struct xpl_shell *shell);

/** As GET …/attributions. */
enum xpl_status xpl_shell_print_json(const struct xpl_shell *shell, struct xpl_error *err);

/** Into the file that was asked for. */
enum xpl_status xpl_shell_write_picture(struct xpl_shell *shell, struct xpl_error *err);

#endif
