/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/stub_model_score.h"

#include <stdlib.h>
#include <string.h>

#define N_PATTERN_CELLS 6u
#define MAX_DEPTH       4u

static const char *const mode_names[] = {
    [STUB_CONSTANT] = "constant", [STUB_LINEAR] = "linear", [STUB_REGION] = "region", [STUB_PARITY] = "parity",
    [STUB_AND] = "and",           [STUB_NOISY] = "noisy",   [STUB_NAN] = "nan",       [STUB_SLOW] = "slow",
    [STUB_FAILING] = "failing",   [STUB_SHORT] = "short",   [STUB_REFUSE] = "refuse",
};

bool stub_mode_parse(const char *name, enum stub_mode *ret)
{
    for (unsigned i = 0; i < sizeof mode_names / sizeof *mode_names; i++) {
        if (strcmp(mode_names[i], name) == 0) {
            *ret = (enum stub_mode)i;
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

static bool keep(struct stub_picture *picture, double value)
{
    if (picture->n == picture->capacity) {
        size_t capacity = picture->capacity ? picture->capacity * 2 : 4096;
        double *values = realloc(picture->values, capacity * sizeof *values);

        if (!values)
            return false;
        picture->values = values;
        picture->capacity = capacity;
    }
    picture->values[picture->n++] = value;
    return true;
}

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Most pixels are short whole numbers: those are read without strtod. */
static double number(const char *text, size_t length)
{
    double value = 0;

    for (size_t i = 0; i < length && length < 10; i++) {
        if (text[i] < '0' || text[i] > '9')
            return xpl_parse_double(text, length);
        value = value * 10 + (double)(text[i] - '0');
    }
    return length < 10 ? value : xpl_parse_double(text, length);
}

static const char *check(struct stub_picture *picture, const uint32_t *counts, unsigned deepest,
                         const struct stub_shape *wanted)
{
    struct stub_shape shape = {counts[0], counts[0] ? counts[1] / counts[0] : 0, 1};

    if (deepest < 2 || deepest > 3 || picture->n == 0)
        return "an image of H x W x C or H x W numbers was expected";
    if (deepest == 3 && counts[1])
        shape.channels = counts[2] / counts[1];
    if ((size_t)shape.height * shape.width * shape.channels != picture->n)
        return "the image is ragged";
    if (wanted->height && memcmp(&shape, wanted, sizeof shape) != 0)
        return "the image has another shape than this model takes";
    picture->shape = shape;
    return NULL;
}

static const char *misplaced(void)
{
    return "only nested lists of numbers were expected";
}

/* Syntax was checked: only brackets, commas, blanks and values are left. counts[d] = elements at depth d + 1. */
const char *stub_picture_read(struct stub_picture *picture, struct xpl_text text, const struct stub_shape *wanted)
{
    uint32_t counts[MAX_DEPTH] = {0};
    unsigned depth = 0, deepest = 0;

    picture->n = 0;
    picture->text = text;
    for (size_t i = 0; i < text.length;) {
        size_t start = i;
        char c = text.ptr[i];

        if (is_number_byte(c)) {
            while (i < text.length && is_number_byte(text.ptr[i]))
                i++;
            if (depth == 0 || !keep(picture, number(text.ptr + start, i - start)))
                return misplaced();
            counts[depth - 1]++;
            continue;
        }
        i++;
        if (c == '[' && depth == MAX_DEPTH)
            return misplaced();
        if (c == '[' && depth++ > 0)
            counts[depth - 2]++;
        else if (c == ']')
            depth--;
        else if (!strchr("[, \t\r\n", c))
            return misplaced();
        deepest = depth > deepest ? depth : deepest;
    }
    return check(picture, counts, deepest, wanted);
}

/* ---- thinking ---- */

/* Pixels are bytes when one of them is above 1, else in [0, 1]. */
static double scale_of(const struct stub_picture *picture)
{
    for (size_t i = 0; i < picture->n; i++)
        if (picture->values[i] > 1)
            return 1.0 / 255;
    return 1;
}

static void cell_means(const struct stub_picture *picture, uint32_t grid, double *ret_means)
{
    const struct stub_shape *s = &picture->shape;
    double counts[STUB_MAX_GRID * STUB_MAX_GRID] = {0}, scale = scale_of(picture);
    size_t at = 0;

    memset(ret_means, 0, (size_t)grid * grid * sizeof *ret_means);
    for (uint32_t r = 0; r < s->height; r++) {
        for (uint32_t c = 0; c < s->width; c++) {
            size_t cell = (size_t)(r * grid / s->height) * grid + c * grid / s->width;

            for (uint32_t k = 0; k < s->channels; k++)
                ret_means[cell] += picture->values[at++];
            counts[cell] += s->channels;
        }
    }
    for (size_t i = 0; i < (size_t)grid * grid; i++)
        ret_means[i] = counts[i] > 0 ? ret_means[i] * scale / counts[i] : 0;
}

/* Weights of both signs, the sum of whose sizes is 1: the i-th of n. */
static double weight(size_t i, size_t n)
{
    double sum = 0;

    for (size_t k = 0; k < n; k++)
        sum += (double)(1 + k * 7 % 5);
    return (i % 3 == 2 ? -1 : 1) * (double)(1 + i * 7 % 5) / sum;
}

static double linear(const double *means, size_t n)
{
    double p = 0.5;

    for (size_t i = 0; i < n; i++)
        p += 0.9 * weight(i, n) * (means[i] - 0.5);
    return p;
}

static unsigned bright_cells(const double *means, size_t n, unsigned *ret_looked_at)
{
    unsigned bright = 0;

    *ret_looked_at = n < N_PATTERN_CELLS ? (unsigned)n : N_PATTERN_CELLS;
    for (size_t i = 0; i < *ret_looked_at; i++)
        bright += means[i * n / *ret_looked_at] > 0.5;
    return bright;
}

/* A number in [-0.5, 0.5) that depends on the bytes of the picture alone (FNV-1a). */
static double noise(struct xpl_text text)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * 1099511628211u;
    return (double)(hash >> 11) / 9007199254740992.0 - 0.5;
}

static double clamp(double p)
{
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

static double opinion(const struct stub_model *model, const struct stub_picture *picture)
{
    double means[STUB_MAX_GRID * STUB_MAX_GRID];
    size_t n = (size_t)model->grid * model->grid;
    unsigned bright, of;

    cell_means(picture, model->grid, means);
    bright = bright_cells(means, n, &of);
    switch (model->mode) {
    case STUB_REGION:
        return 0.05 + 0.9 * clamp(means[(size_t)(model->grid / 2) * model->grid + model->grid / 2]);
    case STUB_PARITY:
        return bright % 2 ? 0.9 : 0.1;
    case STUB_AND:
        return bright == of ? 0.9 : 0.1;
    case STUB_NOISY:
        return linear(means, n) + 0.04 * noise(picture->text);
    case STUB_CONSTANT:
        return 0.7;
    case STUB_LINEAR:
    case STUB_NAN:
    case STUB_SLOW:
    case STUB_FAILING:
    case STUB_SHORT:
    case STUB_REFUSE:
        break;
    }
    return linear(means, n);
}

void stub_score(const struct stub_model *model, const struct stub_picture *picture, double *ret)
{
    double p = clamp(opinion(model, picture)), shares = 0;

    if (model->n_classes == 1) {
        ret[0] = p;
        return;
    }
    ret[1] = p;
    for (uint32_t i = 0; i < model->n_classes; i++)
        shares += i == 1 ? 0 : (double)(1 + i % 4);
    for (uint32_t i = 0; i < model->n_classes; i++)
        if (i != 1)
            ret[i] = (1 - p) * (double)(1 + i % 4) / shares;
}
