/* SPDX-License-Identifier: Apache-2.0 */
/* Merging against its definition: all pairs looked at anew before every merge. */
#include <math.h>
#include <string.h>

#include "lib/explain/superpixels/segment.h"
#include "tests/unit/image/image_test.h"

#define SIDE   24u
#define PIXELS (SIDE * SIDE)
#define MOST   64u

/* Area and sums of the colours of every label. */
static void sum_up(const float *lab, const uint32_t *labels, double sums[MOST][4])
{
    memset(sums, 0, MOST * sizeof *sums);
    for (size_t i = 0; i < PIXELS; i++) {
        sums[labels[i]][3] += 1;
        for (size_t k = 0; k < 3; k++)
            sums[labels[i]][k] += (double)lab[i * 3 + k];
    }
}

static double ward_cost(const double *a, const double *b)
{
    double squared = 0;

    for (size_t k = 0; k < 3; k++)
        squared += pow(a[k] / a[3] - b[k] / b[3], 2);
    return a[3] * b[3] / (a[3] + b[3]) * squared;
}

static bool touch(const uint32_t *labels, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < PIXELS; i++) {
        bool right =
            i % SIDE + 1 < SIDE && ((labels[i] == a && labels[i + 1] == b) || (labels[i] == b && labels[i + 1] == a));
        bool below = i + SIDE < PIXELS &&
                     ((labels[i] == a && labels[i + SIDE] == b) || (labels[i] == b && labels[i + SIDE] == a));

        if (right || below)
            return true;
    }
    return false;
}

static void merge_once(const float *lab, uint32_t *labels)
{
    double sums[MOST][4], least = INFINITY;
    uint32_t best_a = 0, best_b = 0;

    sum_up(lab, labels, sums);
    for (uint32_t a = 0; a < MOST; a++) {
        for (uint32_t b = a + 1; b < MOST; b++) {
            if (sums[a][3] < 1 || sums[b][3] < 1 || ward_cost(sums[a], sums[b]) >= least || !touch(labels, a, b))
                continue;
            least = ward_cost(sums[a], sums[b]);
            best_a = a;
            best_b = b;
        }
    }
    for (size_t i = 0; i < PIXELS; i++)
        labels[i] = labels[i] == best_b ? best_a : labels[i];
}

static void number_by_first_pixel(uint32_t *labels)
{
    uint32_t number[MOST] = {0}, count = 0;

    for (size_t i = 0; i < PIXELS; i++) {
        if (number[labels[i]] == 0)
            number[labels[i]] = ++count;
        labels[i] = number[labels[i]] - 1;
    }
}

/* 8 x 8 tiles of uneven shape, each with a colour of its own and texture. */
static void make_tiles(float *lab, uint32_t *labels)
{
    for (uint32_t i = 0; i < PIXELS; i++) {
        uint32_t r = i / SIDE, c = i % SIDE, slanted = (c + r / 4) % SIDE;

        labels[i] = r / 3 * 8 + slanted / 3;
        for (uint32_t k = 0; k < 3; k++)
            lab[i * 3 + k] = (float)(10 * sin(1.7 * labels[i] * (k + 1)) + 0.7 * cos(3.1 * i + k));
    }
}

static void merging_follows_the_definition(void **state)
{
    for (uint32_t most = 63; most >= 1; most -= most > 20 ? 7 : 1) {
        float lab[PIXELS * 3];
        uint32_t labels[PIXELS], wanted[PIXELS], count = MOST;

        make_tiles(lab, labels);
        memcpy(wanted, labels, sizeof wanted);
        for (uint32_t left = MOST; left > most; left--)
            merge_once(lab, wanted);
        number_by_first_pixel(wanted);
        assert_int_equal(xpl_merge_segments(*state, lab, SIDE, SIDE, most, NULL, labels, &count, NULL), XPL_OK);
        assert_int_equal(count, most);
        assert_memory_equal(labels, wanted, sizeof labels);
    }
}

static void merging_joins_the_most_similar_neighbours(void **state)
{
    /* three stripes, two of them nearly equal */
    float lab[30 * 3] = {0};
    uint32_t labels[30], count = 3;

    for (size_t i = 0; i < 30; i++) {
        labels[i] = (uint32_t)(i / 10);
        lab[i * 3] = i < 10 ? 10.0f : i < 20 ? 50.0f : 51.0f;
    }
    assert_int_equal(xpl_merge_segments(*state, lab, 1, 30, 2, NULL, labels, &count, NULL), XPL_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(labels[i], i < 10 ? 0 : 1);
}

static void equal_costs_are_merged_by_the_lowest_ids(void **state)
{
    float lab[4 * 3] = {0};
    uint32_t labels[4] = {0, 1, 2, 3}, count = 4;

    assert_int_equal(xpl_merge_segments(*state, lab, 1, 4, 3, NULL, labels, &count, NULL), XPL_OK);
    assert_int_equal(labels[0], labels[1]);
    assert_int_not_equal(labels[1], labels[2]);
}

static void segments_that_do_not_touch_stay_apart(void **state)
{
    /* the outer two are equal; only their neighbour between them can be merged */
    float lab[3 * 3] = {7, 0, 0, 90, 0, 0, 7, 0, 0};
    uint32_t labels[3] = {0, 1, 2}, count = 3;

    assert_int_equal(xpl_merge_segments(*state, lab, 1, 3, 2, NULL, labels, &count, NULL), XPL_OK);
    assert_int_not_equal(labels[0], labels[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(merging_follows_the_definition),
        IMAGE_TEST(merging_joins_the_most_similar_neighbours),
        IMAGE_TEST(equal_costs_are_merged_by_the_lowest_ids),
        IMAGE_TEST(segments_that_do_not_touch_stay_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
