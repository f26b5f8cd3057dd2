/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/params.h"

struct xpl_explain_params xpl_explain_params_default(void)
{
    return (struct xpl_explain_params){
        .max_dist = 200,
        .ratio = 0.2,
        .design = XPL_DESIGN_AUTO,
        .fill = XPL_FILL_MEAN,
        .confidence = 0.95,
        .classes = XPL_CLASSES_TOP2,
        .deadline_ms = 120000,
    };
}

const char *xpl_design_mode_name(enum xpl_design_mode mode)
{
    switch (mode) {
    case XPL_DESIGN_AUTO:
        return "auto";
    case XPL_DESIGN_EXACT:
        return "exact";
    case XPL_DESIGN_REFERENCE:
        return "reference";
    }
    return "";
}

const char *xpl_fill_name(enum xpl_fill fill)
{
    switch (fill) {
    case XPL_FILL_MEAN:
        return "mean";
    case XPL_FILL_BLACK:
        return "black";
    }
    return "";
}
