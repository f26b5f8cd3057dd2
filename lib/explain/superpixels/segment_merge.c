/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging neighbouring segments until few enough are left: always the pair whose union costs least (Ward 1963).
 *
 * A list of edges with their costs; a merge moves the edges of the second segment to the first and computes the costs
 * of those anew. The caller bounds the number of segments, so a scan for the cheapest edge is good enough.
 */
#include <stdlib.h>

#include "lib/explain/superpixels/segment.h"

struct node {
    double area, sum[3];
};

struct edge {
    uint32_t a, b; /* a < b */
    double cost;
};

struct graph {
    struct node *nodes;
    struct edge *edges;
    size_t n_edges;
    uint32_t *target; /* where a label went; itself when it is alive */
    uint32_t *seen;   /* scratch: stamp of the last visit */
    uint32_t stamp;
};

static double ward_cost(const struct node *a, const struct node *b)
{
    double squared = 0;

    for (size_t c = 0; c < 3; c++) {
        double difference = a->sum[c] / a->area - b->sum[c] / b->area;

        squared += difference * difference;
    }
    return a->area * b->area / (a->area + b->area) * squared;
}

static void sum_up(struct graph *g, const float *lab, const uint32_t *labels, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels; i++) {
        struct node *node = &g->nodes[labels[i]];

        node->area += 1;
        for (size_t c = 0; c < 3; c++)
            node->sum[c] += (double)lab[i * 3 + c];
    }
}

static int compare_edges(const void *x, const void *y)
{
    const struct edge *e = x, *f = y;

    if (e->a != f->a)
        return e->a < f->a ? -1 : 1;
    return e->b < f->b ? -1 : e->b > f->b;
}

static void add_edge(struct graph *g, uint32_t a, uint32_t b)
{
    if (a != b)
        g->edges[g->n_edges++] = (struct edge){a < b ? a : b, a < b ? b : a, 0};
}

/* Every pair of different labels that touch, once, with its cost. */
static void collect_edges(struct graph *g, const uint32_t *labels, uint32_t height, uint32_t width)
{
    size_t kept = 0;

    for (uint32_t r = 0; r < height; r++) {
        for (uint32_t c = 0; c < width; c++) {
            size_t i = (size_t)r * width + c;

            if (c + 1 < width)
                add_edge(g, labels[i], labels[i + 1]);
            if (r + 1 < height)
                add_edge(g, labels[i], labels[i + width]);
        }
    }
    qsort(g->edges, g->n_edges, sizeof *g->edges, compare_edges);
    for (size_t i = 0; i < g->n_edges; i++) {
        struct edge edge = g->edges[i];

        if (kept && g->edges[kept - 1].a == edge.a && g->edges[kept - 1].b == edge.b)
            continue;
        edge.cost = ward_cost(&g->nodes[edge.a], &g->nodes[edge.b]);
        g->edges[kept++] = edge;
    }
    g->n_edges = kept;
}

/* Edges are not kept in order, so ties are looked at by ids. */
static const struct edge *cheapest(const struct graph *g)
{
    const struct edge *best = NULL;

    for (size_t i = 0; i < g->n_edges; i++) {
        const struct edge *e = &g->edges[i];

        if (!best || e->cost < best->cost || (!(e->cost > best->cost) && compare_edges(e, best) < 0))
            best = e;
    }
    return best;
}

/* Puts b into a and mends the edges of both. */
static void merge(struct graph *g, uint32_t a, uint32_t b)
{
    size_t kept = 0;

    g->target[b] = a;
    g->nodes[a].area += g->nodes[b].area;
    for (size_t c = 0; c < 3; c++)
        g->nodes[a].sum[c] += g->nodes[b].sum[c];
    g->stamp++;
    for (size_t i = 0; i < g->n_edges; i++) {
        struct edge e = g->edges[i];
        uint32_t x = e.a == b ? a : e.a, y = e.b == b ? a : e.b;

        if (x == y)
            continue;
        if (x == a || y == a) {
            uint32_t other = x == a ? y : x;

            if (g->seen[other] == g->stamp)
                continue; /* a touched it already */
            g->seen[other] = g->stamp;
            e.cost = ward_cost(&g->nodes[a], &g->nodes[other]);
        }
        e.a = x < y ? x : y;
        e.b = x < y ? y : x;
        g->edges[kept++] = e;
    }
    g->n_edges = kept;
}

/* New labels 0, 1, … by first pixel in raster order. */
static uint32_t renumber(const struct graph *g, uint32_t *labels, size_t n_pixels, uint32_t *number)
{
    uint32_t count = 0;

    for (size_t i = 0; i < n_pixels; i++) {
        uint32_t label = labels[i];

        while (g->target[label] != label)
            label = g->target[label];
        if (number[label] == 0)
            number[label] = ++count;
        labels[i] = number[label] - 1;
    }
    return count;
}

enum xpl_status xpl_merge_segments(struct xpl_arena *arena, const float *lab, uint32_t height, uint32_t width,
                                   uint32_t max_segments, const struct xpl_interrupt *interrupt, uint32_t *labels,
                                   uint32_t *count, struct xpl_error *err)
{
    size_t n_pixels = (size_t)height * width;
    struct graph g = {.nodes = XPL_NEW_ARRAY(arena, struct node, *count),
                      .edges = XPL_NEW_ARRAY(arena, struct edge, 2 * n_pixels),
                      .target = XPL_NEW_ARRAY(arena, uint32_t, *count),
                      .seen = XPL_NEW_ARRAY(arena, uint32_t, *count)};
    uint32_t *number = XPL_NEW_ARRAY(arena, uint32_t, *count);
    const struct edge *next;
    enum xpl_status st;

    if (!g.nodes || !g.edges || !g.target || !g.seen || !number)
        return xpl_no_memory(err);
    for (uint32_t i = 0; i < *count; i++)
        g.target[i] = i;
    sum_up(&g, lab, labels, n_pixels);
    collect_edges(&g, labels, height, width);
    for (uint32_t left = *count; left > max_segments && (next = cheapest(&g)); left--) {
        if ((st = xpl_interrupted(interrupt, err)))
            return st;
        merge(&g, next->a, next->b);
    }
    *count = renumber(&g, labels, n_pixels, number);
    return XPL_OK;
}
