/* SPDX-License-Identifier: Apache-2.0 */
/* Which picture of an explanation is asked for: the query parameters of its image operation. */
#ifndef XPL_API_PICTURE_QUERY_H
#define XPL_API_PICTURE_QUERY_H

#include "api/call.h"
#include "lib/explain/drawing/overlay.h"

enum xpl_picture_kind {
    XPL_PICTURE_POSITIVE,
    XPL_PICTURE_NEGATIVE,
    XPL_PICTURE_ORIGINAL,
    XPL_PICTURE_SHEET,
    XPL_PICTURE_BOTH,
    XPL_PICTURE_HEATMAP,
    XPL_PICTURE_OUTLINE,
    XPL_PICTURE_MASKED,
    XPL_PICTURE_PERTINENT_POSITIVE, /* weights are 1 in the set and 0 elsewhere */
    XPL_PICTURE_PERTINENT_NEGATIVE
};

enum xpl_picture_format {
    XPL_PICTURE_PNG,
    XPL_PICTURE_SVG, /* of heat maps */
    XPL_PICTURE_JSON
};

struct xpl_picture_query {
    enum xpl_picture_kind kind;
    struct xpl_overlay overlay;
    uint32_t scale; /* 0 = as the kind needs */
    enum xpl_picture_format format;
    bool legend; /* of heat maps and pictures of signs */
};

/** XPL_BAD_FIELD names the parameter and what it may be. */
enum xpl_status xpl_picture_query_read(const struct xpl_call *call, struct xpl_picture_query *ret,
                                       struct xpl_error *err);

/** A picture by the name of its pane, everything else as it is when not asked for. False for an unknown name. */
bool xpl_picture_query_of(const char *name, struct xpl_picture_query *ret);

/** The name of its pane. */
const char *xpl_picture_query_pane(const struct xpl_picture_query *query);

/** Everything a picture depends on but its explanation, as part of an ETag; NULL without memory. */
const char *xpl_picture_query_tag(struct xpl_arena *arena, const struct xpl_picture_query *query);

#endif
