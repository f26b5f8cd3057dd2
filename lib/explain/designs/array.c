/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/explain/designs/array.h"

#include "lib/explain/designs/design.h"

/* Found by search: the low 9, 10, 11 and all 12 bits have distinct pair sums. */
static const uint16_t nested[] = {1554, 3098, 2592, 3141, 3172, 3182, 2196, 1185, 1736, 259,  717,
                                  225,  3888, 818,  3900, 3938, 891,  2990, 3013, 2517, 3038, 507};

#define N_NESTED (sizeof nested / sizeof *nested)

/* The next power of the generator of GF(2^bits). */
static uint32_t times_alpha(uint32_t x, uint32_t bits, uint32_t polynomial)
{
    x <<= 1;
    return x >> bits ? x ^ polynomial : x;
}

/* Columns (x, x^3) for x = 1, alpha, alpha^2, … */
static void build_powers(struct xpl_array *array, uint32_t bits, uint32_t polynomial)
{
    uint32_t power = 1, cube = 1;

    for (uint32_t j = 0; j < array->n_segments; j++) {
        array->columns[j] = power << bits | cube;
        power = times_alpha(power, bits, polynomial);
        for (int i = 0; i < 3; i++)
            cube = times_alpha(cube, bits, polynomial);
    }
    array->least_bits = array->most_bits = 2 * bits;
}

void xpl_array_build(uint32_t n_segments, struct xpl_array *ret)
{
    *ret = (struct xpl_array){.n_segments = n_segments, .least_bits = 9, .most_bits = 12};
    if (n_segments > 31)
        build_powers(ret, 6, 0x43); /* x^6 + x + 1 */
    else if (n_segments > N_NESTED)
        build_powers(ret, 5, 0x25); /* x^5 + x^2 + 1 */
    else
        for (uint32_t j = 0; j < n_segments; j++)
            ret->columns[j] = nested[j];
}

xpl_mask xpl_array_row(const struct xpl_array *array, uint32_t x)
{
    xpl_mask hidden = 0;

    for (uint32_t j = 0; j < array->n_segments; j++)
        hidden |= (xpl_mask)(__builtin_popcount(x & array->columns[j]) & 1) << j;
    return hidden ^ xpl_design_all_on(array->n_segments);
}
