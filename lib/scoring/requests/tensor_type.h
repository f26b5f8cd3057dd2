/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of raw tensors: little-endian, of the data types of the Open Inference Protocol V2. */
#ifndef XPL_SCORING_TENSOR_TYPE_H
#define XPL_SCORING_TENSOR_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"

#define XPL_TENSOR_NUMBER_MAX 32u

enum xpl_tensor_kind {
    XPL_TENSOR_FLOAT,
    XPL_TENSOR_BRAIN, /* the upper half of a single */
    XPL_TENSOR_SIGNED,
    XPL_TENSOR_UNSIGNED /* BOOL, too: 0 and 1 */
};

struct xpl_tensor_type {
    const char *name; /* "FP32" */
    const char *npy;  /* the same in NumPy's files, "<f4"; NULL = it has none */
    enum xpl_tensor_kind kind;
    unsigned bytes;
};

/** `name` without quotes; NULL for BYTES and what is not known. */
const struct xpl_tensor_type *xpl_tensor_type_of(struct xpl_text name);

/** The same by NumPy's name: "<f4". */
const struct xpl_tensor_type *xpl_tensor_type_of_npy(struct xpl_text name);

/** Writes one number: rounded and kept in the type's range when it has whole numbers only. */
void xpl_tensor_put(const struct xpl_tensor_type *type, double value, uint8_t *out);

/**
 * Prints one number as JSON that reads back as the same: what JSON cannot write becomes null. Returns its length,
 * below XPL_TENSOR_NUMBER_MAX.
 */
size_t xpl_tensor_print(const struct xpl_tensor_type *type, const uint8_t *at, char out[XPL_TENSOR_NUMBER_MAX]);

#endif
