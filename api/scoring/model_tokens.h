/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens for models behind IBM Cloud and Cloud Pak for Data: credentials are exchanged for a token, which is kept until
 * four fifths of its time are over. In memory only.
 */
#ifndef XPL_API_MODEL_TOKENS_H
#define XPL_API_MODEL_TOKENS_H

#include "api/app.h"
#include "lib/base/arena.h"

enum xpl_token_kind {
    XPL_TOKEN_IAM, /* an API key in a form, to …/identity/token */
    XPL_TOKEN_CP4D /* a name and a password or API key in JSON, to …/icp4d-api/v1/authorize */
};

struct xpl_token_source {
    enum xpl_token_kind kind;
    const char *url;
    const char *username, *password, *api_key; /* NULL = none */
    const char *ca_pem;
};

struct xpl_model_tokens;

enum xpl_status xpl_model_tokens_new(struct xpl_model_tokens **ret, struct xpl_error *err);
void xpl_model_tokens_free(struct xpl_model_tokens *tokens);

/** `*ret` lives in `arena`. May ask the source: for threads that may block. XPL_MODEL_REFUSED: it said no. */
enum xpl_status xpl_model_token(struct xpl_app *app, struct xpl_arena *arena, const struct xpl_token_source *source,
                                const char **ret, struct xpl_error *err);

#endif
