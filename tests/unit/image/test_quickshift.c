/* SPDX-License-Identifier: Apache-2.0 */
/* Quickshift against its definition, written down plainly and in double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/explain/superpixels/segment.h"
#include "tests/unit/image/image_test.h"

struct picture {
    const float *lab;
    int height, width;
};

static double squared_distance(const struct picture *p, int i, int j)
{
    int dr = i / p->width - j / p->width, dc = i % p->width - j % p->width;
    double sum = dr * dr + dc * dc;

    for (int k = 0; k < 3; k++) {
        double d = (double)p->lab[i * 3 + k] - (double)p->lab[j * 3 + k];

        sum += d * d;
    }
    return sum;
}

static bool in_window(const struct picture *p, int i, int j, double kernel_size)
{
    double reach = ceil(3 * kernel_size);

    return abs(i / p->width - j / p->width) <= reach && abs(i % p->width - j % p->width) <= reach;
}

static int parent_of(const struct picture *p, const double *density, int i, double kernel_size, double max_dist)
{
    double nearest = INFINITY;
    int parent = i;

    for (int j = 0; j < p->height * p->width; j++) {
        bool denser = density[j] > density[i] || (density[j] >= density[i] && j < i);

        if (!denser || !in_window(p, i, j, kernel_size) || squared_distance(p, i, j) >= nearest)
            continue;
        nearest = squared_distance(p, i, j);
        parent = j;
    }
    return sqrt(nearest) <= max_dist ? parent : i;
}

static void label_by_definition(void **state, const struct picture *p, double kernel_size, double max_dist,
                                uint32_t *labels)
{
    int n = p->height * p->width;
    double *density = XPL_NEW_ARRAY(*state, double, (size_t)n);
    int *parent = XPL_NEW_ARRAY(*state, int, (size_t)n);
    uint32_t count = 0;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (in_window(p, i, j, kernel_size))
                density[i] += exp(-squared_distance(p, i, j) / (2 * kernel_size * kernel_size));
    for (int i = 0; i < n; i++)
        parent[i] = parent_of(p, density, i, kernel_size, max_dist);
    for (int i = 0; i < n; i++)
        if (parent[i] == i)
            labels[i] = count++;
    for (int i = 0; i < n; i++) {
        int root = i;

        while (parent[root] != root)
            root = parent[root];
        labels[i] = labels[root];
    }
}

/* Hills of colour with a little texture: no two pixels are as dense as each other. */
static float *landscape(void **state, int height, int width)
{
    float *lab = XPL_NEW_ARRAY(*state, float, (size_t)height *(size_t)width * 3);

    for (int i = 0; i < height * width; i++)
        for (int k = 0; k < 3; k++)
            lab[i * 3 + k] = (float)(4 * sin(0.31 * (i / width) + k) + 3 * cos(0.23 * (i % width) * (k + 1)) +
                                     0.4 * sin(17.0 * i + k));
    return lab;
}

static uint32_t quickshift(void **state, const float *lab, int height, int width, double kernel_size, double max_dist,
                           uint32_t *labels)
{
    uint32_t count = 0;

    assert_int_equal(xpl_quickshift(*state, lab, (uint32_t)height, (uint32_t)width, kernel_size, max_dist, NULL, labels,
                                    &count, NULL),
                     XPL_OK);
    return count;
}

static void labels_follow_the_definition(void **state)
{
    static const struct {
        int height, width;
        double kernel_size, max_dist;
    } cases[] = {{30, 32, 3, 200}, {31, 29, 1, 200},  {25, 27, 2, 200}, {30, 30, 1, 3},
                 {28, 34, 1.5, 6}, {1, 50, 1, 200},   {50, 1, 1, 200},  {7, 6, 4, 200},
                 {2, 3, 3, 200},   {33, 5, 0.5, 200}, {20, 21, 1, 1e30}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = (size_t)(cases[i].height * cases[i].width);
        struct picture p = {landscape(state, cases[i].height, cases[i].width), cases[i].height, cases[i].width};
        uint32_t *wanted = XPL_NEW_ARRAY(*state, uint32_t, n), *labels = XPL_NEW_ARRAY(*state, uint32_t, n);

        label_by_definition(state, &p, cases[i].kernel_size, cases[i].max_dist, wanted);
        quickshift(state, p.lab, p.height, p.width, cases[i].kernel_size, cases[i].max_dist, labels);
        assert_memory_equal(labels, wanted, n * sizeof *labels);
    }
}

static void the_landscape_is_no_trivial_case(void **state)
{
    uint32_t *labels = XPL_NEW_ARRAY(*state, uint32_t, 30 * 32);

    assert_in_range(quickshift(state, landscape(state, 30, 32), 30, 32, 3, 200, labels), 3, 30);
}

static void a_plateau_within_texture_is_one_segment(void **state)
{
    uint32_t labels[40 * 40];
    float *lab = landscape(state, 40, 40);

    for (int r = 8; r < 32; r++) /* blown-out white, wider than the window */
        for (int c = 6; c < 34; c++)
            memcpy(lab + (r * 40 + c) * 3, (float[]){20, 0, 0}, 12);
    quickshift(state, lab, 40, 40, 1, 200, labels);
    for (int r = 8; r < 32; r++)
        for (int c = 6; c < 34; c++)
            assert_int_equal(labels[r * 40 + c], labels[8 * 40 + 6]);
}

static void of_two_equal_pixels_the_first_is_the_root(void **state)
{
    static const float lab[2 * 3] = {5, 1, 1, 5, 1, 1};
    uint32_t labels[2];

    assert_int_equal(quickshift(state, lab, 1, 2, 1, 200, labels), 1);
    assert_int_equal(quickshift(state, lab, 1, 2, 1, 0.5, labels), 2); /* too far: 1 pixel */
    assert_int_equal(labels[0], 0);
    assert_int_equal(labels[1], 1);
}

static void of_two_equally_near_parents_the_first_is_taken(void **state)
{
    /* the middle pixel lies between two groups that are too far from each other */
    static const float lab[5 * 3] = {0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint32_t wanted[5] = {0, 0, 0, 1, 1};
    uint32_t labels[5];

    assert_int_equal(quickshift(state, lab, 1, 5, 1, 1.5, labels), 2);
    assert_memory_equal(labels, wanted, sizeof wanted);
    assert_int_equal(quickshift(state, lab, 5, 1, 1, 1.5, labels), 2);
    assert_memory_equal(labels, wanted, sizeof wanted);
}

/* One is a neighbour of another colour, the other one of the same colour two rows up; each has a friend of its own. */
static void the_first_of_equally_near_parents_may_be_the_one_further_away(void **state)
{
    enum {
        WIDTH = 3,
        HEIGHT = 4,
        ABOVE = 1,
        BESIDE = 6,
        CHILD = 7
    };
    static const int same[] = {ABOVE, 2, CHILD}, other[] = {BESIDE, 9};
    uint32_t labels[HEIGHT * WIDTH];
    float lab[HEIGHT * WIDTH * 3];

    for (size_t i = 0; i < sizeof lab / sizeof *lab; i++)
        lab[i] = 100 * (float)(1 + i / 3);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        memcpy(lab + same[i] * 3, (float[]){0, 0, 0}, 12);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        memcpy(lab + other[i] * 3, (float[]){1, 1, 1}, 12);
    quickshift(state, lab, HEIGHT, WIDTH, 1, 2.5, labels);
    assert_int_not_equal(labels[ABOVE], labels[BESIDE]);
    assert_int_equal(labels[CHILD], labels[ABOVE]);
}

static void lab_values_of_many_are_those_of_one(void **state)
{
    enum {
        LEVELS = 256,
        N = LEVELS + 100
    };
    float lab[N * 3];
    double rgb[N * 3];

    (void)state;
    for (int i = 0; i < N * 3; i++) /* levels of 8 bits, and what lies between them and outside */
        rgb[i] = i < LEVELS * 3 ? (i * 7 % LEVELS) / 255.0 : (i - LEVELS * 3) / 250.0;
    xpl_rgb_to_lab(rgb, N, 1, lab);
    for (int i = 0; i < N; i++) {
        double alone[3];

        xpl_lab_of(rgb + 3 * i, alone);
        for (int k = 0; k < 3; k++)
            assert_true(lab[3 * i + k] == (float)alone[k]);
    }
}

static void lab_values_are_those_of_the_standard(void **state)
{
    static const double rgb[] = {1, 1, 1, 0, 0, 0, 1, 0, 0, 0.5, 0.5, 0.5, 0, 0.2, 1};
    static const double wanted[] = {100,     0,      0, 0, 0,       0,       53.2406, 80.0923,
                                    67.2028, 53.389, 0, 0, 37.0860, 64.6895, -99.8623};
    float lab[15];

    (void)state;
    xpl_rgb_to_lab(rgb, 5, 1, lab);
    for (size_t i = 0; i < 15; i++)
        assert_true(fabs((double)lab[i] - wanted[i]) < 0.01);
    xpl_rgb_to_lab(rgb, 5, 0.2, lab);
    for (size_t i = 0; i < 15; i++)
        assert_true(fabs((double)lab[i] - 0.2 * wanted[i]) < 0.002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(labels_follow_the_definition),
        IMAGE_TEST(the_landscape_is_no_trivial_case),
        IMAGE_TEST(a_plateau_within_texture_is_one_segment),
        IMAGE_TEST(of_two_equal_pixels_the_first_is_the_root),
        IMAGE_TEST(of_two_equally_near_parents_the_first_is_taken),
        IMAGE_TEST(the_first_of_equally_near_parents_may_be_the_one_further_away),
        IMAGE_TEST(lab_values_of_many_are_those_of_one),
        IMAGE_TEST(lab_values_are_those_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
