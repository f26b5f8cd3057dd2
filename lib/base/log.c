/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#define LINE_MAX_BYTES ((size_t)16 * 1024)

/* The level is the one process-wide setting: a log has one sink, the process's stderr. */
static atomic_int log_level = XPL_LOG_INFO;

static const char *const names[] = {"debug", "info", "warn", "error"};

void xpl_log_set_level(enum xpl_log_level level)
{
    atomic_store(&log_level, (int)level);
}

int xpl_log_level_parse(const char *name)
{
    for (int level = XPL_LOG_DEBUG; level <= XPL_LOG_ERROR; level++)
        if (strcmp(name, names[level]) == 0)
            return level;
    return -1;
}

static void append_json_string(struct xpl_buf *line, const char *text)
{
    size_t length = strlen(text);
    bool ascii_only = !xpl_is_utf8(text, length);

    xpl_buf_append(line, "\"", 1);
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == '"' || byte == '\\')
            xpl_buf_printf(line, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && ascii_only))
            xpl_buf_printf(line, "\\u%04x", byte);
        else
            xpl_buf_append(line, at, 1);
    }
    xpl_buf_append(line, "\"", 1);
}

void xpl_log(enum xpl_log_level level, const char *event, ...)
{
    char when[XPL_TIME_TEXT_SIZE];
    struct xpl_buf line;
    const char *name;
    va_list args;

    if ((int)level < atomic_load(&log_level))
        return;
    xpl_buf_init(&line, LINE_MAX_BYTES);
    xpl_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", xpl_time_format(xpl_now_us(), when),
                   names[level]);
    append_json_string(&line, event);
    va_start(args, event);
    while ((name = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);

        if (!value)
            continue;
        xpl_buf_append(&line, ",", 1);
        append_json_string(&line, name);
        xpl_buf_append(&line, ":", 1);
        append_json_string(&line, value);
    }
    va_end(args);
    xpl_buf_append(&line, "}\n", 2);
    /* One write a line: lines of different threads do not mix. A line that does not fit is dropped whole. */
    if (!line.failed && write(STDERR_FILENO, line.data, line.length) < 0) {
        /* nowhere left to say it */
    }
    xpl_buf_release(&line);
}
