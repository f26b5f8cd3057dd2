/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/password.h"

#include <sodium.h>
#include <string.h>

#define MEMORY_BYTES ((size_t)19 << 20)
#define PASSES       2

_Static_assert(XPL_PASSWORD_HASH_SIZE >= crypto_pwhash_argon2id_STRBYTES, "hash size");

bool xpl_password_hash(const char *password, char ret_hash[XPL_PASSWORD_HASH_SIZE])
{
    return crypto_pwhash_argon2id_str(ret_hash, password, strlen(password), PASSES, MEMORY_BYTES) == 0;
}

bool xpl_password_verify(const char *password, const char *hash)
{
    return crypto_pwhash_argon2id_str_verify(hash, password, strlen(password)) == 0;
}
