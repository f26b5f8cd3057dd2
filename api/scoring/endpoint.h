/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How to reach a model: address, credentials and headers out of a provider's and a subscription's entity.
 */
#ifndef XPL_API_ENDPOINT_H
#define XPL_API_ENDPOINT_H

#include <jansson.h>

#include "api/app.h"
#include "api/scoring/model_tokens.h"
#include "lib/base/arena.h"
#include "lib/scoring/model_settings.h"
#include "lib/scoring/predictor.h"

/** Whether two http(s) addresses have the same scheme, host and port, as written. NULL has none. */
bool xpl_same_origin(const char *a, const char *b);

/** A model's endpoint, but for a token that its credentials are exchanged for, which does not live as long. */
struct xpl_model_address {
    struct xpl_endpoint endpoint;
    struct xpl_token_source token; /* url NULL = none is needed */
    bool is_signed;
};

/**
 * The model at `url`. `scoring_endpoint` (a subscription's deployment.scoring_endpoint; NULL for discovery) brings
 * its own credentials and headers. Without credentials there the provider's are used; these and the provider's headers
 * go to the server of its credentials.url only: a subscription cannot send them elsewhere. Strings live in `arena`.
 * Both entities are unsealed.
 */
enum xpl_status xpl_model_address_read(struct xpl_app *app, struct xpl_arena *arena, const json_t *provider,
                                       const json_t *scoring_endpoint, const char *url, struct xpl_model_address *ret,
                                       struct xpl_error *err);

/** With its token, if it needs one, in `arena`; the other strings are the address's. May ask for it, that is: block. */
enum xpl_status xpl_model_address_open(struct xpl_app *app, struct xpl_arena *arena,
                                       const struct xpl_model_address *address, struct xpl_endpoint *ret,
                                       struct xpl_error *err);

/** Both at once. */
enum xpl_status xpl_endpoint_make(struct xpl_app *app, struct xpl_arena *arena, const json_t *provider,
                                  const json_t *scoring_endpoint, const char *url, struct xpl_endpoint *ret,
                                  struct xpl_error *err);

/** Whether the auth_url of credentials, if any, is of their own server or of IBM Cloud: a key goes nowhere else. */
bool xpl_auth_url_is_sound(const json_t *credentials);

/** How a model is called: as the daemon is set, and within that as the subscription says. No deadline, no ids. */
struct xpl_predictor_options xpl_predictor_options_of(struct xpl_app *app, const struct xpl_model_settings *model);

/** Whether a scoring URL is one of Watson Machine Learning v4. */
bool xpl_is_wml_v4(const char *url);

/**
 * Where a subscription's model is scored; NULL when the subscription does not say. Watson Machine Learning v4 wants a
 * version in the query, which subscriptions often leave out: then it is added.
 */
const char *xpl_scoring_url(struct xpl_arena *arena, const json_t *subscription);

#endif
