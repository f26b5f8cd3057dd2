/* SPDX-License-Identifier: Apache-2.0 */
#include "db/packing.h"

#include <string.h>

#include "db/number_texts.h"

#define MIN_NUMBERS   16u   /* of a part; fewer stay text */
#define WORTH_PACKING 8u    /* bytes of text for each number, at most */
#define WORTH_TEXTS   2u    /* packed with texts, it is a half at most */
#define LONG_TEXT     2048u /* bytes; in a shorter one there is little to find, and a table to fill */
#define COUNT_BYTES   4u
#define TEXTS_BYTES   2u  /* of how many texts there are */
#define MAX_NUMBER    10u /* bytes of a number in front of a part */
#define BYTE_CODES    256u
#define BLANK_IN_ROW  1u
#define BLANK_BETWEEN 2u

_Static_assert(XPL_PACKING_SLACK >= XPL_SMALL_ROWS_SLACK && XPL_PACKING_SLACK >= XPL_NUMBER_TEXT_BYTES + 6,
               "a number and what stands beside it are written before the end is looked at");

/* ---- packing ---- */

struct packer {
    struct xpl_text text;
    const char *copied; /* up to here it is in numbers and parts */
    uint8_t *numbers, *parts;
    size_t n_numbers, n_parts;
    struct xpl_number_texts *texts; /* NULL for bytes */
    uint16_t *codes;                /* instead of numbers, with texts */
};

static void put_number(struct packer *p, size_t number)
{
    for (; number >= 0x80; number >>= 7)
        p->parts[p->n_parts++] = (uint8_t)(number | 0x80);
    p->parts[p->n_parts++] = (uint8_t)number;
}

static void put_text(struct packer *p, const char *end)
{
    size_t length = (size_t)(end - p->copied);

    if (length == 0)
        return;
    put_number(p, 2 * length);
    memcpy(p->parts + p->n_parts, p->copied, length);
    p->n_parts += length;
    p->copied = end;
}

static void put_rows(struct packer *p, const struct xpl_small_rows *rows, const char *end)
{
    put_number(p, 2 * rows->n + 1);
    put_number(p, rows->length);
    p->parts[p->n_parts++] =
        (uint8_t)((rows->blank_in_row ? BLANK_IN_ROW : 0) | (rows->blank_between ? BLANK_BETWEEN : 0));
    p->n_numbers += rows->n * rows->length;
    p->copied = end;
}

static const char *read_rows(struct packer *p, const char *at, const char *end, struct xpl_small_rows *rows)
{
    if (p->texts)
        return xpl_number_rows_read(p->texts, at, end, p->codes + p->n_numbers, rows);
    return xpl_small_rows_read(at, end, p->numbers + p->n_numbers, rows);
}

static void pack(struct packer *p)
{
    const char *at = p->text.ptr, *end = at + p->text.length;
    struct xpl_small_rows rows;

    p->copied = at;
    p->n_numbers = p->n_parts = 0;
    while ((at = memchr(at, '[', (size_t)(end - at)))) {
        const char *behind = read_rows(p, at, end, &rows);

        if (p->texts && xpl_number_texts_too_many(p->texts))
            return;
        if (rows.n * rows.length >= MIN_NUMBERS) {
            put_text(p, at);
            put_rows(p, &rows, behind);
        }
        at = rows.n > 0 ? behind : at + 1;
    }
    put_text(p, end);
}

static uint8_t *put_low_bytes(uint8_t *at, size_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

/* A number takes two bytes of text at least, and a part that is shorter than its text pays for those that are not. */
static bool pack_bytes(struct packer *p, uint8_t *data, struct xpl_blob *ret)
{
    p->numbers = data + COUNT_BYTES;
    pack(p);
    if (p->n_numbers == 0 || p->n_numbers < p->text.length / WORTH_PACKING)
        return false;
    put_low_bytes(data, p->n_numbers, COUNT_BYTES);
    memcpy(p->numbers + p->n_numbers, p->parts, p->n_parts);
    *ret = (struct xpl_blob){data, COUNT_BYTES + p->n_numbers + p->n_parts};
    return true;
}

static void join_texts(const struct packer *p, uint8_t *at)
{
    uint32_t n_texts = xpl_number_texts_count(p->texts);

    at = put_low_bytes(at, p->n_numbers, COUNT_BYTES);
    at = put_low_bytes(at, n_texts, TEXTS_BYTES);
    for (size_t i = 0; i < p->n_numbers; i++)
        *at++ = (uint8_t)p->codes[i];
    for (size_t i = 0; i < p->n_numbers && n_texts > BYTE_CODES; i++)
        *at++ = (uint8_t)(p->codes[i] >> 8);
    at = xpl_number_texts_write(p->texts, at);
    memcpy(at, p->parts, p->n_parts);
}

/* The codes go where the numbers would have gone. */
static bool pack_texts(struct xpl_arena *arena, struct packer *p, void *data, struct xpl_blob *ret)
{
    size_t length;
    uint8_t *joined;

    p->codes = data;
    if (p->text.length < LONG_TEXT || !(p->texts = xpl_number_texts_new(arena)))
        return false;
    pack(p);
    length = COUNT_BYTES + TEXTS_BYTES + p->n_numbers * (xpl_number_texts_count(p->texts) > BYTE_CODES ? 2 : 1) +
             xpl_number_texts_bytes(p->texts) + p->n_parts;
    if (xpl_number_texts_too_many(p->texts) || length > p->text.length / WORTH_TEXTS ||
        !(joined = xpl_arena_alloc(arena, length)))
        return false;
    join_texts(p, joined);
    *ret = (struct xpl_blob){joined, length};
    return true;
}

enum xpl_packing xpl_pack(struct xpl_arena *arena, struct xpl_text text, struct xpl_blob *ret)
{
    size_t most = text.length + COUNT_BYTES + MAX_NUMBER;
    uint8_t *data = xpl_arena_alloc(arena, most);
    struct packer p = {.text = text};

    p.parts = xpl_arena_alloc(arena, most);
    if (!data || !p.parts || text.length > UINT32_MAX)
        return XPL_NOT_PACKED;
    if (pack_bytes(&p, data, ret))
        return XPL_PACKED_BYTES;
    return pack_texts(arena, &p, data, ret) ? XPL_PACKED_TEXTS : XPL_NOT_PACKED;
}

/* ---- unpacking ---- */

struct unpacker {
    const uint8_t *parts, *end;
    size_t n_numbers; /* that are left */
    const uint8_t *numbers;
    bool with_texts;
    struct xpl_number_codes codes; /* instead of numbers, with texts */
    char *out;
    const char *out_end;
};

static bool take_number(struct unpacker *u, size_t *ret)
{
    unsigned shift = 0;

    for (*ret = 0; u->parts < u->end && shift < 63; shift += 7) {
        uint8_t byte = *u->parts++;

        *ret |= (size_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_text(struct unpacker *u, size_t length)
{
    if (length > (size_t)(u->end - u->parts) || length > (size_t)(u->out_end - u->out))
        return false;
    memcpy(u->out, u->parts, length);
    u->out += length;
    u->parts += length;
    return true;
}

static void write_rows(struct unpacker *u, const struct xpl_small_rows *rows)
{
    size_t n = rows->n * rows->length;

    u->n_numbers -= n;
    if (u->with_texts) {
        u->out = xpl_number_rows_write(rows, &u->codes, u->out, u->out_end);
        u->codes.low += n;
        if (u->codes.high)
            u->codes.high += n;
    } else {
        u->out = xpl_small_rows_write(rows, u->numbers, u->out, u->out_end);
        u->numbers += n;
    }
}

static bool take_rows(struct unpacker *u, size_t n)
{
    struct xpl_small_rows rows = {.n = n};

    if (!take_number(u, &rows.length) || u->parts == u->end || rows.length == 0 || n > u->n_numbers / rows.length)
        return false;
    rows.blank_in_row = *u->parts & BLANK_IN_ROW;
    rows.blank_between = *u->parts++ & BLANK_BETWEEN;
    write_rows(u, &rows);
    return u->out != NULL;
}

static bool take_low_bytes(struct unpacker *u, unsigned bytes, size_t *ret)
{
    *ret = 0;
    if (bytes > (size_t)(u->end - u->parts))
        return false;
    for (unsigned i = 0; i < bytes; i++)
        *ret |= (size_t)*u->parts++ << (8 * i);
    return true;
}

static bool take_bytes(struct unpacker *u, size_t n, const uint8_t **ret)
{
    *ret = u->parts;
    if (n > (size_t)(u->end - u->parts))
        return false;
    u->parts += n;
    return true;
}

static enum xpl_status take_codes(struct xpl_arena *arena, struct unpacker *u)
{
    struct xpl_number_text *texts;
    size_t n_texts;

    if (!take_low_bytes(u, TEXTS_BYTES, &n_texts) || n_texts > (size_t)(u->end - u->parts) ||
        !take_bytes(u, u->n_numbers, &u->codes.low) ||
        (n_texts > BYTE_CODES && !take_bytes(u, u->n_numbers, &u->codes.high)))
        return XPL_STORAGE_FAILED;
    if (!(texts = XPL_NEW_ARRAY(arena, struct xpl_number_text, n_texts + 1)))
        return XPL_NO_MEMORY;
    u->codes.texts = texts;
    u->codes.n_texts = (uint32_t)n_texts;
    u->parts = xpl_number_texts_read(u->parts, u->end, u->codes.n_texts, texts);
    return u->parts ? XPL_OK : XPL_STORAGE_FAILED;
}

enum xpl_status xpl_unpack(struct xpl_arena *arena, enum xpl_packing packing, struct xpl_blob packed, char *out,
                           size_t size)
{
    const uint8_t *data = packed.data;
    struct unpacker u = {.parts = data, .end = data + packed.length, .out = out, .out_end = out + size};
    enum xpl_status st;
    size_t part;

    u.with_texts = packing == XPL_PACKED_TEXTS;
    if (!take_low_bytes(&u, COUNT_BYTES, &u.n_numbers))
        return XPL_STORAGE_FAILED;
    if (u.with_texts && (st = take_codes(arena, &u)))
        return st;
    if (!u.with_texts && !take_bytes(&u, u.n_numbers, &u.numbers))
        return XPL_STORAGE_FAILED;
    while (u.parts < u.end)
        if (!take_number(&u, &part) || !(part % 2 ? take_rows(&u, part / 2) : take_text(&u, part / 2)))
            return XPL_STORAGE_FAILED;
    return u.out == u.out_end && u.n_numbers == 0 ? XPL_OK : XPL_STORAGE_FAILED;
}
