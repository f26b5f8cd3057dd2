/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quickshift (Vedaldi & Soatto 2008) with the conventions of scikit-image, so that both give the same labels on images
 * without plateaus of equal density.
 *
 * The density of a pixel sums exp(-(colour distance^2 + spatial distance^2) / (2 kernel_size^2)) over a window of
 * 3 kernel sizes around it. The sum is symmetric: each pair is computed once and added to both. A pixel's own
 * share, 1, is left out: it is the same for all and would only cost precision.
 *
 * Eight pixels of a row are worked on at a time, in the compiler's own vectors. Rows are padded on both sides with a
 * colour so far from all others that no pair with it counts, hence no loop has an edge. No operation crosses lanes, and
 * none is fused: the bits are the same whether the machine has vectors of eight or makes them of two of four.
 */
#include <math.h>
#include <string.h>

#include "lib/base/processors.h"
#include "lib/explain/superpixels/segment.h"

#define LANES          8u
#define PADDING_COLOUR 1e9f
#define NO_DENSITY     (-1.0f) /* of padding: below every pixel's */

typedef float vfloat __attribute__((vector_size(32)));
typedef int32_t vint __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))

INLINE vfloat load(const float *from)
{
    vfloat v;

    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(float *to, vfloat v)
{
    memcpy(to, &v, sizeof v);
}

INLINE vint choose(vint condition, vint yes, vint no)
{
    return (condition & yes) | (~condition & no);
}

INLINE vfloat choose_float(vint condition, vfloat yes, vfloat no)
{
    return (vfloat)choose(condition, (vint)yes, (vint)no);
}

/* The picture as padded rows: one plane a colour channel, and the densities. */
struct planes {
    const float *l, *a, *b;
    double *sum; /* of the shares of each pixel */
    float *density;
    uint32_t height, width;
    uint32_t reach;  /* of the window: so many pixels to each side */
    size_t stride;   /* from row to row */
    size_t n_padded; /* height x stride */
};

INLINE size_t row_start(const struct planes *p, uint32_t row)
{
    return row * p->stride + p->reach;
}

/* From a pixel to the one (dr, dc) away, in padded planes. */
INLINE ptrdiff_t shift_of(const struct planes *p, int dr, int dc)
{
    return (ptrdiff_t)dr * (ptrdiff_t)p->stride + dc;
}

static float *padded_plane(struct xpl_arena *arena, const struct planes *p, const float *lab, size_t channel)
{
    float *plane = XPL_NEW_ARRAY(arena, float, p->n_padded);

    for (size_t i = 0; plane && i < p->n_padded; i++)
        plane[i] = PADDING_COLOUR;
    for (uint32_t r = 0; plane && r < p->height; r++)
        for (size_t c = 0; c < p->width; c++)
            plane[row_start(p, r) + c] = lab[((size_t)r * p->width + c) * 3 + channel];
    return plane;
}

static enum xpl_status make_planes(struct xpl_arena *arena, const float *lab, uint32_t height, uint32_t width,
                                   double kernel_size, struct planes *ret, struct xpl_error *err)
{
    uint32_t side = height > width ? height : width;
    double reach = ceil(3 * kernel_size);
    struct planes p = {.height = height, .width = width, .reach = reach < side ? (uint32_t)reach : side};

    p.stride = ((size_t)width + LANES - 1) / LANES * LANES + 2 * (size_t)p.reach;
    p.n_padded = height * p.stride;
    p.l = padded_plane(arena, &p, lab, 0);
    p.a = padded_plane(arena, &p, lab, 1);
    p.b = padded_plane(arena, &p, lab, 2);
    p.sum = XPL_NEW_ARRAY(arena, double, p.n_padded);
    p.density = XPL_NEW_ARRAY(arena, float, p.n_padded);
    if (!p.l || !p.a || !p.b || !p.sum || !p.density)
        return xpl_no_memory(err);
    *ret = p;
    return XPL_OK;
}

/* A row of the window is summed by itself: one long sum in single precision would swap close densities. */
struct sums {
    float *here, *there; /* stride */
    float *spatial;      /* squared distances to columns from -reach to reach of the other row */
};

/* Squared distances of neighbours in colour and space; `spatial` is the same for all. */
INLINE vfloat distances(const struct planes *p, size_t here, size_t there, float spatial)
{
    vfloat dl = load(p->l + here) - load(p->l + there);
    vfloat da = load(p->a + here) - load(p->a + there);
    vfloat db = load(p->b + here) - load(p->b + there);

    return dl * dl + da * da + db * db + spatial;
}

/*
 * 2^x of numbers <= 0: the whole part by the exponent bits, the rest by the polynomial of degree 5 with the smallest
 * relative error on [-1/2, 1/2], 9e-8: below the rounding of its own sums. What is added rounds to whole numbers, and
 * leaves the exponent of the result in the lowest bits. Where no exponent is left for it, below 2^-126, it is 0, and
 * what came out before does not count.
 */
INLINE vfloat exp2_negative(vfloat x)
{
    const float rounding = 0x1.8p23f + 127;
    vfloat rounded = x + rounding;
    vfloat r = x - (rounded - rounding);
    vint counts = (vint)rounded > (int32_t)0x4B400000; /* the bits of 1.5 x 2^23 */
    vfloat r2 = r * r, low = r * 6.931469776e-1f + 1.0f, middle = r * 5.550733743e-2f + 2.402224209e-1f;
    vfloat high = r * 1.326472712e-3f + 9.671512645e-3f;
    vfloat p = (high * r2 + middle) * r2 + low;

    return (vfloat)((vint)(p * (vfloat)((vint)rounded << 23)) & counts);
}

/*
 * Adds what the pixels of row `here` and those of row `there` give each other, `dc`, dc + 8, … columns away, `n` in
 * all: what is taken stays in the same place from one vector of pixels to the next.
 */
INLINE void add_pairs(const struct planes *p, size_t here, size_t there, int dc, int n, float scale,
                      const struct sums *sums)
{
    const float *l = p->l + there + dc, *a = p->a + there + dc, *b = p->b + there + dc;
    const float *spatial = sums->spatial + p->reach + dc;
    float *given = sums->here + p->reach, *taken = sums->there + p->reach + dc;

    for (size_t c = 0; c < p->width; c += LANES) {
        vfloat l0 = load(p->l + here + c), a0 = load(p->a + here + c), b0 = load(p->b + here + c);
        vfloat sum = load(given + c);

        for (int i = 0; i < n; i++) {
            size_t to = c + (size_t)i * LANES;
            vfloat dl = l0 - load(l + to), da = a0 - load(a + to), db = b0 - load(b + to);
            vfloat distance = (dl * dl + spatial[(size_t)i * LANES]) + (da * da + db * db);
            vfloat share = exp2_negative(distance * scale);

            sum += share;
            store(taken + to, load(taken + to) + share);
        }
        store(given + c, sum);
    }
}

/* With a constant number, as it is for usual kernels, the inner loop is taken apart: a twentieth less time. */
INLINE void add_some_pairs(const struct planes *p, size_t here, size_t there, int dc, float scale,
                           const struct sums *sums)
{
    int n = ((int)p->reach - dc) / (int)LANES + 1;

    if (n == 2)
        add_pairs(p, here, there, dc, 2, scale, sums);
    else if (n == 3)
        add_pairs(p, here, there, dc, 3, scale, sums);
    else
        add_pairs(p, here, there, dc, n, scale, sums);
}

/* The shares of all pairs between row r and row r + dr. */
XPL_FOR_EACH_PROCESSOR static void add_rows(const struct planes *p, uint32_t r, int dr, float scale,
                                            const struct sums *sums)
{
    double *here = p->sum + r * p->stride, *there = here + shift_of(p, dr, 0);
    int reach = (int)p->reach, first = dr == 0 ? 1 : -reach;

    memset(sums->here, 0, p->stride * sizeof *sums->here);
    memset(sums->there, 0, p->stride * sizeof *sums->there);
    for (int dc = -reach; dc <= reach; dc++)
        sums->spatial[reach + dc] = (float)(dr * dr + dc * dc);
    for (int dc = first; dc < first + (int)LANES && dc <= reach; dc++)
        add_some_pairs(p, row_start(p, r), row_start(p, r + (uint32_t)dr), dc, scale, sums);
    for (size_t i = 0; i < p->stride; i++)
        here[i] += (double)sums->here[i];
    for (size_t i = 0; i < p->stride; i++)
        there[i] += (double)sums->there[i];
}

static void round_sums(const struct planes *p)
{
    for (uint32_t r = 0; r < p->height; r++) {
        size_t start = r * p->stride, pixels = row_start(p, r);

        for (size_t i = start; i < start + p->stride; i++)
            p->density[i] = i >= pixels && i < pixels + p->width ? (float)p->sum[i] : NO_DENSITY;
    }
}

static enum xpl_status compute_density(const struct planes *p, double kernel_size, const struct sums *sums,
                                       const struct xpl_interrupt *interrupt, struct xpl_error *err)
{
    float scale = (float)(-0.5 * M_LOG2E / (kernel_size * kernel_size)); /* 2^(scale x) = exp(-x / 2 ks^2) */
    uint32_t reach = p->reach;
    enum xpl_status st;

    for (uint32_t r = 0; r < p->height; r++) {
        if ((st = xpl_interrupted(interrupt, err)))
            return st;
        for (uint32_t dr = 0; dr <= reach && r + dr < p->height; dr++)
            add_rows(p, r, (int)dr, scale, sums);
    }
    round_sums(p);
    return XPL_OK;
}

/* The parents found so far of a vector of pixels. */
struct nearest {
    vfloat density, distance; /* their own density; squared distance to the parent */
    vint offset;              /* to the parent in the unpadded picture, dr x width + dc; 0 for none */
};

/*
 * Looks at the neighbours (dr, dc) away. Nearer ones win, of equally near ones the first in raster order. Of equal
 * densities the lower index counts as the higher: a neighbour before the pixel may be as dense, one behind it must be
 * denser.
 */
INLINE void look_at(const struct planes *p, size_t here, int dr, int dc, struct nearest *best)
{
    size_t there = (size_t)((ptrdiff_t)here + shift_of(p, dr, dc));
    vfloat distance = distances(p, here, there, (float)(dr * dr + dc * dc));
    vfloat density = load(p->density + there);
    vint offset = (vint){0} + (dr * (int32_t)p->width + dc);
    bool before = dr < 0 || (dr == 0 && dc < 0);
    vint denser = before ? density >= best->density : density > best->density;
    vint nearer = (distance < best->distance) | ((distance == best->distance) & (offset < best->offset));

    best->distance = choose_float(denser & nearer, distance, best->distance);
    best->offset = choose(denser & nearer, offset, best->offset);
}

/* Whether a parent `ring` pixels away could be as near as those found. */
INLINE bool may_be_beaten(const struct nearest *best, uint32_t lanes, float ring)
{
    float widest = 0;

    for (uint32_t lane = 0; lane < lanes; lane++)
        widest = best->distance[lane] > widest ? best->distance[lane] : widest;
    return widest >= ring * ring;
}

/* Looks at the pixels around, ring by ring, for as long as it may bring something. */
INLINE void look_around(const struct planes *p, size_t here, uint32_t r, uint32_t lanes, struct nearest *best)
{
    for (int ring = 1; ring <= (int)p->reach && may_be_beaten(best, lanes, (float)ring); ring++) {
        int above = (int)r, below = (int)(p->height - 1 - r);
        int from = above < ring ? -above : -ring, to = below < ring ? below : ring;

        for (int dr = from; dr <= to; dr++)
            for (int dc = -ring; dc <= ring; dc += dr == -ring || dr == ring ? 1 : 2 * ring)
                look_at(p, here, dr, dc, best);
    }
}

/* Writes the parents of a vector of pixels; one without a parent, or with one too far away, is a root: its own parent.
 */
XPL_FOR_EACH_PROCESSOR static void find_parents(const struct planes *p, uint32_t r, uint32_t c, double max_dist,
                                                uint32_t *parent)
{
    size_t here = row_start(p, r) + c, pixel = (size_t)r * p->width + c;
    uint32_t lanes = p->width - c < LANES ? p->width - c : LANES;
    struct nearest best = {.density = load(p->density + here), .distance = (vfloat){0} + INFINITY};

    look_around(p, here, r, lanes, &best);
    for (uint32_t lane = 0; lane < lanes; lane++) {
        bool near = sqrt((double)best.distance[lane]) <= max_dist;

        parent[pixel + lane] = (uint32_t)((int64_t)(pixel + lane) + (near ? best.offset[lane] : 0));
    }
}

/* Follows parents to the roots (with path halving) and numbers the roots in raster order. */
static uint32_t number_roots(uint32_t *parent, size_t n, uint32_t *ret_labels)
{
    uint32_t count = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t root = (uint32_t)i;

        while (parent[root] != root) {
            parent[root] = parent[parent[root]];
            root = parent[root];
        }
        parent[i] = root;
    }
    for (size_t i = 0; i < n; i++)
        if (parent[i] == i)
            ret_labels[i] = count++;
    for (size_t i = 0; i < n; i++)
        ret_labels[i] = ret_labels[parent[i]];
    return count;
}

enum xpl_status xpl_quickshift(struct xpl_arena *arena, const float *lab, uint32_t height, uint32_t width,
                               double kernel_size, double max_dist, const struct xpl_interrupt *interrupt,
                               uint32_t *ret_labels, uint32_t *ret_count, struct xpl_error *err)
{
    uint32_t *parent = XPL_NEW_ARRAY(arena, uint32_t, (size_t)height * width);
    struct planes planes = {0};
    struct sums sums;
    enum xpl_status st = make_planes(arena, lab, height, width, kernel_size, &planes, err);

    if (st)
        return st;
    sums.here = XPL_NEW_ARRAY(arena, float, planes.stride);
    sums.there = XPL_NEW_ARRAY(arena, float, planes.stride);
    sums.spatial = XPL_NEW_ARRAY(arena, float, 2 * (size_t)planes.reach + 1);
    if (!parent || !sums.here || !sums.there || !sums.spatial)
        return xpl_no_memory(err);
    if ((st = compute_density(&planes, kernel_size, &sums, interrupt, err)))
        return st;
    for (uint32_t r = 0; r < height; r++) {
        if ((st = xpl_interrupted(interrupt, err)))
            return st;
        for (uint32_t c = 0; c < width; c += LANES)
            find_parents(&planes, r, c, max_dist, parent);
    }
    *ret_count = number_roots(parent, (size_t)height * width, ret_labels);
    return XPL_OK;
}
