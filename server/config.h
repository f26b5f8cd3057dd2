/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: one table of keys with type, default, bounds and help; values from a file ([section] key = value)
 * and from the command line (section.key=value), which wins.
 */
#ifndef XPL_SERVER_CONFIG_H
#define XPL_SERVER_CONFIG_H

#include <stdio.h>

#include "api/app.h"

/** The defaults. Strings that are set later live in `arena`. */
struct xpl_settings xpl_config_defaults(void);

/** Sets one key from text. XPL_BAD_FIELD names the key, the value and what is accepted. */
enum xpl_status xpl_config_set(struct xpl_arena *arena, struct xpl_settings *settings, const char *key,
                               const char *value, struct xpl_error *err);

/** Sets "key=value". */
enum xpl_status xpl_config_assign(struct xpl_arena *arena, struct xpl_settings *settings, const char *assignment,
                                  struct xpl_error *err);

/** Reads a file; errors name the line. */
enum xpl_status xpl_config_load(struct xpl_arena *arena, struct xpl_settings *settings, const char *path,
                                struct xpl_error *err);

/** Writes every key with its value and meaning, in the form of a configuration file. */
void xpl_config_print(const struct xpl_settings *settings, FILE *out);

#endif
