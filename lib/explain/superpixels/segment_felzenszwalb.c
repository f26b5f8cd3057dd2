/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Felzenszwalb & Huttenlocher: pixels are joined along the cheapest edges first, two parts only when the edge between
 * them costs no more than the edges inside of either allow.
 */
#include <math.h>
#include <string.h>

#include "lib/explain/superpixels/segment.h"

#define KERNEL_REACH 4.0 /* standard deviations */
#define MAX_RADIUS   64
#define DIGIT_BITS   11u
#define DIGITS       (1u << DIGIT_BITS)

struct edge {
    double cost; /* not negative */
    uint32_t a, b;
};

struct graph {
    uint32_t height, width;
    double *rgb;                /* smoothed */
    struct edge *edges, *other; /* the second for sorting */
    size_t n_edges;
    uint32_t *parent; /* the root of a part is its lowest pixel */
    uint32_t *size;
    double *inside; /* the dearest edge that joined a part */
};

/* ---- smoothing ---- */

/* Edges are mirrored: … c b a | a b c … */
static size_t mirrored(ptrdiff_t at, size_t n)
{
    ptrdiff_t period = 2 * (ptrdiff_t)n;

    at = ((at % period) + period) % period;
    return at < (ptrdiff_t)n ? (size_t)at : (size_t)(period - 1 - at);
}

/* `line` is scratch of n + 2 radius. */
static void smooth_line(const double *from, double *to, size_t n, size_t stride, const double *kernel, int radius,
                        double *line)
{
    double *middle = line + radius;

    for (ptrdiff_t i = -radius; i < (ptrdiff_t)n + radius; i++)
        middle[i] = from[(i >= 0 && i < (ptrdiff_t)n ? (size_t)i : mirrored(i, n)) * stride];
    for (size_t i = 0; i < n; i++) {
        double sum = middle[i] * kernel[0];

        for (int k = radius; k > 0; k--)
            sum += (middle[(ptrdiff_t)i - k] + middle[i + (size_t)k]) * kernel[k];
        to[i * stride] = sum;
    }
}

static int make_kernel(double sigma, double kernel[MAX_RADIUS + 1])
{
    int radius = (int)(KERNEL_REACH * sigma + 0.5);
    double total = 0;

    radius = radius > MAX_RADIUS ? MAX_RADIUS : radius;
    for (int k = 0; k <= radius; k++) {
        kernel[k] = exp(-0.5 / (sigma * sigma) * (k * k));
        total += k == 0 ? kernel[k] : 2 * kernel[k];
    }
    for (int k = 0; k <= radius; k++)
        kernel[k] /= total;
    return radius;
}

/* Along columns first. */
static enum xpl_status smooth(struct xpl_arena *arena, const double *rgb, double sigma, struct graph *g,
                              struct xpl_error *err)
{
    size_t n = (size_t)g->height * g->width * 3, row = (size_t)g->width * 3;
    size_t longest = g->height > g->width ? g->height : g->width;
    double kernel[MAX_RADIUS + 1], *half = XPL_NEW_ARRAY(arena, double, n);
    double *line = XPL_NEW_ARRAY(arena, double, longest + 2 * MAX_RADIUS);
    int radius = sigma > 0 ? make_kernel(sigma, kernel) : 0;

    g->rgb = XPL_NEW_ARRAY(arena, double, n);
    if (!half || !line || !g->rgb)
        return xpl_no_memory(err);
    if (radius == 0) {
        for (size_t i = 0; i < n; i++)
            g->rgb[i] = rgb[i];
        return XPL_OK;
    }
    for (size_t i = 0; i < row; i++)
        smooth_line(rgb + i, half + i, g->height, row, kernel, radius, line);
    for (size_t y = 0; y < g->height; y++)
        for (size_t c = 0; c < 3; c++)
            smooth_line(half + y * row + c, g->rgb + y * row + c, g->width, 3, kernel, radius, line);
    return XPL_OK;
}

/* ---- edges ---- */

static void add_edge(struct graph *g, size_t a, size_t b)
{
    double squared = 0;

    for (size_t c = 0; c < 3; c++) {
        double difference = g->rgb[3 * a + c] - g->rgb[3 * b + c];

        squared += difference * difference;
    }
    g->edges[g->n_edges] = (struct edge){sqrt(squared), (uint32_t)a, (uint32_t)b};
    g->n_edges++;
}

/* All to the right, all down, then the two diagonals. */
static void list_edges(struct graph *g)
{
    static const struct {
        int down, right;
    } steps[] = {{0, 1}, {1, 0}, {1, 1}, {1, -1}};

    for (size_t k = 0; k < 4; k++) {
        for (int64_t y = 0; y + steps[k].down < g->height; y++) {
            for (int64_t x = 0; x < g->width; x++) {
                int64_t to = x + steps[k].right;

                if (to >= 0 && to < g->width)
                    add_edge(g, (size_t)(y * g->width + x), (size_t)((y + steps[k].down) * g->width + to));
            }
        }
    }
}

static uint64_t bits_of(double cost)
{
    uint64_t bits;

    memcpy(&bits, &cost, sizeof bits);
    return bits;
}

/* By cost, edges of the same cost in the order they are listed: a radix sort, doubles that are not negative being
 * ordered as their bits are. */
static void sort_edges(struct graph *g)
{
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        size_t places[DIGITS] = {0}, at = 0;
        struct edge *sorted = g->other;

        for (size_t i = 0; i < g->n_edges; i++)
            places[bits_of(g->edges[i].cost) >> shift & (DIGITS - 1)]++;
        for (size_t digit = 0; digit < DIGITS; digit++) {
            size_t n = places[digit];

            places[digit] = at;
            at += n;
        }
        for (size_t i = 0; i < g->n_edges; i++)
            sorted[places[bits_of(g->edges[i].cost) >> shift & (DIGITS - 1)]++] = g->edges[i];
        g->other = g->edges;
        g->edges = sorted;
    }
}

/* ---- parts ---- */

static uint32_t root_of(struct graph *g, uint32_t pixel)
{
    while (g->parent[pixel] != pixel) {
        g->parent[pixel] = g->parent[g->parent[pixel]];
        pixel = g->parent[pixel];
    }
    return pixel;
}

static uint32_t join(struct graph *g, uint32_t a, uint32_t b)
{
    uint32_t root = a < b ? a : b;

    g->parent[a] = g->parent[b] = root;
    g->size[root] = g->size[a] + g->size[b];
    return root;
}

/* In single precision, as scikit-image has it. */
static double allowed(const struct graph *g, uint32_t root, double scale)
{
    return (double)(float)(g->inside[root] + scale / g->size[root]);
}

static void join_all(struct graph *g, double scale, uint32_t min_size)
{
    for (size_t i = 0; i < g->n_edges; i++) {
        const struct edge *e = &g->edges[i];
        uint32_t a = root_of(g, e->a), b = root_of(g, e->b);

        if (a != b && e->cost < fmin(allowed(g, a, scale), allowed(g, b, scale)))
            g->inside[join(g, a, b)] = e->cost;
    }
    for (size_t i = 0; i < g->n_edges; i++) {
        uint32_t a = root_of(g, g->edges[i].a), b = root_of(g, g->edges[i].b);

        if (a != b && (g->size[a] < min_size || g->size[b] < min_size))
            join(g, a, b);
    }
}

enum xpl_status xpl_felzenszwalb(struct xpl_arena *arena, const double *rgb, uint32_t height, uint32_t width,
                                 const struct xpl_segmentation *settings, const struct xpl_interrupt *interrupt,
                                 struct xpl_label_map *ret, struct xpl_error *err)
{
    size_t n = (size_t)height * width;
    struct graph g = {.height = height,
                      .width = width,
                      .edges = XPL_NEW_ARRAY(arena, struct edge, 4 * n),
                      .other = XPL_NEW_ARRAY(arena, struct edge, 4 * n),
                      .parent = XPL_NEW_ARRAY(arena, uint32_t, n),
                      .size = XPL_NEW_ARRAY(arena, uint32_t, n),
                      .inside = XPL_NEW_ARRAY(arena, double, n)};
    enum xpl_status st;

    if (!g.edges || !g.other || !g.parent || !g.size || !g.inside)
        return xpl_no_memory(err);
    if ((st = smooth(arena, rgb, settings->sigma, &g, err)))
        return st;
    for (uint32_t i = 0; i < n; i++) {
        g.parent[i] = i;
        g.size[i] = 1;
    }
    if ((st = xpl_interrupted(interrupt, err)))
        return st;
    list_edges(&g);
    if ((st = xpl_interrupted(interrupt, err)))
        return st;
    sort_edges(&g);
    if ((st = xpl_interrupted(interrupt, err)))
        return st;
    join_all(&g, settings->scale / 255, settings->min_size);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t root = root_of(&g, i);

        ret->labels[i] = root == i ? ret->count++ : ret->labels[root];
    }
    return XPL_OK;
}
