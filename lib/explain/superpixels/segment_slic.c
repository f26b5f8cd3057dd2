/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLIC: k-means in colour and place, each cluster looking no further than two steps of the grid it started from, so
 * that the cost does not depend on their number. Then every cluster is made connected.
 *
 * The channels are planes, so that the distances of a row are computed several pixels at a time.
 */
#include <math.h>
#include <string.h>

#include "lib/base/processors.h"
#include "lib/explain/superpixels/segment.h"

#define ROUNDS    10
#define MIN_SHARE 0.5 /* of the mean area: smaller fragments go to a neighbour */
#define MAX_SHARE 3.0 /* no connected part is followed beyond */
#define NOBODY    UINT32_MAX

struct cluster {
    double row, column, colour[3];
    double farthest; /* of its colours, squared; slic_zero */
    size_t n_pixels;
};

struct slic {
    struct xpl_arena *arena;
    uint32_t height, width;
    bool zero;
    double *planes[3]; /* Lab / compactness */
    struct cluster *clusters;
    uint32_t n_clusters;
    uint32_t row_step, column_step;
    double nearness; /* weight of squared distances in place */
    double *distance;
    uint64_t *nearest; /* as wide as a distance, so that both are compared at once */
};

static size_t n_pixels(const struct slic *s)
{
    return (size_t)s->height * s->width;
}

/* ---- the start ---- */

struct axis {
    uint32_t first, step;
};

static struct axis axis_of(double step)
{
    return (struct axis){(uint32_t)floor(step / 2), (uint32_t)nearbyint(step)};
}

/* About n points, as far from each other along rows as along columns; a side shorter than that gets one. */
static void grid_axes(uint32_t height, uint32_t width, size_t n, struct axis *ret_rows, struct axis *ret_columns)
{
    double area = (double)height * width, step = sqrt(area / (double)n);
    uint32_t shorter = height < width ? height : width, longer = height < width ? width : height;
    struct axis of_shorter, of_longer;

    if (area <= (double)n) {
        *ret_rows = *ret_columns = (struct axis){0, 1};
        return;
    }
    if (step > shorter) {
        of_shorter = axis_of(shorter);
        of_longer = axis_of((double)longer / (double)n);
    } else {
        of_shorter = of_longer = axis_of(step);
    }
    *ret_rows = height <= width ? of_shorter : of_longer;
    *ret_columns = height <= width ? of_longer : of_shorter;
}

static uint32_t points_on(struct axis axis, uint32_t side)
{
    return axis.first < side ? (side - 1 - axis.first) / axis.step + 1 : 0;
}

static enum xpl_status place_clusters(struct slic *s, uint32_t wanted, struct xpl_error *err)
{
    struct axis rows, columns, window_rows, window_columns;
    uint32_t n_rows, n_columns;
    double step;

    grid_axes(s->height, s->width, wanted, &rows, &columns);
    n_rows = points_on(rows, s->height);
    n_columns = points_on(columns, s->width);
    s->n_clusters = n_rows * n_columns;
    if (!(s->clusters = XPL_NEW_ARRAY(s->arena, struct cluster, s->n_clusters)))
        return xpl_no_memory(err);
    for (uint32_t k = 0; k < s->n_clusters; k++)
        s->clusters[k] = (struct cluster){.row = rows.first + k / n_columns * rows.step,
                                          .column = columns.first + k % n_columns * columns.step,
                                          .farthest = 1};
    step = rows.step > columns.step ? rows.step : columns.step;
    s->nearness = 1 / (step * step);
    grid_axes(s->height, s->width, s->n_clusters, &window_rows, &window_columns);
    s->row_step = window_rows.step;
    s->column_step = window_columns.step;
    return XPL_OK;
}

/* Stretched to [0, 1] over all channels, then Lab. */
static enum xpl_status make_planes(struct slic *s, const double *rgb, double compactness, struct xpl_error *err)
{
    double low = rgb[0], high = rgb[0], ratio = 1 / compactness;

    for (size_t c = 0; c < 3; c++)
        if (!(s->planes[c] = XPL_NEW_ARRAY(s->arena, double, n_pixels(s))))
            return xpl_no_memory(err);
    for (size_t i = 0; i < 3 * n_pixels(s); i++) {
        low = rgb[i] < low ? rgb[i] : low;
        high = rgb[i] > high ? rgb[i] : high;
    }
    for (size_t i = 0; i < n_pixels(s); i++) {
        double stretched[3], lab[3];

        for (size_t c = 0; c < 3; c++)
            stretched[c] = high > low ? (rgb[3 * i + c] - low) / (high - low) : rgb[3 * i + c] - low;
        xpl_lab_of(stretched, lab);
        for (size_t c = 0; c < 3; c++)
            s->planes[c][i] = lab[c] * ratio;
    }
    return XPL_OK;
}

/* ---- a round ---- */

struct span {
    uint32_t from, end;
};

static struct span around(double middle, uint32_t step, uint32_t side)
{
    double from = middle - 2.0 * step, end = middle + 2.0 * step + 1;

    return (struct span){from > 0 ? (uint32_t)from : 0, end < side ? (uint32_t)end : side};
}

/* One row of a window: from its first pixel, `middle` columns before the cluster's place. */
struct row {
    const double *l, *a, *b;
    double *distance;
    uint64_t *nearest;
    uint32_t n;
    double middle, rows_apart; /* the second one squared */
};

/* `zero`: colours count against the farthest one of the cluster. */
static inline void claim_pixels(const struct row *row, const struct cluster *cluster, double nearness, uint64_t k,
                                bool zero)
{
    const double *restrict l = row->l, *restrict a = row->a, *restrict b = row->b;
    double *restrict distance = row->distance;
    uint64_t *restrict nearest = row->nearest;
    double middle_l = cluster->colour[0], middle_a = cluster->colour[1], middle_b = cluster->colour[2];

    for (uint32_t x = 0; x < row->n; x++) {
        double across = row->middle - (double)(int32_t)x, dl = l[x] - middle_l, da = a[x] - middle_a,
               db = b[x] - middle_b, colours = dl * dl + da * da + db * db;
        double found = (row->rows_apart + across * across) * nearness + (zero ? colours / cluster->farthest : colours);
        bool nearer = distance[x] > found;

        nearest[x] = nearer ? k : nearest[x];
        distance[x] = nearer ? found : distance[x];
    }
}

XPL_FOR_EACH_PROCESSOR static void claim_row(const struct row *row, const struct cluster *cluster, double nearness,
                                             uint64_t k)
{
    claim_pixels(row, cluster, nearness, k, false);
}

XPL_FOR_EACH_PROCESSOR static void claim_row_zero(const struct row *row, const struct cluster *cluster, double nearness,
                                                  uint64_t k)
{
    claim_pixels(row, cluster, nearness, k, true);
}

static void claim(struct slic *s, uint32_t k)
{
    const struct cluster *cluster = &s->clusters[k];
    struct span rows = around(cluster->row, s->row_step, s->height);
    struct span columns = around(cluster->column, s->column_step, s->width);

    for (uint32_t y = rows.from; y < rows.end; y++) {
        size_t at = (size_t)y * s->width + columns.from;
        struct row row = {.l = s->planes[0] + at,
                          .a = s->planes[1] + at,
                          .b = s->planes[2] + at,
                          .distance = s->distance + at,
                          .nearest = s->nearest + at,
                          .n = columns.end > columns.from ? columns.end - columns.from : 0,
                          .middle = cluster->column - columns.from,
                          .rows_apart = (cluster->row - y) * (cluster->row - y)};

        (s->zero ? claim_row_zero : claim_row)(&row, cluster, s->nearness, k);
    }
}

/* A cluster that lost all its pixels stays where it was, and gets none. */
static void move_clusters(struct slic *s)
{
    for (uint32_t k = 0; k < s->n_clusters; k++)
        s->clusters[k] = (struct cluster){.farthest = s->clusters[k].farthest};
    for (size_t i = 0; i < n_pixels(s); i++) {
        struct cluster *cluster = &s->clusters[s->nearest[i]];

        cluster->n_pixels++;
        cluster->row += (double)(i / s->width);
        cluster->column += (double)(i % s->width);
        for (size_t c = 0; c < 3; c++)
            cluster->colour[c] += s->planes[c][i];
    }
    for (uint32_t k = 0; k < s->n_clusters; k++) {
        struct cluster *cluster = &s->clusters[k];
        double n = (double)cluster->n_pixels;

        if (cluster->n_pixels == 0)
            continue;
        cluster->row /= n;
        cluster->column /= n;
        for (size_t c = 0; c < 3; c++)
            cluster->colour[c] /= n;
    }
}

static void find_farthest(struct slic *s)
{
    for (size_t i = 0; i < n_pixels(s); i++) {
        struct cluster *cluster = &s->clusters[s->nearest[i]];
        double squared = 0;

        for (size_t c = 0; c < 3; c++)
            squared += (s->planes[c][i] - cluster->colour[c]) * (s->planes[c][i] - cluster->colour[c]);
        cluster->farthest = squared > cluster->farthest ? squared : cluster->farthest;
    }
}

static enum xpl_status run_rounds(struct slic *s, const struct xpl_interrupt *interrupt, struct xpl_error *err)
{
    enum xpl_status st;

    for (int round = 0; round < ROUNDS; round++) {
        if ((st = xpl_interrupted(interrupt, err)))
            return st;
        for (size_t i = 0; i < n_pixels(s); i++)
            s->distance[i] = HUGE_VAL;
        for (uint32_t k = 0; k < s->n_clusters; k++)
            if (round == 0 || s->clusters[k].n_pixels > 0)
                claim(s, k);
        move_clusters(s);
        if (s->zero)
            find_farthest(s);
    }
    return XPL_OK;
}

/* ---- connected parts ---- */

struct part {
    size_t *pixels; /* in the order they were found */
    size_t n, most;
    uint32_t label;     /* its own */
    uint32_t neighbour; /* the last other one it was seen to touch */
};

static void look_at(const struct slic *s, struct part *part, uint32_t *labels, size_t from, size_t to)
{
    if (part->n >= part->most)
        return;
    if (s->nearest[to] == s->nearest[from] && labels[to] == NOBODY) {
        labels[to] = part->label;
        part->pixels[part->n++] = to;
    } else if (labels[to] != NOBODY && labels[to] != part->label) {
        part->neighbour = labels[to];
    }
}

/* From its first pixel breadth first, no further than `most` pixels. */
static void follow(const struct slic *s, struct part *part, uint32_t *labels)
{
    for (size_t visited = 0; visited < part->n && part->n < part->most; visited++) {
        size_t at = part->pixels[visited], y = at / s->width, x = at % s->width;

        if (x + 1 < s->width)
            look_at(s, part, labels, at, at + 1);
        if (x > 0)
            look_at(s, part, labels, at, at - 1);
        if (y + 1 < s->height)
            look_at(s, part, labels, at, at + s->width);
        if (y > 0)
            look_at(s, part, labels, at, at - s->width);
    }
}

static enum xpl_status connect(const struct slic *s, struct xpl_label_map *ret, struct xpl_error *err)
{
    double mean_area = (double)n_pixels(s) / s->n_clusters;
    size_t least = (size_t)(MIN_SHARE * mean_area);
    struct part part = {.most = (size_t)(MAX_SHARE * mean_area)};

    if (!(part.pixels = XPL_NEW_ARRAY(s->arena, size_t, part.most + 1)))
        return xpl_no_memory(err);
    for (size_t i = 0; i < n_pixels(s); i++)
        ret->labels[i] = NOBODY;
    for (size_t i = 0; i < n_pixels(s); i++) {
        if (ret->labels[i] != NOBODY)
            continue;
        part.label = part.neighbour = ret->labels[i] = ret->count;
        part.pixels[0] = i;
        part.n = 1;
        follow(s, &part, ret->labels);
        /* a fragment that touches no other one yet shares its label with the next part, which it touches */
        if (part.n >= least)
            ret->count++;
        else
            for (size_t k = 0; k < part.n; k++)
                ret->labels[part.pixels[k]] = part.neighbour;
    }
    for (size_t i = 0; i < n_pixels(s); i++)
        ret->count = ret->labels[i] >= ret->count ? ret->labels[i] + 1 : ret->count;
    return XPL_OK;
}

enum xpl_status xpl_slic(struct xpl_arena *arena, const double *rgb, uint32_t height, uint32_t width,
                         const struct xpl_segmentation *settings, const struct xpl_interrupt *interrupt,
                         struct xpl_label_map *ret, struct xpl_error *err)
{
    struct slic s = {.arena = arena, .height = height, .width = width, .zero = settings->slic_zero};
    enum xpl_status st;

    s.distance = XPL_NEW_ARRAY(arena, double, n_pixels(&s));
    s.nearest = XPL_NEW_ARRAY(arena, uint64_t, n_pixels(&s));
    if (!s.distance || !s.nearest)
        return xpl_no_memory(err);
    if ((st = place_clusters(&s, settings->n_segments, err)) ||
        (st = make_planes(&s, rgb, settings->compactness, err)) || (st = run_rounds(&s, interrupt, err)))
        return st;
    return connect(&s, ret, err);
}
