/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/status.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

/* Texts quote what a client or model sent, and cut it: they become JSON, so they must stay UTF-8. */
static void repair(struct xpl_error *err)
{
    xpl_repair_utf8(err->field);
    xpl_repair_utf8(err->message);
}

__attribute__((format(printf, 4, 0))) static void record(struct xpl_error *err, enum xpl_status status,
                                                         const char *field, const char *format, va_list args)
{
    if (!err || err->status != XPL_OK)
        return;
    err->status = status;
    snprintf(err->field, sizeof err->field, "%s", field);
    vsnprintf(err->message, sizeof err->message, format, args);
    repair(err);
}

enum xpl_status xpl_fail(struct xpl_error *err, enum xpl_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record(err, status, "", format, args);
    va_end(args);
    return status;
}

enum xpl_status xpl_fail_field(struct xpl_error *err, enum xpl_status status, const char *field, const char *format,
                               ...)
{
    va_list args;

    va_start(args, format);
    record(err, status, field, format, args);
    va_end(args);
    return status;
}

void xpl_error_prefix(struct xpl_error *err, const char *prefix)
{
    char joined[XPL_ERROR_FIELD_MAX];
    const char *dot;

    if (!err || err->status == XPL_OK)
        return;
    dot = *prefix && *err->field && *err->field != '[' ? "." : "";
    if (snprintf(joined, sizeof joined, "%s%s%s", prefix, dot, err->field) < 0)
        return;
    memcpy(err->field, joined, sizeof joined);
    repair(err);
}

void xpl_error_clear(struct xpl_error *err)
{
    memset(err, 0, sizeof *err);
}

enum xpl_status xpl_no_memory(struct xpl_error *err)
{
    return xpl_fail(err, XPL_NO_MEMORY, "out of memory");
}
