/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed bodies (RFC 9110, 8.4): gzip, where images are taken in. What goes to a model passes as it is, in whatever
 * encoding the model takes. Everywhere else bodies are short and come plain.
 */
#ifndef XPL_API_BODY_ENCODING_H
#define XPL_API_BODY_ENCODING_H

#include "api/call.h"

/** Before the body comes, for a call with a route: notes in `call->body_encoded` what is to be done with it.
 *  XPL_BAD_MEDIA_TYPE: an encoding that this operation does not take. */
enum xpl_status xpl_body_encoding_check(struct xpl_call *call, struct xpl_error *err);

/** The same for a call whose body has to be plain, gzip or not, whatever its operation. */
enum xpl_status xpl_body_encoding_note(struct xpl_call *call, struct xpl_error *err);

/** Puts the plain body in the place of the encoded one. XPL_TOO_LARGE: it is longer than the limit of the operation,
 *  which bounds the memory too; XPL_BAD_REQUEST: it is damaged. */
enum xpl_status xpl_body_decode(struct xpl_call *call, struct xpl_error *err);

#endif
