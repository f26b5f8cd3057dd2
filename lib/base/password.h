/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords: Argon2id with 19 MiB and two passes (OWASP's password storage cheat sheet), by libsodium.
 *
 * Both functions take tens of milliseconds and 19 MiB: not for a thread that others wait for.
 */
#ifndef XPL_BASE_PASSWORD_H
#define XPL_BASE_PASSWORD_H

#include <stdbool.h>

#define XPL_PASSWORD_HASH_SIZE 128 /* with the terminating zero */

/** A salted hash as text. False without memory. */
bool xpl_password_hash(const char *password, char ret_hash[XPL_PASSWORD_HASH_SIZE]);

/** Whether `hash` was made of `password`. */
bool xpl_password_verify(const char *password, const char *hash);

#endif
