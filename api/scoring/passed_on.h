/* SPDX-License-Identifier: Apache-2.0 */
/* What of a client's request goes on to the model beside its body: the query, and headers that are not about us. */
#ifndef XPL_API_PASSED_ON_H
#define XPL_API_PASSED_ON_H

#include "api/call.h"
#include "lib/scoring/transport/endpoint.h"

/**
 * Puts the query of the call behind that of the endpoint's address, where what the client says takes the place of what
 * has the same name, and adds the client's headers but for those that belong to a connection or to the call of the
 * daemon, carry credentials, or are set for the model already. Strings live in the call's arena.
 */
enum xpl_status xpl_pass_on(struct xpl_call *call, struct xpl_endpoint *endpoint, struct xpl_error *err);

#endif
