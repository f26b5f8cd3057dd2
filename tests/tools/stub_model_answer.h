/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the stub model: scoring requests in, answers out. */
#ifndef XPL_STUB_MODEL_ANSWER_H
#define XPL_STUB_MODEL_ANSWER_H

#include "lib/base/buf.h"
#include "tests/tools/stub_model_score.h"

/** Scores every picture of a request into `out`, in the form of WML v4 or plain. NULL, or what is wrong with the
 * request. */
const char *stub_answer(const struct stub_model *model, struct xpl_text body, bool wml, struct xpl_buf *out,
                        size_t *ret_n_images);

#endif
