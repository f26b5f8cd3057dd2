/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/form_data.h"

#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/json_look.h"
#include "lib/base/json_scan.h"

#define BOUNDARY_MAX 70u /* RFC 2046 */
#define OUR_BOUNDARY "----explaind-4f9d1c07b2e86a35"
#define LINE         "\r\n"
#define BLANK_LINE   LINE LINE

/* The bytes that a boundary may be made of; those of the second row need quotes in a header. */
static const char plain_bytes[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'+_-.";
static const char quoted_bytes[] = "(),/:=? ";

static enum xpl_status bad(struct xpl_error *err, const char *message)
{
    return xpl_fail(err, XPL_BAD_RECORD, "%s", message);
}

static const char *find(struct xpl_text text, const char *what)
{
    return memmem(text.ptr, text.length, what, strlen(what));
}

/* ---- a body ---- */

/* The text from `at` on. */
static struct xpl_text from(struct xpl_text text, const char *at)
{
    return (struct xpl_text){at, (size_t)(text.ptr + text.length - at)};
}

static bool is_boundary(struct xpl_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!text.ptr[i] || (!strchr(plain_bytes, text.ptr[i]) && !strchr(quoted_bytes, text.ptr[i])))
            return false;
    return text.length >= 1 && text.length <= BOUNDARY_MAX && text.ptr[text.length - 1] != ' ';
}

/* The boundary of a form's first line, "--" and the boundary; some clients send an empty line before it. */
static bool read_boundary(struct xpl_text body, struct xpl_text *ret)
{
    const char *end;

    if (body.length >= 2 && memcmp(body.ptr, LINE, 2) == 0)
        body = from(body, body.ptr + 2);
    if (body.length < 2 || memcmp(body.ptr, "--", 2) != 0 || !(end = find(body, LINE)))
        return false;
    *ret = (struct xpl_text){body.ptr + 2, (size_t)(end - body.ptr) - 2};
    return is_boundary(*ret);
}

bool xpl_form_begins(struct xpl_text body)
{
    static const char header[] = "Content-";
    struct xpl_text boundary, rest;

    if (!read_boundary(body, &boundary))
        return false;
    rest = from(body, boundary.ptr + boundary.length + strlen(LINE));
    return rest.length > strlen(header) && strncasecmp(rest.ptr, header, strlen(header)) == 0;
}

struct part {
    struct xpl_text headers, content; /* headers with the end of each line */
};

/* The part that begins at `at`, behind a boundary; false behind the last one. */
static bool next_part(struct xpl_text body, const char *delimiter, const char **at, struct part *ret,
                      struct xpl_error *err)
{
    struct xpl_text rest = from(body, *at);
    const char *blank, *end;

    if (rest.length >= 2 && memcmp(rest.ptr, "--", 2) == 0)
        return false;
    blank = find(rest, BLANK_LINE);
    end = blank ? find(from(body, blank + strlen(BLANK_LINE)), delimiter) : NULL;
    if (!end) {
        bad(err, "the form ends in the middle of a part");
        return false;
    }
    ret->headers = (struct xpl_text){rest.ptr, (size_t)(blank - rest.ptr) + strlen(LINE)};
    ret->content = (struct xpl_text){blank + strlen(BLANK_LINE), (size_t)(end - blank) - strlen(BLANK_LINE)};
    *at = end + strlen(delimiter);
    return true;
}

static struct xpl_text header_line(struct xpl_text headers, const char *name)
{
    const char *end;

    for (; (end = find(headers, LINE)); headers = from(headers, end + strlen(LINE)))
        if (headers.length > strlen(name) && strncasecmp(headers.ptr, name, strlen(name)) == 0)
            return (struct xpl_text){headers.ptr, (size_t)(end - headers.ptr) + strlen(LINE)};
    return (struct xpl_text){0};
}

/* Text that can be written as JSON, and is the same when it is read again. */
static bool is_text(struct xpl_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.ptr[i] < ' ' && !strchr("\r\n\t", text.ptr[i] ? text.ptr[i] : 'x'))
            return false;
    return xpl_is_utf8(text.ptr, text.length);
}

enum xpl_status xpl_form_split(struct xpl_text body, bool (*is_file)(struct xpl_text content), struct xpl_form *ret,
                               struct xpl_text *ret_file, struct xpl_error *err)
{
    char delimiter[BOUNDARY_MAX + 5] = LINE "--";
    struct xpl_text boundary, file = {0};
    struct xpl_error broken = {0};
    struct part part;
    const char *at;

    if (!read_boundary(body, &boundary))
        return bad(err, "the form does not begin with a boundary");
    memcpy(delimiter + strlen(delimiter), boundary.ptr, boundary.length);
    for (at = boundary.ptr + boundary.length; next_part(body, delimiter, &at, &part, &broken);) {
        if (!is_file(part.content))
            continue;
        if (file.ptr)
            return bad(err, "the form holds several files: one image is explained at a time");
        file = part.content;
        ret->length = header_line(part.headers, "Content-Length:");
    }
    if (broken.status)
        return bad(err, broken.message);
    if (!file.ptr)
        return bad(err, "the form holds no PNG, JPEG or NumPy file");
    ret->before = (struct xpl_text){boundary.ptr - 2, (size_t)(file.ptr - boundary.ptr) + 2};
    ret->behind = from(body, file.ptr + file.length);
    if (!is_text(ret->before) || !is_text(ret->behind))
        return bad(err, "the form holds something that is not text beside the file");
    *ret_file = file;
    return XPL_OK;
}

/* ---- JSON ---- */

static void put_escaped(struct xpl_buf *out, struct xpl_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.ptr[i];

        if (c == '\r' || c == '\n' || c == '\t')
            xpl_buf_string(out, c == '\r' ? "\\r" : c == '\n' ? "\\n" : "\\t");
        else {
            xpl_buf_append(out, "\\", c == '"' || c == '\\');
            xpl_buf_append(out, &c, 1);
        }
    }
}

enum xpl_status xpl_form_json(struct xpl_arena *arena, const struct xpl_form *form, struct xpl_text *ret,
                              struct xpl_error *err)
{
    struct xpl_text before = form->before, length = form->length;
    XPL_AUTO(xpl_buf) out = xpl_buf_new(2 * (before.length + form->behind.length) + sizeof "{'before':'','behind':''}");

    if (!out)
        return xpl_no_memory(err);
    xpl_buf_string(out, "{\"before\":\"");
    if (length.ptr) {
        put_escaped(out, (struct xpl_text){before.ptr, (size_t)(length.ptr - before.ptr)});
        before = from(before, length.ptr + length.length);
    }
    put_escaped(out, before);
    xpl_buf_string(out, "\",\"behind\":\"");
    put_escaped(out, form->behind);
    xpl_buf_string(out, "\"}");
    *ret = (struct xpl_text){out->failed ? NULL : xpl_arena_string_n(arena, out->data, out->length), out->length};
    return ret->ptr ? XPL_OK : xpl_no_memory(err);
}

/* What the file is called ends so: a picture is a PNG by any other type. */
static const char *ending_of(const char *file_type)
{
    return strcmp(file_type, "application/x-npy") == 0 ? "npy" : strcmp(file_type, "image/jpeg") == 0 ? "jpeg" : "png";
}

const char *xpl_form_of_field(struct xpl_arena *arena, const char *name, const char *file_type)
{
    return xpl_arena_printf(arena,
                            "{\"before\":\"--" OUR_BOUNDARY "\\r\\nContent-Disposition: form-data; name=\\\"%s\\\"; "
                            "filename=\\\"image.%s\\\"\\r\\nContent-Type: %s\\r\\n\\r\\n\","
                            "\"behind\":\"\\r\\n--" OUR_BOUNDARY "--\\r\\n\"}",
                            name, ending_of(file_type), file_type);
}

static bool read_string(struct xpl_arena *arena, struct xpl_text json, const char *name, struct xpl_text *ret)
{
    struct xpl_text raw;
    char *string;

    if (!xpl_json_member(json, name, &raw) || !xpl_json_text_is_string(raw) ||
        !(string = xpl_arena_alloc(arena, raw.length)))
        return false;
    *ret = (struct xpl_text){string, 0};
    if (!xpl_json_unescape((struct xpl_text){raw.ptr + 1, raw.length - 2}, string))
        return false;
    ret->length = strlen(string);
    return true;
}

static bool needs_quotes(struct xpl_text boundary)
{
    for (size_t i = 0; i < boundary.length; i++)
        if (strchr(quoted_bytes, boundary.ptr[i]))
            return true;
    return false;
}

enum xpl_status xpl_form_read(struct xpl_arena *arena, struct xpl_text json, struct xpl_form *ret,
                              const char **ret_content_type, struct xpl_error *err)
{
    struct xpl_text boundary;
    const char *quote;

    if (!read_string(arena, json, "before", &ret->before) || !read_string(arena, json, "behind", &ret->behind) ||
        !read_boundary(ret->before, &boundary))
        return xpl_fail_field(err, XPL_BAD_RECORD, "explaind.form",
                              "must have the text before and behind the file of a form, which begins with --boundary");
    quote = needs_quotes(boundary) ? "\"" : "";
    *ret_content_type = xpl_arena_printf(arena, "multipart/form-data; boundary=%s%.*s%s", quote, (int)boundary.length,
                                         boundary.ptr, quote);
    return *ret_content_type ? XPL_OK : xpl_no_memory(err);
}
