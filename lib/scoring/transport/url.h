/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a text is an address that can be called, judged by the parser that reads it when it is called.
 */
#ifndef XPL_SCORING_URL_H
#define XPL_SCORING_URL_H

#include "lib/base/status.h"

/**
 * An http or https URL with a host and without user and password, which are secrets and have a place of their own
 * where they are encrypted. XPL_BAD_FIELD of `field` says what is wrong; it never holds the URL.
 */
enum xpl_status xpl_url_check(const char *url, const char *field, struct xpl_error *err);

#endif
