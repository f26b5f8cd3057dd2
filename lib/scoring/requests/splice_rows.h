/* SPDX-License-Identifier: Apache-2.0 */
/* The image of one mask, as numbers or as a picture: inside of the splicer, for splice*.c only. */
#ifndef XPL_SCORING_SPLICE_ROWS_H
#define XPL_SCORING_SPLICE_ROWS_H

#include <string.h>

#include "lib/scoring/requests/form_data.h"
#include "lib/scoring/requests/splice.h"

#define XPL_SPLICE_SEGMENTS 64u

/** Text before or behind the rows, with the number of rows somewhere in it. */
struct xpl_splice_part {
    struct xpl_text before, after;
    bool count; /* between them */
};

struct xpl_splicer {
    struct xpl_splice_part head, tail;  /* around the rows: the rest of the request */
    struct xpl_text row_head, row_tail; /* around the image: the rest of its row */
    struct xpl_splice_numbers *numbers; /* one of the two */
    struct xpl_splice_picture *picture;
    struct xpl_splice_raw *raw; /* NULL = bodies are JSON or pictures */
    struct xpl_form around;     /* of a file */
    const char *form_type;      /* NULL = nothing is around it */
    enum xpl_body_form form, better;
    uint32_t max_rows;
};

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
/**
 * Writes the image's text for a mask from a run on, which begins with 0, up to `end`. `ret_rest` is what was left of a
 * piece; when it is empty, all is written. Returns where it ended.
 */
char *xpl_splice_numbers_put(const struct xpl_splice_numbers *numbers, uint64_t mask, size_t *run, char *at,
                             const char *end, struct xpl_text *ret_rest);

/* ---- pictures ---- */

struct xpl_splice_picture;

/** XPL_BAD_RECORD: the image was logged as numbers that are no whole ones from 0 to 255. */
enum xpl_status xpl_splice_picture_new(const struct xpl_splice_source *source, struct xpl_splice_picture **ret,
                                       struct xpl_error *err);
/** The same for every mask. */
size_t xpl_splice_picture_length(const struct xpl_splice_picture *picture);
/** Valid until the next one. */
struct xpl_text xpl_splice_picture_text(const struct xpl_splice_picture *picture, uint64_t mask);

/** The same picture as a file. */
size_t xpl_splice_picture_file_size(const struct xpl_splice_picture *picture);
void xpl_splice_picture_file(const struct xpl_splice_picture *picture, uint64_t mask, char *out);

/** The same as JPEG; its length. */
size_t xpl_splice_picture_jpeg_max(const struct xpl_splice_picture *picture);
size_t xpl_splice_picture_jpeg(const struct xpl_splice_picture *picture, uint64_t mask, char *out);

#endif
