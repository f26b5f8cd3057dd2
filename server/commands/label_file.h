/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a model's classes, in a file at a shell. */
#ifndef XPL_SERVER_LABEL_FILE_H
#define XPL_SERVER_LABEL_FILE_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/scoring/model_hints.h"

/**
 * One label a line, in the order of the classes; what is wrong with a subscription's class_labels is wrong here, too.
 * XPL_BAD_FIELD "--class-labels". The labels live in `arena`.
 */
enum xpl_status xpl_label_file_read(struct xpl_arena *arena, const char *path, struct xpl_answer_hints *ret,
                                    struct xpl_error *err);

#endif
