/* SPDX-License-Identifier: Apache-2.0 */
#include "db/packing.h"

#include <string.h>

#include "lib/base/small_rows.h"

#define MIN_NUMBERS   16u /* of a part; fewer stay text */
#define WORTH_PACKING 8u  /* bytes of text for each number, at most */
#define COUNT_BYTES   4u
#define MAX_NUMBER    10u /* bytes of a number in front of a part */
#define BLANK_IN_ROW  1u
#define BLANK_BETWEEN 2u

/* ---- packing ---- */

struct packer {
    struct xpl_text text;
    const char *copied; /* up to here it is in numbers and parts */
    uint8_t *numbers, *parts;
    size_t n_numbers, n_parts; /* bytes of each */
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

static void pack(struct packer *p)
{
    const char *at = p->text.ptr, *end = at + p->text.length;
    struct xpl_small_rows rows;

    while ((at = memchr(at, '[', (size_t)(end - at)))) {
        const char *behind = xpl_small_rows_read(at, end, p->numbers + p->n_numbers, &rows);

        if (rows.n * rows.length >= MIN_NUMBERS) {
            put_text(p, at);
            put_rows(p, &rows, behind);
        }
        at = rows.n > 0 ? behind : at + 1;
    }
    put_text(p, end);
}

static struct xpl_blob joined(struct packer *p, uint8_t *data)
{
    for (unsigned i = 0; i < COUNT_BYTES; i++)
        data[i] = (uint8_t)(p->n_numbers >> (8 * i));
    memcpy(p->numbers + p->n_numbers, p->parts, p->n_parts);
    return (struct xpl_blob){data, COUNT_BYTES + p->n_numbers + p->n_parts};
}

/* A number takes two bytes of text at least, and a part that is shorter than its text pays for those that are not. */
bool xpl_pack(struct xpl_arena *arena, struct xpl_text text, struct xpl_blob *ret)
{
    size_t most = text.length + COUNT_BYTES + MAX_NUMBER;
    uint8_t *data = xpl_arena_alloc(arena, most);
    struct packer p = {.text = text, .copied = text.ptr};

    p.parts = xpl_arena_alloc(arena, most);
    if (!data || !p.parts || text.length > UINT32_MAX)
        return false;
    p.numbers = data + COUNT_BYTES;
    pack(&p);
    if (p.n_numbers == 0 || p.n_numbers < text.length / WORTH_PACKING)
        return false;
    *ret = joined(&p, data);
    return true;
}

/* ---- unpacking ---- */

struct unpacker {
    const uint8_t *numbers, *parts, *end; /* the numbers end where the parts begin */
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

static bool take_rows(struct unpacker *u, size_t n, const uint8_t *numbers_end)
{
    struct xpl_small_rows rows = {.n = n};
    size_t left = (size_t)(numbers_end - u->numbers);

    if (!take_number(u, &rows.length) || u->parts == u->end || rows.length == 0 || n > left / rows.length)
        return false;
    rows.blank_in_row = *u->parts & BLANK_IN_ROW;
    rows.blank_between = *u->parts++ & BLANK_BETWEEN;
    u->out = xpl_small_rows_write(&rows, u->numbers, u->out, u->out_end);
    u->numbers += n * rows.length;
    return u->out != NULL;
}

bool xpl_unpack(struct xpl_blob packed, char *out, size_t size)
{
    const uint8_t *data = packed.data, *numbers_end;
    struct unpacker u = {.out = out, .out_end = out + size};
    size_t n_numbers = 0, part;

    if (packed.length < COUNT_BYTES)
        return false;
    for (unsigned i = 0; i < COUNT_BYTES; i++)
        n_numbers |= (size_t)data[i] << (8 * i);
    if (n_numbers > packed.length - COUNT_BYTES)
        return false;
    u.numbers = data + COUNT_BYTES;
    u.parts = numbers_end = u.numbers + n_numbers;
    u.end = data + packed.length;
    while (u.parts < u.end)
        if (!take_number(&u, &part) || !(part % 2 ? take_rows(&u, part / 2, numbers_end) : take_text(&u, part / 2)))
            return false;
    return u.out == u.out_end && u.numbers == numbers_end;
}
