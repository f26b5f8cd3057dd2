/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segmentation as a command, for tests/parity: reads "H W C" and H x W x C numbers as text from stdin.
 *   segment_tool raw KERNEL_SIZE MAX_DIST RATIO   RGB in [0, 1]: quickshift before merging, H x W labels
 *   segment_tool slic N COMPACTNESS ZERO           RGB in [0, 1]: slic before merging; ZERO is 0 or 1
 *   segment_tool felzenszwalb SCALE SIGMA MIN_SIZE the same
 *   segment_tool merged [MAX_SEGMENTS]             the model's own values: the product's whole segmentation
 * The last form prints "kernel_size found count" in front of the labels.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/explain/superpixels/segment.h"
#include "tests/tools/read_pixels.h"

static int fail(const struct xpl_error *err)
{
    fprintf(stderr, "segment_tool: %s\n", err->message);
    return 1;
}

static int print_raw(struct xpl_arena *arena, const struct xpl_pixels *pixels, char **settings)
{
    size_t n = (size_t)pixels->height * pixels->width;
    uint32_t *labels = XPL_NEW_ARRAY(arena, uint32_t, n), count;
    float *lab = XPL_NEW_ARRAY(arena, float, n * 3);
    struct xpl_error err = {0};

    if (!labels || !lab)
        return 1;
    xpl_rgb_to_lab(pixels->values, n, strtod(settings[2], NULL), lab);
    if (xpl_quickshift(arena, lab, pixels->height, pixels->width, strtod(settings[0], NULL), strtod(settings[1], NULL),
                       NULL, labels, &count, &err))
        return fail(&err);
    for (size_t i = 0; i < n; i++)
        printf("%" PRIu32 "\n", labels[i]);
    return 0;
}

static int print_found(struct xpl_arena *arena, const struct xpl_pixels *pixels, bool slic, char **settings)
{
    struct xpl_segmentation wanted = {.n_segments = (uint32_t)strtoul(settings[0], NULL, 10),
                                      .compactness = strtod(settings[1], NULL),
                                      .slic_zero = strcmp(settings[2], "1") == 0,
                                      .scale = strtod(settings[0], NULL),
                                      .sigma = strtod(settings[1], NULL),
                                      .min_size = (uint32_t)strtoul(settings[2], NULL, 10)};
    size_t n = (size_t)pixels->height * pixels->width;
    struct xpl_label_map found = {.labels = XPL_NEW_ARRAY(arena, uint32_t, n)};
    struct xpl_error err = {0};

    if (!found.labels)
        return 1;
    if ((slic ? xpl_slic : xpl_felzenszwalb)(arena, pixels->values, pixels->height, pixels->width, &wanted, NULL,
                                             &found, &err))
        return fail(&err);
    for (size_t i = 0; i < n; i++)
        printf("%" PRIu32 "\n", found.labels[i]);
    return 0;
}

static int print_merged(struct xpl_arena *arena, const struct xpl_pixels *pixels, const char *max_segments)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_segments *segments;
    struct xpl_error err = {0};

    if (max_segments)
        params.segmentation.max_segments = (uint32_t)strtoul(max_segments, NULL, 10);
    if (xpl_segment_image(arena, pixels, &params, NULL, &segments, &err))
        return fail(&err);
    printf("%g %" PRIu32 " %" PRIu32 "\n", segments->used.kernel_size, segments->found, segments->count);
    for (size_t i = 0; i < (size_t)segments->height * segments->width; i++)
        printf("%u\n", segments->labels[i]);
    return 0;
}

int main(int argc, char **argv)
{
    struct xpl_arena *arena = xpl_arena_new((size_t)1 << 30);
    struct xpl_pixels *pixels = arena ? read_pixels(arena, stdin) : NULL;
    int code = 64;

    if (!pixels)
        fputs("segment_tool: \"H W C\" and that many numbers are expected on stdin\n", stderr);
    else if (argc == 5 && strcmp(argv[1], "raw") == 0)
        code = print_raw(arena, pixels, argv + 2);
    else if (argc == 5 && (strcmp(argv[1], "slic") == 0 || strcmp(argv[1], "felzenszwalb") == 0))
        code = print_found(arena, pixels, *argv[1] == 's', argv + 2);
    else if ((argc == 2 || argc == 3) && strcmp(argv[1], "merged") == 0)
        code = print_merged(arena, pixels, argv[2]);
    xpl_arena_free(arena);
    return code;
}
