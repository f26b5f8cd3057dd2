/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/scoring_test.h"

#include <math.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/scoring/requests/splice.h"

/* A picture with its request, labels, fill and splicer. */
struct scene {
    struct xpl_arena *arena;
    struct xpl_request *request;
    struct xpl_pixels *image, *fill;
    uint16_t *labels;
    uint32_t n_segments;
    struct xpl_splicer *splicer;
};

static size_t n_pixels(const struct scene *s)
{
    return (size_t)s->image->height * s->image->width;
}

/* Labels in vertical stripes two pixels wide; the fill is `fill_of` for each number. */
static struct scene scene_of(struct xpl_arena *arena, const char *text, uint32_t image, enum xpl_wire_format wire,
                             double (*fill_of)(size_t label, double value))
{
    struct scene s = {.arena = arena, .n_segments = 3};
    struct xpl_error err = {0};

    assert_int_equal(xpl_request_read(arena, xpl_text_of(text), NULL, &xpl_decode_in_process, &s.request, &err),
                     XPL_OK);
    assert_int_equal(xpl_request_pixels(arena, s.request, image, &s.image, &err), XPL_OK);
    s.labels = XPL_NEW_ARRAY(arena, uint16_t, n_pixels(&s));
    s.fill = xpl_arena_copy(arena, s.image, sizeof *s.image);
    s.fill->values = XPL_NEW_ARRAY(arena, double, xpl_pixels_count(s.image));
    for (size_t i = 0; i < n_pixels(&s); i++)
        s.labels[i] = (uint16_t)(i % s.image->width / 2 % s.n_segments);
    for (size_t i = 0; i < xpl_pixels_count(s.image); i++)
        s.fill->values[i] = fill_of(s.labels[i / s.image->channels], s.image->values[i]);
    if (xpl_splicer_new(arena, s.request, image, &(struct xpl_wire){.format = wire}, s.labels, s.n_segments, s.fill,
                        &s.splicer, &err))
        fail_msg("%s", err.message);
    return s;
}

/* Read in pieces of any size it is the same, and ends where it should. */
static void assert_pieces(const struct xpl_splicer *splicer, const uint64_t *masks, size_t n, struct xpl_text whole)
{
    struct xpl_splice_stream stream;
    char piece[64];

    if (!xpl_splice_streams(splicer, XPL_BODY_JSON))
        return;
    for (size_t size = 1; size < sizeof piece; size = size * 3 + 1) {
        size_t at = 0, length;

        xpl_splice_begin(&stream, splicer, masks, n);
        while ((length = xpl_splice_read(&stream, piece, size)) > 0) {
            assert_true(at + length <= whole.length && (length == size || at + length == whole.length));
            assert_memory_equal(piece, whole.ptr + at, length);
            at += length;
        }
        assert_int_equal(at, whole.length);
    }
}

static struct xpl_text body_of(const struct scene *s, uint64_t mask)
{
    size_t max = xpl_splice_max(s->splicer, 1), length;
    char *out = malloc(max); /* exactly: a sanitizer sees a write behind it */

    assert_non_null(out);
    length = xpl_splice(s->splicer, &mask, 1, out);
    assert_true(length <= max);
    assert_int_equal(length, xpl_splice_length(s->splicer, &mask, 1));
    assert_pieces(s->splicer, &mask, 1, (struct xpl_text){out, length});
    return (struct xpl_text){out, length};
}

static void assert_body(const struct scene *s, uint64_t mask, const char *expected)
{
    struct xpl_text body = body_of(s, mask);

    if (body.length != strlen(expected) || memcmp(body.ptr, expected, body.length) != 0)
        fail_msg("body is %.*s, expected %s", (int)body.length, body.ptr, expected);
    free_copy(body);
}

static void assert_body_reads_back(const struct scene *s, uint64_t mask)
{
    struct xpl_text body = body_of(s, mask);
    struct xpl_request *request;
    struct xpl_pixels *pixels;
    struct xpl_error err = {0};

    if (xpl_request_read(s->arena, body, NULL, &xpl_decode_in_process, &request, &err) ||
        xpl_request_pixels(s->arena, request, 0, &pixels, &err))
        fail_msg("%s in %.*s", err.message, (int)body.length, body.ptr);
    assert_int_equal(request->n_images, 1);
    assert_int_equal(pixels->height, s->image->height);
    assert_int_equal(pixels->width, s->image->width);
    assert_int_equal(pixels->channels, s->image->channels);
    for (size_t i = 0; i < xpl_pixels_count(pixels); i++) {
        bool on = mask >> s->labels[i / pixels->channels] & 1;

        if (pixels->values[i] != (on ? s->image->values[i] : s->fill->values[i]))
            fail_msg("number %zu is %.17g with mask %x", i, pixels->values[i], (unsigned)mask);
    }
    free_copy(body);
}

static double seven(size_t label, double value)
{
    (void)value;
    return 7 + (double)label;
}

static double third(size_t label, double value)
{
    return value / 3 + (double)label * 1e-7;
}

static const char *const singles[] = {
    "{\"values\":[[[[1,2,3],[4,5,6],[7,8,9]],[[10,11,12],[13,14,15],[16,17,18]]]]}",
    "{\"input_data\":[{\"values\":[[[[1,2,3],[4,5,6],[7,8,9]]]]}]}",
    " {\"id\":\"a\",\n \"values\" : [ \n [ [ [ 1 , 2 , 3 ] ,\t[4,5,6 ] , [7,8,9]] , [[1,2,3],[4,5,6],[7,8,9] ] ] ] } "
    "\n",
    "{\"values\":[[[0.10,1.50e1,-0.0],[4,5,6]]],\"after\":{\"x\":[1]}}",
    "{\"fields\":[\"n\",\"image\"],\"values\":[[\"x\",[[[1],[2],[3],[4],[5],[6],[7]]]]]}",
    "{\"values\": [[ [[[1,2,3,4],[5,6,7,8]],[[1,2,3,4],[5,6,7,8]]] ]]}",
};

static void with_every_part_on_the_body_is_the_logged_request(void **state)
{
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        struct scene s = scene_of(*state, singles[i], 0, XPL_WIRE_AS_LOGGED, third);

        assert_body(&s, 7, singles[i]);
        assert_body(&s, UINT64_MAX, singles[i]);
    }
}

static void the_body_of_every_mask_reads_back_as_the_right_pixels(void **state)
{
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        struct scene mean = scene_of(*state, singles[i], 0, XPL_WIRE_AS_LOGGED, seven);

        for (uint64_t mask = 0; mask < 8; mask++)
            assert_body_reads_back(&mean, mask);
    }
}

static void parts_switched_off_show_the_fill_and_the_others_their_own_bytes(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[[1,2,3],[ 4.0,5,6],[7,8,9e0]]]]}", 0, XPL_WIRE_AS_LOGGED, seven);

    assert_body(&s, 1, "{\"values\":[[[[1,2,3],[ 4.0,5,6],[8,8,8]]]]}");
    assert_body(&s, 2, "{\"values\":[[[[7,7,7],[ 7,7,7],[7,8,9e0]]]]}");
}

static void a_grey_picture_without_channel_axis_keeps_its_form(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[1, 2,3],[4 ,5,6]]]}", 0, XPL_WIRE_AS_LOGGED, seven);

    assert_body(&s, 2, "{\"values\":[[[7, 7,3],[7 ,7,6]]]}");
    assert_body(&s, 1, "{\"values\":[[[1, 2,8],[4 ,5,8]]]}");
}

static double tenth(size_t label, double value)
{
    (void)value;
    return label == 0 ? 0.1 : label == 1 ? 1.0 / 3 : 1e-7;
}

static void fill_numbers_are_as_short_as_they_can_be(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[0.5,0.5,0.5,0.5,0.5,0.5]]]}", 0, XPL_WIRE_AS_LOGGED, tenth);

    assert_body(&s, 0, "{\"values\":[[[0.1,0.1,0.3333333333333333,0.3333333333333333,1e-07,1e-07]]]}");
}

static double float32(size_t label, double value)
{
    (void)value;
    return (double)(float)(0.1 + 0.3 * (double)label);
}

static void fill_numbers_read_back_exactly(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[0.5,0.5,0.5,0.5,0.5,0.5]]]}", 0, XPL_WIRE_AS_LOGGED, float32);

    for (uint64_t mask = 0; mask < 8; mask++)
        assert_body_reads_back(&s, mask);
}

static double minus_nothing(size_t label, double value)
{
    (void)value;
    return label ? -0.4 : 2.6;
}

static void the_fill_of_an_integer_picture_is_written_as_integers(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[10,20,30,40]]]}", 0, XPL_WIRE_AS_LOGGED, minus_nothing);

    assert_body(&s, 0, "{\"values\":[[[3,3,0,0]]]}");
}

static double huge(size_t label, double value)
{
    (void)label, (void)value;
    return 1e300;
}

static void a_huge_fill_is_written_in_few_bytes(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[10,20]]]}", 0, XPL_WIRE_AS_LOGGED, huge);

    assert_body(&s, 0, "{\"values\":[[[1e+300,1e+300]]]}");
}

static void other_images_of_the_request_are_left_out(void **state)
{
    static const char text[] =
        "{\"fields\":[\"a\",\"b\"],\"values\":[ [1,[[1,2]]], [2,[[3,4]]] ,[3,[[5,6]]] ],\"z\":0}";

    for (uint32_t i = 0; i < 3; i++) {
        struct scene s = scene_of(*state, text, i, XPL_WIRE_AS_LOGGED, seven);
        char expected[128];

        snprintf(expected, sizeof expected, "{\"fields\":[\"a\",\"b\"],\"values\":[ [%u,[[%u,%u]]] ],\"z\":0}", i + 1,
                 2 * i + 1, 2 * i + 2);
        assert_body(&s, 1, expected);
        assert_body_reads_back(&s, 0);
    }
}

static void a_plain_request_is_wrapped_for_wml_v4(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[1,2]]]}", 0, XPL_WIRE_WML_V4, seven);

    assert_body(&s, 1, "{\"input_data\":[{\"values\":[[[1,2]]]}]}");
    assert_body(&s, 0, "{\"input_data\":[{\"values\":[[[7,7]]]}]}");
}

static void a_wml_v4_request_is_not_wrapped_again(void **state)
{
    struct scene s = scene_of(*state, "{\"input_data\":[{\"values\":[[[1,2]]]}]}", 0, XPL_WIRE_WML_V4, seven);

    assert_body(&s, 1, "{\"input_data\":[{\"values\":[[[1,2]]]}]}");
}

static void labels_and_fills_that_do_not_fit_are_refused(void **state)
{
    struct scene s = scene_of(*state, "{\"values\":[[[1,2]]]}", 0, XPL_WIRE_AS_LOGGED, seven);
    struct xpl_splicer *splicer = NULL;
    struct xpl_pixels narrow = *s.fill;

    narrow.width = 1;
    assert_int_equal(xpl_splicer_new(*state, s.request, 0, NULL, s.labels, 0, s.fill, &splicer, NULL), XPL_INTERNAL);
    assert_int_equal(xpl_splicer_new(*state, s.request, 0, NULL, s.labels, 65, s.fill, &splicer, NULL), XPL_INTERNAL);
    assert_int_equal(xpl_splicer_new(*state, s.request, 0, NULL, s.labels, 1, &narrow, &splicer, NULL), XPL_INTERNAL);
    s.labels[1] = 1;
    assert_int_equal(xpl_splicer_new(*state, s.request, 0, NULL, s.labels, 1, s.fill, &splicer, NULL), XPL_INTERNAL);
    s.labels[1] = 0;
    s.fill->values[1] = INFINITY;
    assert_int_equal(xpl_splicer_new(*state, s.request, 0, NULL, s.labels, 1, s.fill, &splicer, NULL), XPL_INTERNAL);
    assert_null(splicer);
}

static void several_masks_make_a_row_each(void **state)
{
    static const char text[] = "{\"fields\":[\"a\",\"b\"],\"values\":[ [1,[[1,2]]], [2,[[3,4]] ] ],\"z\":0}";
    struct scene s = scene_of(*state, text, 1, XPL_WIRE_WML_V4, seven);
    const uint64_t masks[] = {1, 0, 1};
    static const char expected[] = "{\"input_data\":[{\"fields\":[\"a\",\"b\"],\"values\":[ [2,[[3,4]] ],[2,[[7,7]] ],"
                                   "[2,[[3,4]] ] ],\"z\":0}]}";
    char out[sizeof expected];

    assert_true(xpl_splice_max(s.splicer, 3) <= sizeof out - 1);
    assert_int_equal(xpl_splice(s.splicer, masks, 3, out), sizeof out - 1);
    assert_int_equal(xpl_splice_length(s.splicer, masks, 3), sizeof out - 1);
    assert_memory_equal(out, expected, sizeof out - 1);
}

/* A request with pictures of random size, numbers in random forms and random blanks. */
static void random_blanks(struct xpl_stream *random, struct xpl_buf *out)
{
    static const char *const blanks[] = {"", "", "", "", "", " ", "\n", "\t ", "\r\n"};

    xpl_buf_string(out, blanks[xpl_stream_next(random) % 9]);
}

static void random_number(struct xpl_stream *random, struct xpl_buf *out)
{
    double value = (double)(xpl_stream_next(random) % 100000) / 1000 - 20;
    uint64_t form = xpl_stream_next(random) % 4;

    if (form == 0)
        xpl_buf_printf(out, "%.0f", value);
    else if (form == 1)
        xpl_buf_printf(out, "%.3f", value);
    else if (form == 2)
        xpl_buf_printf(out, "%.2e", value);
    else
        xpl_buf_printf(out, "%.17g", value);
}

static void random_list(struct xpl_stream *random, struct xpl_buf *out, const uint32_t *shape, unsigned depth)
{
    random_blanks(random, out);
    if (depth == 0) {
        random_number(random, out);
        random_blanks(random, out);
        return;
    }
    xpl_buf_string(out, "[");
    for (uint32_t i = 0; i < shape[0]; i++) {
        if (i)
            xpl_buf_string(out, ",");
        random_list(random, out, shape + 1, depth - 1);
    }
    xpl_buf_string(out, "]");
    random_blanks(random, out);
}

static void random_pictures_survive_splicing(void **state)
{
    const uint8_t seed[XPL_HASH_BYTES] = {4};
    struct xpl_stream random;

    xpl_stream_start(&random, seed);
    for (int i = 0; i < 200; i++) {
        XPL_AUTO(xpl_buf) text = xpl_buf_new(1 << 20);
        static const uint32_t channels[] = {1, 3, 4};
        const uint32_t shape[] = {1 + (uint32_t)(xpl_stream_next(&random) % 7),
                                  2 + (uint32_t)(xpl_stream_next(&random) % 9), channels[xpl_stream_next(&random) % 3]};
        unsigned depth = 2 + xpl_stream_next(&random) % 2;
        struct scene s;

        assert_non_null(text);
        xpl_buf_string(text, "{\"input_data\":[{\"values\":[");
        random_list(&random, text, shape, depth);
        xpl_buf_string(text, "]}]}");
        s = scene_of(*state, text->data, 0, XPL_WIRE_AS_LOGGED, third);
        assert_body(&s, 7, text->data);
        if (!s.fill->integers)
            assert_body_reads_back(&s, xpl_stream_next(&random) % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(with_every_part_on_the_body_is_the_logged_request),
        SCORING_TEST(the_body_of_every_mask_reads_back_as_the_right_pixels),
        SCORING_TEST(parts_switched_off_show_the_fill_and_the_others_their_own_bytes),
        SCORING_TEST(a_grey_picture_without_channel_axis_keeps_its_form),
        SCORING_TEST(fill_numbers_are_as_short_as_they_can_be),
        SCORING_TEST(fill_numbers_read_back_exactly),
        SCORING_TEST(the_fill_of_an_integer_picture_is_written_as_integers),
        SCORING_TEST(a_huge_fill_is_written_in_few_bytes),
        SCORING_TEST(other_images_of_the_request_are_left_out),
        SCORING_TEST(several_masks_make_a_row_each),
        SCORING_TEST(a_plain_request_is_wrapped_for_wml_v4),
        SCORING_TEST(a_wml_v4_request_is_not_wrapped_again),
        SCORING_TEST(labels_and_fills_that_do_not_fit_are_refused),
        SCORING_TEST(random_pictures_survive_splicing),
    };

    return cmocka_run_group_tests_name("scoring/splice", tests, NULL, NULL);
}
