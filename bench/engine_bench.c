/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times parts of the engine in the process, on the processor's clock: what others do on the machine counts less. Reads
 * "H W C" and H x W x C numbers in 0-255 as text from stdin.
 *   engine_bench segment ALGORITHM   milliseconds of quickshift, slic or felzenszwalb: median of 21 runs
 *   engine_bench read byte|float     microseconds to find the image in a logged request, to read its numbers; bytes
 *   engine_bench splice byte|float   microseconds and bytes of one scoring body, and microseconds to
 *                                copy as many bytes: median of 21 rounds of 256 masks
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/explain/designs/design.h"
#include "lib/explain/superpixels/fill.h"
#include "lib/explain/superpixels/segment.h"
#include "lib/scoring/requests/splice.h"
#include "tests/tools/read_pixels.h"

#define RUNS           21
#define PIECE_BYTES    ((size_t)64 << 10) /* what the HTTP client sends at a time */
#define COPIES         256
#define MAX_BODY_BYTES ((size_t)64 << 20)

/* Microseconds of this thread. */
static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

static double median(double times[RUNS])
{
    qsort(times, RUNS, sizeof *times, compare);
    return times[RUNS / 2];
}

static enum xpl_status cut(struct xpl_arena *arena, const struct xpl_pixels *pixels, const double *rgb, float *lab,
                           const char *algorithm, struct xpl_label_map *map, struct xpl_error *err)
{
    struct xpl_segmentation settings = xpl_explain_params_default().segmentation;

    settings.n_segments = XPL_DEFAULT_SEGMENTS;
    map->count = 0;
    if (strcmp(algorithm, "slic") == 0)
        return xpl_slic(arena, rgb, pixels->height, pixels->width, &settings, NULL, map, err);
    if (strcmp(algorithm, "felzenszwalb") == 0)
        return xpl_felzenszwalb(arena, rgb, pixels->height, pixels->width, &settings, NULL, map, err);
    xpl_rgb_to_lab(rgb, (size_t)pixels->height * pixels->width, settings.ratio, lab);
    return xpl_quickshift(arena, lab, pixels->height, pixels->width, 3, settings.max_dist, NULL, map->labels,
                          &map->count, err);
}

static int time_segmentation(struct xpl_arena *arena, const struct xpl_pixels *pixels, const char *algorithm)
{
    size_t n = (size_t)pixels->height * pixels->width;
    struct xpl_label_map map = {.labels = XPL_NEW_ARRAY(arena, uint32_t, n)};
    float *lab = XPL_NEW_ARRAY(arena, float, n * 3);
    double *rgb = xpl_pixels_to_rgb_unit(arena, pixels), times[RUNS];
    struct xpl_error err = {0};

    if (!map.labels || !lab || !rgb)
        return 1;
    for (size_t run = 0; run < RUNS; run++) {
        XPL_AUTO(xpl_arena) own = xpl_arena_new((size_t)1 << 30);
        double started = cpu_us();

        if (!own || cut(own, pixels, rgb, lab, algorithm, &map, &err))
            return 1;
        times[run] = (cpu_us() - started) / 1000;
    }
    printf("%.4f\n", median(times));
    return 0;
}

/* The image as a client logs it: integers, or x / 255 with 17 digits. */
static struct xpl_buf *logged_request(const struct xpl_pixels *pixels, bool as_float)
{
    struct xpl_buf *text = xpl_buf_new(MAX_BODY_BYTES);
    size_t i = 0;

    if (!text)
        return NULL;
    xpl_buf_printf(text, "{\"input_data\":[{\"values\":[");
    for (uint32_t r = 0; r < pixels->height; r++) {
        for (uint32_t c = 0; c < pixels->width; c++) {
            for (uint32_t k = 0; k < pixels->channels; k++, i++) {
                xpl_buf_printf(text, "%s", k ? "," : c ? ",[" : r ? ",[[" : "[[[");
                if (as_float)
                    xpl_buf_printf(text, "%.17g", pixels->values[i] / 255);
                else
                    xpl_buf_printf(text, "%.0f", pixels->values[i]);
            }
            xpl_buf_printf(text, "]");
        }
        xpl_buf_printf(text, "]");
    }
    xpl_buf_printf(text, "]]}]}");
    return text;
}

static int time_read(const struct xpl_buf *text)
{
    double found[RUNS], read[RUNS];

    for (size_t run = 0; run < RUNS; run++) {
        struct xpl_arena *arena = xpl_arena_new((size_t)1 << 30);
        double started = cpu_us(), between;
        struct xpl_error err = {0};
        struct xpl_request *request;
        struct xpl_pixels *pixels;

        if (!arena || xpl_request_read(arena, (struct xpl_text){text->data, text->length}, NULL, &xpl_decode_in_process,
                                       &request, &err))
            return 1;
        between = cpu_us();
        if (xpl_request_pixels(arena, request, 0, &pixels, &err))
            return 1;
        found[run] = between - started;
        read[run] = cpu_us() - between;
        xpl_arena_free(arena);
    }
    printf("%.1f %.1f %zu\n", median(found), median(read), text->length);
    return 0;
}

static enum xpl_status make_splicer(struct xpl_arena *arena, const struct xpl_buf *text, uint32_t *ret_segments,
                                    struct xpl_splicer **ret, struct xpl_error *err)
{
    static const uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_explain_params params = xpl_explain_params_default();
    struct xpl_pixels *pixels, *fill;
    struct xpl_segments *segments;
    struct xpl_request *request;
    enum xpl_status st;

    if ((st = xpl_request_read(arena, (struct xpl_text){text->data, text->length}, NULL, &xpl_decode_in_process,
                               &request, err)) ||
        (st = xpl_request_pixels(arena, request, 0, &pixels, err)) ||
        (st = xpl_segment_image(arena, pixels, &params, NULL, &segments, err)) ||
        (st = xpl_fill_image(arena, pixels, segments, &params, seed, NULL, &fill, err)))
        return st;
    *ret_segments = segments->count;
    return xpl_splicer_new(arena, request, 0, NULL, segments->labels, segments->count, fill, ret, err);
}

/* As a body is sent: into one buffer, again and again. */
static size_t stream(const struct xpl_splicer *splicer, const uint64_t *mask, char *piece)
{
    struct xpl_splice_stream stream;
    size_t bytes = 0, n;

    xpl_splice_begin(&stream, splicer, mask, 1);
    while ((n = xpl_splice_read(&stream, piece, PIECE_BYTES)) > 0)
        bytes += n;
    return bytes;
}

/* Microseconds to copy as many bytes of the request in the same pieces: what no body can take less than. */
static double copy_us(const struct xpl_buf *text, char *piece, size_t bytes)
{
    double times[RUNS];

    for (size_t run = 0; run < RUNS; run++) {
        double started = cpu_us();

        for (size_t i = 0; i < COPIES; i++)
            for (size_t at = 0; at < bytes; at += PIECE_BYTES) {
                size_t n = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;

                memcpy(piece, text->data + (at + n <= text->length ? at : 0), n);
                __asm__ volatile("" : : "r"(piece) : "memory");
            }
        times[run] = (cpu_us() - started) / COPIES;
    }
    return median(times);
}

static int time_splice(struct xpl_arena *arena, const struct xpl_buf *text)
{
    struct xpl_explain_params params = xpl_explain_params_default();
    uint8_t seed[XPL_HASH_BYTES] = {0};
    struct xpl_error err = {0};
    struct xpl_splicer *splicer;
    struct xpl_design *design;
    double times[RUNS], bytes = 0;
    uint32_t n_segments;
    size_t n;
    char *body;

    if (make_splicer(arena, text, &n_segments, &splicer, &err) ||
        xpl_design_plan(arena, n_segments, &params, seed, &design, &err) ||
        !(body = xpl_arena_alloc(arena, PIECE_BYTES)))
        return 1;
    n = design->stages[0].end;
    for (size_t run = 0; run < RUNS; run++) {
        double started = cpu_us();

        bytes = 0;
        for (size_t i = 0; i < n; i++)
            bytes += (double)stream(splicer, &design->masks[i], body);
        times[run] = (cpu_us() - started) / (double)n;
    }
    printf("%.4f %.0f %.4f\n", median(times), bytes / (double)n, copy_us(text, body, (size_t)(bytes / (double)n)));
    return 0;
}

int main(int argc, char **argv)
{
    struct xpl_arena *arena = xpl_arena_new((size_t)4 << 30);
    struct xpl_pixels *pixels = arena ? read_pixels(arena, stdin) : NULL;
    int code = 64;

    if (pixels && argc == 3 && strcmp(argv[1], "segment") == 0) {
        code = time_segmentation(arena, pixels, argv[2]);
    } else if (pixels && argc == 3) {
        XPL_AUTO(xpl_buf) text = logged_request(pixels, strcmp(argv[2], "float") == 0);

        code = !text ? 1 : strcmp(argv[1], "read") == 0 ? time_read(text) : time_splice(arena, text);
    } else {
        fputs(
            "usage: engine_bench segment ALGORITHM | (read | splice) byte|float; \"H W C\" and the numbers on stdin\n",
            stderr);
    }
    xpl_arena_free(arena);
    return code;
}
