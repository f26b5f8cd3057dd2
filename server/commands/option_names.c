/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/option_names.h"

#include <ctype.h>
#include <string.h>

#include "api/json_spec.h"

/* The first that fits is taken: what begins like another comes before it. */
static const struct {
    const char *member, *option;
} names[] = {
    {"asset_properties.explaind.activation", "--activation"},
    {"asset_properties.explaind.class_labels", "--class-labels"},
    {"asset_properties.explaind.fixed_batch", "--fixed-batch"},
    {"asset_properties.explaind.probability_path", "--probability-path"},
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
};

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_-./", c));
}

/* A member, not a part of another word, such as a file's name. */
static bool begins(const char *text, const char *member)
{
    size_t length = strlen(member);

    return strncmp(text, member, length) == 0 && (text[length] == '.' || !is_of_name(text[length]));
}

/* Where members are said with all that is around them. */
static const char *skip_holder(const char *text)
{
    static const char holder[] = "parameters.";

    return strncmp(text, holder, strlen(holder)) == 0 ? text + strlen(holder) : text;
}

void xpl_print_as_options(FILE *out, const char *text)
{
    bool within = false; /* a word */

    while (*text) {
        const char *member = skip_holder(text);
        size_t i = 0;

        while (i < XPL_COUNT(names) && (within || !begins(member, names[i].member)))
            i++;
        within = is_of_name(*text);
        if (i < XPL_COUNT(names)) {
            fputs(names[i].option, out);
            text = member + strlen(names[i].member);
        } else {
            fputc(*text++, out);
        }
    }
}

void xpl_print_error(FILE *out, const struct xpl_error *err)
{
    fputs("explaind: ", out);
    xpl_print_as_options(out, err->field);
    fputs(*err->field ? ": " : "", out);
    xpl_print_as_options(out, err->message);
    fputc('\n', out);
}
