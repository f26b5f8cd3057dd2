/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/option_names.h"

#include <string.h>

#include "api/json_spec.h"

/* The first that fits is taken: what begins like another comes before it. */
static const struct {
    const char *member, *option;
} names[] = {
    {"asset_properties.explaind.activation", "--activation"},
    {"asset_properties.explaind.class_labels", "--class-labels"},
    {"image.segmentation.algorithm", "--superpixels"},
    {"image.segmentation.max_segments", "--zones"},
    {"image.segmentation.refine", "--refine"},
    {"image.budget", "--budget"},
    {"image.classes[0]", "--class"},
    {"image.classes", "--class"},
    {"image.deadline_ms", "--deadline"},
    {"image.design", "--design"},
    {"image.fill", "--fill"},
    {"image.seed", "--seed"},
    {"max_segments", "--zones"},
    {"parameters.", ""},
};

static void print(FILE *out, const char *text)
{
    while (*text) {
        size_t i = 0;

        while (i < XPL_COUNT(names) && strncmp(text, names[i].member, strlen(names[i].member)) != 0)
            i++;
        if (i < XPL_COUNT(names)) {
            fputs(names[i].option, out);
            text += strlen(names[i].member);
        } else {
            fputc(*text++, out);
        }
    }
}

void xpl_print_error(FILE *out, const struct xpl_error *err)
{
    fputs("explaind: ", out);
    print(out, err->field);
    fputs(*err->field ? ": " : "", out);
    print(out, err->message);
    fputc('\n', out);
}
