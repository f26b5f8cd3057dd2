/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stub model thinks of a picture: simple functions whose explanation is known in advance.
 */
#ifndef XPL_STUB_MODEL_SCORE_H
#define XPL_STUB_MODEL_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/text.h"

#define STUB_MAX_CLASSES 1000u
#define STUB_MAX_GRID    16u

enum stub_mode {
    STUB_CONSTANT, /* the same for every picture */
    STUB_LINEAR,   /* linear in the mean of each grid cell, with fixed weights */
    STUB_REGION,   /* only the cell in the middle matters */
    STUB_PARITY,   /* whether an odd number of six cells is bright */
    STUB_AND,      /* whether all of six cells are bright */
    STUB_NOISY,    /* linear, and a little noise that depends on the bytes of the picture alone */
    STUB_NAN,      /* answers NaN */
    STUB_SLOW,     /* linear, after a while */
    STUB_FAILING,  /* answers 5xx */
    STUB_SHORT,    /* answers one row too few */
    STUB_REFUSE    /* answers 4xx */
};

struct stub_shape {
    uint32_t height, width, channels; /* 0 = any */
};

struct stub_model {
    enum stub_mode mode;
    uint32_t n_classes; /* 1 = a single sigmoid */
    uint32_t grid;
    struct stub_shape shape;
    const char *labels[STUB_MAX_CLASSES];
    uint32_t n_labels; /* 0 = none, else n_classes */
};

struct stub_picture {
    struct stub_shape shape;
    struct xpl_text text; /* borrowed */
    double *values;       /* kept from picture to picture */
    size_t n, capacity;
};

bool stub_mode_parse(const char *name, enum stub_mode *ret);

/** Reads nested numbers H x W x C or H x W. NULL, or what is wrong with them. */
const char *stub_picture_read(struct stub_picture *picture, struct xpl_text text, const struct stub_shape *wanted);

/** The probabilities of `n_classes` classes; class 1 is the one that speaks for the picture. */
void stub_score(const struct stub_model *model, const struct stub_picture *picture, double *ret);

#endif
