/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets from URLs. */
#ifndef XPL_SERVER_LISTEN_H
#define XPL_SERVER_LISTEN_H

#include <stdbool.h>

#include "lib/base/status.h"

struct xpl_listener {
    int fd;
    bool loopback; /* for this machine only */
    char url[128]; /* with the port that was really taken */
};

/** Opens http://HOST:PORT (or https://: every port speaks both). XPL_BAD_FIELD names the URL and what is wrong. */
enum xpl_status xpl_listen(const char *url, struct xpl_listener *ret, struct xpl_error *err);

/** Whether the URL's address is loopback, without opening anything. */
enum xpl_status xpl_listen_check(const char *url, bool *ret_loopback, struct xpl_error *err);

#endif
