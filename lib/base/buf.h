/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing run of bytes with a maximum given when it is made.
 *
 * Appending beyond the maximum, or without memory, marks the buffer as failed and leaves it as it was; so a caller
 * may append many times and look at `failed` once.
 */
#ifndef XPL_BASE_BUF_H
#define XPL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"

struct xpl_buf {
    char *data; /* zero-terminated behind `length` */
    size_t length;
    size_t capacity;
    size_t max;
    bool failed;
};

/** A buffer on the heap for at most `max` bytes; NULL without memory. */
struct xpl_buf *xpl_buf_new(size_t max);
void xpl_buf_free(struct xpl_buf *buf);
XPL_DEFINE_AUTO(xpl_buf, xpl_buf_free)

/** The same for a buffer embedded in another struct. */
void xpl_buf_init(struct xpl_buf *buf, size_t max);
void xpl_buf_release(struct xpl_buf *buf);

/** False when the bytes did not fit. */
bool xpl_buf_append(struct xpl_buf *buf, const void *data, size_t length);
bool xpl_buf_string(struct xpl_buf *buf, const char *string);
bool xpl_buf_printf(struct xpl_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Room for `length` more bytes, to be written by the caller at data + length. */
bool xpl_buf_reserve(struct xpl_buf *buf, size_t length);

/** Empties it and keeps its memory. */
void xpl_buf_clear(struct xpl_buf *buf);

#endif
