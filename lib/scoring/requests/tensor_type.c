/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/requests/tensor_type.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HALF_BYTES  2u
#define FLOAT_BYTES 4u

static const struct xpl_tensor_type types[] = {
    {"FP32", "<f4", XPL_TENSOR_FLOAT, 4},      {"FP64", "<f8", XPL_TENSOR_FLOAT, 8},
    {"FP16", "<f2", XPL_TENSOR_FLOAT, 2},      {"BF16", NULL, XPL_TENSOR_BRAIN, 2},
    {"UINT8", "|u1", XPL_TENSOR_UNSIGNED, 1},  {"UINT16", "<u2", XPL_TENSOR_UNSIGNED, 2},
    {"UINT32", "<u4", XPL_TENSOR_UNSIGNED, 4}, {"UINT64", "<u8", XPL_TENSOR_UNSIGNED, 8},
    {"INT8", "|i1", XPL_TENSOR_SIGNED, 1},     {"INT16", "<i2", XPL_TENSOR_SIGNED, 2},
    {"INT32", "<i4", XPL_TENSOR_SIGNED, 4},    {"INT64", "<i8", XPL_TENSOR_SIGNED, 8},
    {"BOOL", "|b1", XPL_TENSOR_UNSIGNED, 1},
};

const struct xpl_tensor_type *xpl_tensor_type_of(struct xpl_text name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (xpl_text_equal(name, types[i].name))
            return &types[i];
    return NULL;
}

const struct xpl_tensor_type *xpl_tensor_type_of_npy(struct xpl_text name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].npy && xpl_text_equal(name, types[i].npy))
            return &types[i];
    return NULL;
}

/* ---- writing ---- */

static void put_bits(uint64_t bits, unsigned bytes, uint8_t *out)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(bits >> (8 * i));
}

/* A whole number of the last bit, ties to even. */
static uint64_t half_bits(double value)
{
    uint64_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value), scaled;
    int exponent;

    if (isnan(value))
        return 0x7e00;
    if (isinf(value))
        return sign | 0x7c00;
    frexp(size, &exponent); /* size = 0.5…1 x 2^exponent */
    exponent = exponent < -13 || size == 0 ? -13 : exponent;
    scaled = nearbyint(ldexp(size, 11 - exponent)); /* 1024…2048, below when it is subnormal */
    if (exponent > 16 || (exponent == 16 && scaled >= 2048))
        return sign | 0x7c00;
    /* what is rounded up to the next power of two carries into the exponent */
    return sign | ((uint64_t)(exponent + 13) * 1024 + (uint64_t)scaled);
}

static uint64_t brain_bits(double value)
{
    float single = (float)value;
    uint32_t bits;

    memcpy(&bits, &single, sizeof bits);
    return isnan(value) ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static void put_float(double value, unsigned bytes, uint8_t *out)
{
    float single = (float)value;
    uint32_t bits32;
    uint64_t bits64;

    if (bytes == HALF_BYTES) {
        put_bits(half_bits(value), bytes, out);
        return;
    }
    memcpy(&bits32, &single, sizeof bits32);
    memcpy(&bits64, &value, sizeof bits64);
    put_bits(bytes == FLOAT_BYTES ? bits32 : bits64, bytes, out);
}

/* Pixels are far from the ends of 64 bits, where a double is no whole number any more. */
static double whole_within(const struct xpl_tensor_type *type, double value)
{
    bool is_signed = type->kind == XPL_TENSOR_SIGNED;
    double high = ldexp(1, (int)(8 * type->bytes) - is_signed) - 1, low = is_signed ? -high - 1 : 0;

    if (type->bytes == sizeof(uint64_t)) {
        high = ldexp(1, 53);
        low = is_signed ? -high : 0;
    }
    return fmin(high, fmax(low, round(value)));
}

void xpl_tensor_put(const struct xpl_tensor_type *type, double value, uint8_t *out)
{
    switch (type->kind) {
    case XPL_TENSOR_FLOAT:
        put_float(value, type->bytes, out);
        return;
    case XPL_TENSOR_BRAIN:
        put_bits(brain_bits(value), type->bytes, out);
        return;
    case XPL_TENSOR_SIGNED:
    case XPL_TENSOR_UNSIGNED:
        break;
    }
    put_bits((uint64_t)(int64_t)whole_within(type, value), type->bytes, out);
}

/* ---- printing ---- */

static uint64_t bits_at(const uint8_t *at, unsigned bytes)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < bytes; i++)
        bits |= (uint64_t)at[i] << (8 * i);
    return bits;
}

/* IEEE 754 binary16. */
static double half_of(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 0x1f);
    double fraction = (double)(bits & 0x3ff), sign = bits & 0x8000 ? -1 : 1;

    if (exponent == 0x1f)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double brain_of(uint64_t bits)
{
    uint32_t bits32 = (uint32_t)bits << 16;
    float single;

    memcpy(&single, &bits32, sizeof single);
    return (double)single;
}

static double float_at(const uint8_t *at, unsigned bytes)
{
    uint64_t bits = bits_at(at, bytes);
    uint32_t bits32 = (uint32_t)bits;
    double value;
    float single;

    if (bytes == HALF_BYTES)
        return half_of(bits);
    memcpy(&value, &bits, sizeof value);
    memcpy(&single, &bits32, sizeof single);
    return bytes == FLOAT_BYTES ? (double)single : value;
}

static int64_t signed_of(uint64_t bits, unsigned bytes)
{
    uint64_t sign = (uint64_t)1 << (8 * bytes - 1);

    return (int64_t)((bits ^ sign) - sign);
}

static int print_float(double value, unsigned bytes, char *out)
{
    if (!isfinite(value))
        return snprintf(out, XPL_TENSOR_NUMBER_MAX, "null");
    return snprintf(out, XPL_TENSOR_NUMBER_MAX, bytes > FLOAT_BYTES ? "%.17g" : "%.9g", value);
}

size_t xpl_tensor_print(const struct xpl_tensor_type *type, const uint8_t *at, char out[XPL_TENSOR_NUMBER_MAX])
{
    switch (type->kind) {
    case XPL_TENSOR_FLOAT:
        return (size_t)print_float(float_at(at, type->bytes), type->bytes, out);
    case XPL_TENSOR_BRAIN:
        return (size_t)print_float(brain_of(bits_at(at, type->bytes)), type->bytes, out);
    case XPL_TENSOR_SIGNED:
        return (size_t)snprintf(out, XPL_TENSOR_NUMBER_MAX, "%" PRId64,
                                signed_of(bits_at(at, type->bytes), type->bytes));
    case XPL_TENSOR_UNSIGNED:
        break;
    }
    return (size_t)snprintf(out, XPL_TENSOR_NUMBER_MAX, "%" PRIu64, bits_at(at, type->bytes));
}
