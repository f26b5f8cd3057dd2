/* SPDX-License-Identifier: Apache-2.0 */
/* The image of one mask, as numbers or as a picture: inside of the splicer, for splice*.c only. */
#ifndef XPL_SCORING_SPLICE_ROWS_H
#define XPL_SCORING_SPLICE_ROWS_H

#include <string.h>

#include "lib/scoring/splice.h"

/** What both kinds are made of. */
struct xpl_splice_source {
    struct xpl_arena *arena;
    const struct xpl_request *request;
    uint32_t index;
    const uint16_t *labels;
    uint32_t n_segments;
    const struct xpl_pixels *fill;
};

static inline char *xpl_put(char *at, const char *data, size_t length)
{
    memcpy(at, data, length);
    return at + length;
}

/** The text of a V2 request with one tensor up to the number of its images, and from there to its "datatype". */
enum xpl_status xpl_splice_tensor_frame(const struct xpl_splice_source *source, const struct xpl_wire *wire,
                                        const char **ret_before, const char **ret_behind, struct xpl_error *err);

/* ---- numbers ---- */

struct xpl_splice_numbers;

/** `*ret_lead`: bytes of the image's text before its first number. */
enum xpl_status xpl_splice_numbers_new(const struct xpl_splice_source *source, struct xpl_splice_numbers **ret,
                                       size_t *ret_lead, struct xpl_error *err);
size_t xpl_splice_numbers_max(const struct xpl_splice_numbers *numbers);
size_t xpl_splice_numbers_length(const struct xpl_splice_numbers *numbers, uint64_t mask);
char *xpl_splice_numbers_put(const struct xpl_splice_numbers *numbers, uint64_t mask, char *at);

/* ---- pictures ---- */

struct xpl_splice_picture;

/** XPL_BAD_RECORD: the image was logged as numbers that are no whole ones from 0 to 255. */
enum xpl_status xpl_splice_picture_new(const struct xpl_splice_source *source, struct xpl_splice_picture **ret,
                                       struct xpl_error *err);
/** The same for every mask; one byte more is written. */
size_t xpl_splice_picture_length(const struct xpl_splice_picture *picture);
char *xpl_splice_picture_put(const struct xpl_splice_picture *picture, uint64_t mask, char *at);

/** The same picture as a file. */
size_t xpl_splice_picture_file_size(const struct xpl_splice_picture *picture);
void xpl_splice_picture_file(const struct xpl_splice_picture *picture, uint64_t mask, char *out);

/** The same as JPEG; its length. */
size_t xpl_splice_picture_jpeg_max(const struct xpl_splice_picture *picture);
size_t xpl_splice_picture_jpeg(const struct xpl_splice_picture *picture, uint64_t mask, char *out);

#endif
