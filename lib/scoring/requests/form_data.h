/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads: a file inside of a form, multipart/form-data (RFC 7578).
 *
 * What stands around the file is kept as it was, other fields included, and becomes the JSON text
 * {"before":"--…\r\n\r\n","behind":"\r\n--…--\r\n"}: the form of a logged request, which varied files are put into.
 */
#ifndef XPL_SCORING_FORM_DATA_H
#define XPL_SCORING_FORM_DATA_H

#include "lib/base/arena.h"
#include "lib/base/status.h"
#include "lib/base/text.h"

/** What stands around the file. */
struct xpl_form {
    struct xpl_text before, behind;
    struct xpl_text
        length; /* the line of `before` that says how long the file is, and varied ones are not; {0} = none */
};

/** Whether a body begins as a form does. */
bool xpl_form_begins(struct xpl_text body);

/**
 * Finds the part for whose content `is_file` holds. XPL_BAD_RECORD: there is none or more than one, the form is broken,
 * or has text in it that is not UTF-8. Slices of `body`.
 */
enum xpl_status xpl_form_split(struct xpl_text body, bool (*is_file)(struct xpl_text content), struct xpl_form *ret,
                               struct xpl_text *ret_file, struct xpl_error *err);

/** The JSON text, without the line that is the file's length. */
enum xpl_status xpl_form_json(struct xpl_arena *arena, const struct xpl_form *form, struct xpl_text *ret,
                              struct xpl_error *err);

/** The JSON text of a form with nothing but a file in the field `name`, which has no quotes or control characters.
 * NULL when out of memory. */
const char *xpl_form_of_field(struct xpl_arena *arena, const char *name, const char *file_type);

/** Reads the JSON text back, and what the form's Content-Type is. XPL_BAD_RECORD: it is none. */
enum xpl_status xpl_form_read(struct xpl_arena *arena, struct xpl_text json, struct xpl_form *ret,
                              const char **ret_content_type, struct xpl_error *err);

#endif
