/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one JSON object a line on stderr, control characters escaped. Safe from any thread.
 */
#ifndef XPL_BASE_LOG_H
#define XPL_BASE_LOG_H

enum xpl_log_level {
    XPL_LOG_DEBUG,
    XPL_LOG_INFO,
    XPL_LOG_WARN,
    XPL_LOG_ERROR
};

/** Lines below `level` are dropped. The default is XPL_LOG_INFO. */
void xpl_log_set_level(enum xpl_log_level level);

/** "debug", "info", "warn" or "error"; anything else gives -1. */
int xpl_log_level_parse(const char *name);

/**
 * Writes {"time","level","event", name: value, …}. After `event` follow pairs of member name and string value, ended
 * by NULL; a NULL value leaves its member out.
 *
 *     xpl_log(XPL_LOG_INFO, "listening", "url", url, NULL);
 */
void xpl_log(enum xpl_log_level level, const char *event, ...) __attribute__((sentinel));

#endif
