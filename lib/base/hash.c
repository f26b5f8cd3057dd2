/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/hash.h"

#include <sodium.h>
#include <string.h>

#include "lib/base/time.h"

_Static_assert(XPL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(XPL_KEY_BYTES == crypto_stream_chacha20_KEYBYTES, "stream key size");

#define BASE64_BLANKS " \t\r\n"

#define UUID_RANDOM 8 /* bytes */
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

bool xpl_crypto_start(void)
{
    return sodium_init() >= 0;
}

void xpl_hash(const void *data, size_t length, uint8_t ret_hash[XPL_HASH_BYTES])
{
    crypto_generichash(ret_hash, XPL_HASH_BYTES, data, length, NULL, 0);
}

void xpl_hash_parts(const struct xpl_hash_part *parts, size_t count, uint8_t ret_hash[XPL_HASH_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, XPL_HASH_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint8_t length[8];

        for (size_t byte = 0; byte < sizeof length; byte++)
            length[byte] = (uint8_t)((uint64_t)parts[i].length >> (8 * byte));
        crypto_generichash_update(&state, length, sizeof length);
        crypto_generichash_update(&state, parts[i].data, parts[i].length);
    }
    crypto_generichash_final(&state, ret_hash, XPL_HASH_BYTES);
}

char *xpl_hex(const uint8_t *data, size_t length, char *out)
{
    return sodium_bin2hex(out, 2 * length + 1, data, length);
}

/* Ids are no secrets, and every call to the system for eight bytes would cost more than all the rest of one. */
static void random_tail(uint8_t out[UUID_RANDOM])
{
    static _Thread_local uint8_t stock[64 * UUID_RANDOM];
    static _Thread_local size_t left;

    if (left == 0) {
        randombytes_buf(stock, sizeof stock);
        left = sizeof stock;
    }
    left -= UUID_RANDOM;
    memcpy(out, stock + left, UUID_RANDOM);
}

char *xpl_uuid(char out[XPL_UUID_SIZE])
{
    uint64_t now_us = (uint64_t)xpl_now_us();
    uint64_t ms = now_us / 1000, fraction = now_us % 1000 * 4096 / 1000;
    uint8_t bytes[16];
    char hex[33];

    random_tail(bytes + 8);
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | fraction >> 8);
    bytes[7] = (uint8_t)fraction;
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    xpl_hex(bytes, sizeof bytes, hex);
    for (size_t in = 0, at = 0; in < 32; in++) {
        if (at == 8 || at == 13 || at == 18 || at == 23)
            out[at++] = '-';
        out[at++] = hex[in];
    }
    out[XPL_UUID_SIZE - 1] = '\0';
    return out;
}

bool xpl_is_guid(const char *text)
{
    static const size_t groups[] = {8, 4, 4, 4};
    size_t digits;

    for (size_t group = 0; group < 4; group++, text++) {
        digits = strspn(text, "0123456789abcdefABCDEF");
        if (digits != groups[group] || text[digits] != '-')
            return false;
        text += digits;
    }
    digits = strspn(text, "0123456789abcdefABCDEF");
    return digits >= 12 && digits <= 16 && text[digits] == '\0';
}

void xpl_random(void *out, size_t length)
{
    randombytes_buf(out, length);
}

void xpl_stream_start(struct xpl_stream *stream, const uint8_t seed[XPL_HASH_BYTES])
{
    memset(stream, 0, sizeof *stream);
    memcpy(stream->key, seed, XPL_KEY_BYTES);
    stream->used = sizeof stream->block;
}

uint64_t xpl_stream_next(struct xpl_stream *stream)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {'e', 'x', 'p', 'l', 'a', 'i', 'n', 'd'};
    uint64_t value = 0;

    if (stream->used == sizeof stream->block) {
        memset(stream->block, 0, sizeof stream->block);
        crypto_stream_chacha20_xor_ic(stream->block, stream->block, sizeof stream->block, nonce, stream->counter,
                                      stream->key);
        stream->counter += sizeof stream->block / 64;
        stream->used = 0;
    }
    for (size_t byte = 0; byte < 8; byte++)
        value |= (uint64_t)stream->block[stream->used + byte] << (8 * byte);
    stream->used += 8;
    return value;
}

static char *encode(struct xpl_arena *arena, const void *data, size_t length, int variant)
{
    size_t size = sodium_base64_encoded_len(length, variant);
    char *text = xpl_arena_alloc(arena, size);

    return text ? sodium_bin2base64(text, size, data, length, variant) : NULL;
}

char *xpl_base64(struct xpl_arena *arena, const void *data, size_t length)
{
    return encode(arena, data, length, sodium_base64_VARIANT_ORIGINAL);
}

size_t xpl_base64_length(size_t length)
{
    return sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL) - 1;
}

void xpl_base64_write(const void *data, size_t length, char *out)
{
    sodium_bin2base64(out, xpl_base64_length(length) + 1, data, length, sodium_base64_VARIANT_ORIGINAL);
}

uint8_t *xpl_base64_decode(struct xpl_arena *arena, const char *text, size_t *ret_length)
{
    size_t length = strlen(text);
    uint8_t *data = xpl_arena_alloc(arena, length / 4 * 3 + 3);

    if (!data || sodium_base642bin(data, length / 4 * 3 + 3, text, length, NULL, ret_length, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    return data;
}

static int variant_of(enum xpl_base64_kind kind)
{
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};

    return variants[kind];
}

enum xpl_base64_kind xpl_base64_kind_of(const char *text)
{
    bool url = strpbrk(text, "-_");
    size_t n = 0;

    for (const char *c = text; *c; c++)
        n += (unsigned char)*c > ' ';
    if (n % 4 == 0 || strchr(text, '='))
        return url ? XPL_BASE64_URL_PADDED : XPL_BASE64_PADDED;
    return url ? XPL_BASE64_URL_UNPADDED : XPL_BASE64_UNPADDED;
}

size_t xpl_base64_length_as(enum xpl_base64_kind kind, size_t length)
{
    return sodium_base64_encoded_len(length, variant_of(kind)) - 1;
}

void xpl_base64_write_as(enum xpl_base64_kind kind, const void *data, size_t length, char *out)
{
    sodium_bin2base64(out, xpl_base64_length_as(kind, length) + 1, data, length, variant_of(kind));
}

uint8_t *xpl_base64_decode_as(struct xpl_arena *arena, enum xpl_base64_kind kind, const char *text, size_t *ret_length)
{
    size_t length = strlen(text), size = length / 4 * 3 + 3;
    uint8_t *data = xpl_arena_alloc(arena, size);

    return data && sodium_base642bin(data, size, text, length, BASE64_BLANKS, ret_length, NULL, variant_of(kind)) == 0
               ? data
               : NULL;
}

char *xpl_base64url(struct xpl_arena *arena, const void *data, size_t length)
{
    return encode(arena, data, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

char *xpl_base64url_decode(struct xpl_arena *arena, const char *text, size_t length, size_t *ret_length)
{
    size_t size = length / 4 * 3 + 3;
    char *data = xpl_arena_alloc(arena, size + 1);

    if (!data || sodium_base642bin((uint8_t *)data, size, text, length, NULL, ret_length, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    return data;
}

bool xpl_same_bytes(const void *a, const void *b, size_t length)
{
    return sodium_memcmp(a, b, length) == 0;
}

void xpl_hmac(const void *key, size_t key_length, const void *data, size_t length, uint8_t ret_tag[XPL_HMAC_BYTES])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, key_length);
    crypto_auth_hmacsha256_update(&state, data, length);
    crypto_auth_hmacsha256_final(&state, ret_tag);
}

uint8_t *xpl_seal(struct xpl_arena *arena, const uint8_t key[XPL_KEY_BYTES], const char *context, const void *data,
                  size_t length, size_t *ret_length)
{
    uint8_t *sealed = xpl_arena_alloc(arena, NONCE_BYTES + length + TAG_BYTES);
    unsigned long long written = 0;

    if (!sealed)
        return NULL;
    randombytes_buf(sealed, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, &written, data, length, (const uint8_t *)context,
                                               strlen(context), NULL, sealed, key);
    *ret_length = NONCE_BYTES + (size_t)written;
    return sealed;
}

char *xpl_unseal(struct xpl_arena *arena, const uint8_t key[XPL_KEY_BYTES], const char *context, const uint8_t *sealed,
                 size_t length, size_t *ret_length)
{
    unsigned long long written = 0;
    char *plain;

    if (length < NONCE_BYTES + TAG_BYTES)
        return NULL;
    plain = xpl_arena_alloc(arena, length - NONCE_BYTES - TAG_BYTES + 1);
    if (!plain || crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)plain, &written, NULL, sealed + NONCE_BYTES,
                                                             length - NONCE_BYTES, (const uint8_t *)context,
                                                             strlen(context), sealed, key) != 0)
        return NULL;
    *ret_length = (size_t)written;
    return plain;
}
