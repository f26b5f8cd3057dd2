/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quickshift (Vedaldi & Soatto 2008) with the conventions of scikit-image, so that both give the same labels on images
 * without plateaus of equal density.
 *
 * The density of a pixel sums exp(-(colour distance^2 + spatial distance^2) / (2 kernel_size^2)) over a window of
 * 3 kernel sizes around it. The sum is symmetric: each pair is computed once and added to both. Rows of pairs have no
 * dependencies between columns, so the compiler vectorises them.
 */
#include <math.h>
#include <string.h>

#include "lib/explain/segment.h"

#define NO_PARENT UINT32_MAX

/* One colour plane a channel, so that rows are contiguous. */
struct planes {
    const float *l, *a, *b;
    uint32_t height, width;
};

static enum xpl_status split_planes(struct xpl_arena *arena, const float *lab, uint32_t height, uint32_t width,
                                    struct planes *ret, struct xpl_error *err)
{
    size_t n = (size_t)height * width;
    float *planes = XPL_NEW_ARRAY(arena, float, n * 3);

    if (!planes)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * n + i] = lab[i * 3 + c];
    *ret = (struct planes){planes, planes + n, planes + 2 * n, height, width};
    return XPL_OK;
}

/* Squared colour distance of pixel i to pixel i + shift, for the columns [from, to) of a row that starts at `row`. */
static void row_distances(const struct planes *p, size_t row, size_t from, size_t to, ptrdiff_t shift, float *out)
{
    const float *l = p->l + row, *a = p->a + row, *b = p->b + row;

    for (size_t c = from; c < to; c++) {
        ptrdiff_t other = (ptrdiff_t)c + shift;
        float dl = l[c] - l[other], da = a[c] - a[other], db = b[c] - b[other];

        out[c] = dl * dl + da * da + db * db;
    }
}

/*
 * exp for x <= 0 in float, accurate to about 1 ulp, without branches: 2^k by the exponent bits, the rest by a
 * polynomial. libm's expf is as good but is not vectorised by the compiler.
 */
static inline float exp_negative(float x)
{
    const float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    float clamped = x < -86.0f ? -86.0f : x;
    float k = floorf(clamped * log2e + 0.5f);
    float r = clamped - k * ln2_high - k * ln2_low;
    float p = 1.9875691500e-4f;
    int32_t bits = ((int32_t)k + 127) << 23;
    float scale;

    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static void add_pairs(const struct planes *p, float *density, uint32_t r, int dr, int dc, double inverse,
                      float *scratch)
{
    size_t row = (size_t)r * p->width;
    size_t from = dc < 0 ? (size_t)-dc : 0, to = dc > 0 ? p->width - (size_t)dc : p->width;
    ptrdiff_t shift = (ptrdiff_t)dr * (ptrdiff_t)p->width + dc;
    float spatial = (float)(dr * dr + dc * dc), scale = (float)-inverse;
    float *here = density + row, *there = density + row + shift;

    row_distances(p, row, from, to, shift, scratch);
    for (size_t c = from; c < to; c++)
        scratch[c] = exp_negative((scratch[c] + spatial) * scale);
    for (size_t c = from; c < to; c++)
        here[c] += scratch[c];
    for (size_t c = from; c < to; c++)
        there[c] += scratch[c];
}

static void compute_density(const struct planes *p, double kernel_size, float *density, float *scratch)
{
    double inverse = 0.5 / (kernel_size * kernel_size);
    int w = (int)ceil(3 * kernel_size);
    size_t n = (size_t)p->height * p->width;

    for (size_t i = 0; i < n; i++)
        density[i] = 1; /* the pixel itself */
    for (uint32_t r = 0; r < p->height; r++)
        for (int dr = 0; dr <= w && r + (uint32_t)dr < p->height; dr++)
            for (int dc = dr == 0 ? 1 : -w; dc <= w; dc++)
                if ((uint32_t)(dc < 0 ? -dc : dc) < p->width)
                    add_pairs(p, density, r, dr, dc, inverse, scratch);
}

/* Whether pixel `other` counts as denser than `pixel`: of equal densities the lower index does. */
static inline bool denser(const float *density, size_t other, size_t pixel)
{
    return density[other] > density[pixel] || (density[other] == density[pixel] && other < pixel);
}

struct search {
    const struct planes *planes;
    const float *density;
    float *distance; /* squared, to the parent found so far */
    uint32_t *parent;
    float *scratch;
};

/* Looks at the neighbours at (dr, dc) of one row's pixels. */
static void look_at(const struct search *s, uint32_t r, int dr, int dc)
{
    const struct planes *p = s->planes;
    size_t row = (size_t)r * p->width;
    size_t from = dc < 0 ? (size_t)-dc : 0, to = dc > 0 ? p->width - (size_t)dc : p->width;
    ptrdiff_t shift = (ptrdiff_t)dr * (ptrdiff_t)p->width + dc;
    float spatial = (float)(dr * dr + dc * dc);

    row_distances(p, row, from, to, shift, s->scratch);
    for (size_t c = from; c < to; c++) {
        size_t pixel = row + c, other = (size_t)((ptrdiff_t)pixel + shift);
        float distance = s->scratch[c] + spatial;

        if (distance < s->distance[pixel] && denser(s->density, other, pixel)) {
            s->distance[pixel] = distance;
            s->parent[pixel] = (uint32_t)other;
        }
    }
}

static void find_parents(const struct search *s, double kernel_size, double max_dist)
{
    int w = (int)ceil(3 * kernel_size);
    size_t n = (size_t)s->planes->height * s->planes->width;

    for (size_t i = 0; i < n; i++) {
        s->distance[i] = INFINITY;
        s->parent[i] = NO_PARENT;
    }
    for (uint32_t r = 0; r < s->planes->height; r++)
        for (int dr = -w; dr <= w; dr++)
            for (int dc = -w; dc <= w && (int64_t)r + dr >= 0 && (int64_t)r + dr < s->planes->height; dc++)
                if ((uint32_t)(dc < 0 ? -dc : dc) < s->planes->width)
                    look_at(s, r, dr, dc);
    for (size_t i = 0; i < n; i++)
        if (s->parent[i] != NO_PARENT && sqrt((double)s->distance[i]) > max_dist)
            s->parent[i] = NO_PARENT;
}

/* Follows parents to the roots (with path halving) and numbers the roots in raster order. */
static uint32_t number_roots(uint32_t *parent, size_t n, uint32_t *ret_labels)
{
    uint32_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (parent[i] == NO_PARENT)
            parent[i] = (uint32_t)i;
    }
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
                               double kernel_size, double max_dist, uint32_t *ret_labels, uint32_t *ret_count,
                               struct xpl_error *err)
{
    size_t n = (size_t)height * width;
    float *density = XPL_NEW_ARRAY(arena, float, n), *scratch = XPL_NEW_ARRAY(arena, float, width);
    float *distance = XPL_NEW_ARRAY(arena, float, n);
    uint32_t *parent = XPL_NEW_ARRAY(arena, uint32_t, n);
    struct planes planes = {0};
    enum xpl_status st;

    if (!density || !scratch || !distance || !parent)
        return xpl_no_memory(err);
    if ((st = split_planes(arena, lab, height, width, &planes, err)))
        return st;
    compute_density(&planes, kernel_size, density, scratch);
    find_parents(&(struct search){&planes, density, distance, parent, scratch}, kernel_size, max_dist);
    *ret_count = number_roots(parent, n, ret_labels);
    return XPL_OK;
}
