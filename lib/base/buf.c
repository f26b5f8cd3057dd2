/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xpl_buf *xpl_buf_new(size_t max)
{
    struct xpl_buf *buf = malloc(sizeof *buf);

    if (buf)
        xpl_buf_init(buf, max);
    return buf;
}

void xpl_buf_free(struct xpl_buf *buf)
{
    if (!buf)
        return;
    xpl_buf_release(buf);
    free(buf);
}

void xpl_buf_init(struct xpl_buf *buf, size_t max)
{
    *buf = (struct xpl_buf){.max = max};
}

void xpl_buf_release(struct xpl_buf *buf)
{
    free(buf->data);
    *buf = (struct xpl_buf){.max = buf->max};
}

bool xpl_buf_reserve(struct xpl_buf *buf, size_t length)
{
    size_t needed, capacity;
    char *data;

    if (buf->failed || length > buf->max - buf->length) {
        buf->failed = true;
        return false;
    }
    needed = buf->length + length + 1;
    if (needed <= buf->capacity)
        return true;
    capacity = buf->capacity + buf->capacity / 2;
    if (capacity < needed)
        capacity = needed;
    if (capacity < 256)
        capacity = 256;
    if (capacity > buf->max + 1)
        capacity = buf->max + 1;
    data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    buf->data[buf->length] = '\0';
    return true;
}

bool xpl_buf_append(struct xpl_buf *buf, const void *data, size_t length)
{
    if (!xpl_buf_reserve(buf, length))
        return false;
    if (length)
        memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return true;
}

bool xpl_buf_string(struct xpl_buf *buf, const char *string)
{
    return xpl_buf_append(buf, string, strlen(string));
}

bool xpl_buf_printf(struct xpl_buf *buf, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !xpl_buf_reserve(buf, (size_t)length)) {
        buf->failed = true;
        return false;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
    va_end(args);
    buf->length += (size_t)length;
    return true;
}

void xpl_buf_clear(struct xpl_buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}
