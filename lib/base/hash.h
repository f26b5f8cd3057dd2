/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes, ids, seeded random streams, base64, keyed signatures and encryption, all by libsodium.
 */
#ifndef XPL_BASE_HASH_H
#define XPL_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"

#define XPL_HASH_BYTES 32
#define XPL_KEY_BYTES  32
#define XPL_UUID_SIZE  37 /* with the terminating zero */

/** To be called once before anything else of this header. False when the system has no randomness. */
bool xpl_crypto_start(void);

/** BLAKE2b-256 of one run of bytes. */
void xpl_hash(const void *data, size_t length, uint8_t ret_hash[XPL_HASH_BYTES]);

/** BLAKE2b-256 of several runs; each is preceded by its length, so that (ab, c) and (a, bc) differ. */
struct xpl_hash_part {
    const void *data;
    size_t length;
};
void xpl_hash_parts(const struct xpl_hash_part *parts, size_t count, uint8_t ret_hash[XPL_HASH_BYTES]);

/** Lower-case hexadecimal; `out` holds 2 * length + 1 bytes. */
char *xpl_hex(const uint8_t *data, size_t length, char *out);

/**
 * A fresh id (UUID version 7, RFC 9562): the time in microseconds, then 62 random bits. Ids made one after
 * the other are neighbours in an index. Returns `out`.
 */
char *xpl_uuid(char out[XPL_UUID_SIZE]);

/** True for 8-4-4-4-12..16 hexadecimal digits, what IBM's SDK accepts as an instance id. */
bool xpl_is_guid(const char *text);

/** Unpredictable bytes. */
void xpl_random(void *out, size_t length);

/** A stream of numbers that depends on the seed alone (ChaCha20 in counter mode). */
struct xpl_stream {
    uint8_t key[XPL_KEY_BYTES];
    uint64_t counter;
    uint8_t block[512];
    size_t used;
};
void xpl_stream_start(struct xpl_stream *stream, const uint8_t seed[XPL_HASH_BYTES]);
uint64_t xpl_stream_next(struct xpl_stream *stream);

/** Standard base64 with padding; NULL without memory. */
char *xpl_base64(struct xpl_arena *arena, const void *data, size_t length);

/** Bytes of that text without the zero behind it, and the same into `out`, which has room for the zero, too. */
size_t xpl_base64_length(size_t length);
void xpl_base64_write(const void *data, size_t length, char *out);

/** The opposite; NULL when `text` is not base64 or without memory. */
uint8_t *xpl_base64_decode(struct xpl_arena *arena, const char *text, size_t *ret_length);

/** Which letters stand for 62 and 63, and whether the last group is filled up with '='. */
enum xpl_base64_kind {
    XPL_BASE64_PADDED, /* + and / */
    XPL_BASE64_UNPADDED,
    XPL_BASE64_URL_PADDED, /* - and _ */
    XPL_BASE64_URL_UNPADDED
};

/** What a text is like: padded when nothing tells. */
enum xpl_base64_kind xpl_base64_kind_of(const char *text);

/** The same as xpl_base64_length, _write and _decode; blanks and line breaks in what is decoded do not matter. */
size_t xpl_base64_length_as(enum xpl_base64_kind kind, size_t length);
void xpl_base64_write_as(enum xpl_base64_kind kind, const void *data, size_t length, char *out);
uint8_t *xpl_base64_decode_as(struct xpl_arena *arena, enum xpl_base64_kind kind, const char *text, size_t *ret_length);

/** base64url without padding, as JWTs want it. */
char *xpl_base64url(struct xpl_arena *arena, const void *data, size_t length);

/** The opposite, zero-terminated; NULL when `text` is not base64url or without memory. */
char *xpl_base64url_decode(struct xpl_arena *arena, const char *text, size_t length, size_t *ret_length);

/** Whether two runs of bytes are equal, in a time that does not depend on where they differ. */
bool xpl_same_bytes(const void *a, const void *b, size_t length);

#define XPL_HMAC_BYTES 32
/** HMAC-SHA-256. */
void xpl_hmac(const void *key, size_t key_length, const void *data, size_t length, uint8_t ret_tag[XPL_HMAC_BYTES]);

/**
 * XChaCha20-Poly1305 with a random nonce in front of the ciphertext. `context` is authenticated, not stored: it says
 * which row and column a secret belongs to, so that one cannot be moved to another.
 */
uint8_t *xpl_seal(struct xpl_arena *arena, const uint8_t key[XPL_KEY_BYTES], const char *context, const void *data,
                  size_t length, size_t *ret_length);

/** The opposite, zero-terminated; NULL when key, context or data do not match. */
char *xpl_unseal(struct xpl_arena *arena, const uint8_t key[XPL_KEY_BYTES], const char *context, const uint8_t *sealed,
                 size_t length, size_t *ret_length);

#endif
