/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/model_settings.h"

#include <string.h>

#include "lib/base/json_look.h"
#include "lib/scoring/requests/raw_body.h"
#include "lib/scoring/requests/tensor_type.h"

/* Whether the path of an address ends like this. */
static bool path_ends(const char *url, const char *suffix)
{
    size_t path = strcspn(url, "?#"), length = strlen(suffix);

    return path >= length && memcmp(url + path - length, suffix, length) == 0;
}

enum xpl_wire_format xpl_wire_of_url(const char *url)
{
    if (strstr(url, "/ml/v4/"))
        return XPL_WIRE_WML_V4;
    if (path_ends(url, ":predict"))
        return XPL_WIRE_INSTANCES;
    return strstr(url, "/v2/models/") && path_ends(url, "/infer") ? XPL_WIRE_TENSOR : XPL_WIRE_AS_LOGGED;
}

/* NULL: there is no such type. */
static const char *name_of_type(struct xpl_text name)
{
    const struct xpl_tensor_type *type = xpl_tensor_type_of(name);

    return type ? type->name : NULL;
}

/* What the request was before it became JSON (raw_body.h). */
static void read_note(struct xpl_text request, struct xpl_wire *wire)
{
    static const enum xpl_body_form files[] = {XPL_BODY_NPY, XPL_BODY_PNG, XPL_BODY_JPEG, XPL_BODY_X_IMAGE,
                                               XPL_BODY_FILE};
    struct xpl_text note, type;

    wire->body = XPL_BODY_JSON;
    if (!xpl_json_member(request, XPL_RAW_BODY_NOTE, &note) || !xpl_json_member(note, "content_type", &type) ||
        type.length < 2)
        return;
    type = (struct xpl_text){type.ptr + 1, type.length - 2};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (xpl_text_equal(type, xpl_body_form_type(files[i])))
            wire->body = files[i];
    if (wire->body != XPL_BODY_JSON)
        xpl_json_member(note, "form", &wire->form);
    if (wire->body == XPL_BODY_NPY && !wire->datatype && xpl_json_member(note, "datatype", &type) && type.length > 2)
        wire->datatype = name_of_type((struct xpl_text){type.ptr + 1, type.length - 2});
}

struct xpl_wire xpl_wire_of(const struct xpl_model_settings *model, const char *url, const struct xpl_request *request)
{
    struct xpl_wire wire = model->wire;

    if (!model->has_wire)
        wire.format = xpl_wire_of_url(url);
    if (!model->has_body)
        read_note(request->text, &wire);
    return wire;
}
