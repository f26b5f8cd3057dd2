/* SPDX-License-Identifier: Apache-2.0 */
/* The families of model servers: where each has its images, and the bodies that are made for it. */
#include "tests/unit/scoring/scoring_test.h"

#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/image/png_stored.h"
#include "lib/scoring/requests/image_text.h"
#include "lib/scoring/requests/sample_request.h"
#include "lib/scoring/requests/splice.h"

#define RGB    "[[[1,2,3],[4,5,6]],[[7,8,9],[10,11,12]]]"       /* 2 x 2 x 3 */
#define CHW    "[[[1,4],[7,10]],[[2,5],[8,11]],[[3,6],[9,12]]]" /* the same, 3 x 2 x 2 */
#define FLAT   "1,2,3,4,5,6,7,8,9,10,11,12"
#define PLANES "1,4,7,10,2,5,8,11,3,6,9,12"

static struct xpl_request *read_with(struct xpl_arena *arena, const char *text, const struct xpl_request_hints *hints)
{
    struct xpl_request *request = NULL;
    struct xpl_error err = {0};

    if (xpl_request_read(arena, xpl_text_of(text), hints, &xpl_decode_in_process, &request, &err))
        fail_msg("%s: %s %s", text, err.field, err.message);
    return request;
}

/* Every image of the request is the one above. */
static void assert_image(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index)
{
    struct xpl_pixels *pixels = NULL;

    assert_int_equal(xpl_request_pixels(arena, request, index, &pixels, NULL), XPL_OK);
    assert_int_equal(pixels->height, 2);
    assert_int_equal(pixels->width, 2);
    assert_int_equal(pixels->channels, 3);
    for (int i = 0; i < 12; i++)
        assert_true(pixels->values[i] == i + 1);
}

struct family {
    const char *text;
    enum xpl_request_shape shape;
    uint32_t n_images;
    bool one_row;
    struct xpl_request_hints hints;
};

static const struct family families[] = {
    {"{\"instances\":[" RGB "]}", XPL_REQUEST_INSTANCES, 1, false, {0}},
    {"{\"signature_name\":\"serving_default\",\"instances\":[" RGB "," RGB "]}", XPL_REQUEST_INSTANCES, 2, false, {0}},
    {"{\"instances\":[" CHW "]}", XPL_REQUEST_INSTANCES, 1, false, {0}},
    {"{\"instances\":[{\"input_1\":" RGB ",\"key\":7}]}", XPL_REQUEST_INSTANCES, 1, false, {0}},
    {"{\"instances\":[[" FLAT "]]}", XPL_REQUEST_INSTANCES, 1, false, {.height = 2, .width = 2, .channels = 3}},
    {"{\"instances\":[[" PLANES "]]}",
     XPL_REQUEST_INSTANCES,
     1,
     false,
     {.layout = XPL_LAYOUT_CHW, .height = 2, .width = 2, .channels = 3}},
    {"{\"inputs\":[" RGB "]}", XPL_REQUEST_COLUMNS, 1, false, {0}},
    {"{\"inputs\":{\"image\":[" RGB "," RGB "]}}", XPL_REQUEST_COLUMNS, 2, false, {0}},
    {"{\"inputs\":{\"image\":[" RGB "],\"threshold\":[0.5]}}", XPL_REQUEST_COLUMNS, 1, true, {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[1,2,2,3],\"datatype\":\"FP32\",\"data\":[" FLAT "]}]}",
     XPL_REQUEST_TENSOR,
     1,
     false,
     {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"data\":[" FLAT "," FLAT "],\"datatype\":\"FP32\",\"shape\":[2,2,2,3]}]}",
     XPL_REQUEST_TENSOR,
     2,
     false,
     {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[1,3,2,2],\"datatype\":\"FP32\",\"data\":[" PLANES "]}]}",
     XPL_REQUEST_TENSOR,
     1,
     false,
     {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[2,2,2,3],\"datatype\":\"UINT8\",\"data\":[" RGB "," RGB "]}]}",
     XPL_REQUEST_TENSOR,
     2,
     false,
     {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[2,2,3],\"datatype\":\"FP32\",\"data\":[" FLAT "]}]}",
     XPL_REQUEST_TENSOR,
     1,
     true,
     {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[2,2,3],\"datatype\":\"FP32\",\"data\":" RGB "}]}",
     XPL_REQUEST_TENSOR,
     1,
     true,
     {0}},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[2,12],\"datatype\":\"FP32\",\"data\":[" FLAT "," FLAT "]}]}",
     XPL_REQUEST_TENSOR,
     2,
     false,
     {.height = 2, .width = 2, .channels = 3}},
    {"{\"inputs\":[{\"name\":\"k\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[5]},"
     "{\"name\":\"x\",\"shape\":[1,2,2,3],\"datatype\":\"FP32\",\"data\":[" FLAT "]}]}",
     XPL_REQUEST_TENSOR,
     1,
     true,
     {0}},
    {"{\"input_data\":{\"data\":[" RGB "]}}", XPL_REQUEST_OTHER, 1, false, {0}},
    {"{\"input_data\":{\"columns\":[\"image\"],\"index\":[0],\"data\":[" RGB "]}}", XPL_REQUEST_OTHER, 1, true, {0}},
    {"{\"input\":[{\"image\":" RGB "}]}", XPL_REQUEST_OTHER, 1, false, {0}},
    {"{\"user\":\"me\",\"payload\":{\"img\":" RGB "}}", XPL_REQUEST_OTHER, 1, true, {0}},
    {"[" RGB "," RGB "]", XPL_REQUEST_OTHER, 2, false, {0}},
    {" [ " RGB " ] ", XPL_REQUEST_OTHER, 1, false, {0}},
    {RGB, XPL_REQUEST_OTHER, 1, true, {0}},
    {"{\"inputs\":{\"age\":[[42]],\"image\":[" RGB "],\"box\":[[0,0,2,2]]}}", XPL_REQUEST_COLUMNS, 1, true, {0}},
    {"{\"messages\":[{\"role\":\"system\",\"content\":\"x\"},{\"role\":\"user\",\"content\":[{\"text\":\"y\"},"
     "{\"image\":" RGB "}]}]}",
     XPL_REQUEST_OTHER,
     1,
     true,
     {0}},
    {"{\"messages\":[{\"content\":[{\"image\":" RGB "},{\"text\":\"y\"}]}]}", XPL_REQUEST_OTHER, 1, true, {0}},
    {"{\"messages\":[{\"content\":[{\"image\":" RGB "}]}]}", XPL_REQUEST_OTHER, 1, false, {0}},
    {"{\"input\":[{\"image\":" RGB "},{\"image\":" RGB "}]}", XPL_REQUEST_OTHER, 2, false, {0}},
};

static void the_images_of_every_family_are_found(void **state)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct family *f = &families[i];
        struct xpl_request *request = read_with(*state, f->text, &f->hints);

        if (request->shape != f->shape || request->n_images != f->n_images || request->one_row != f->one_row)
            fail_msg("%s: shape %d, %u images, one row %d", f->text, (int)request->shape, request->n_images,
                     request->one_row);
        for (uint32_t k = 0; k < request->n_images; k++)
            assert_image(*state, request, k);
    }
}

static void three_equal_axes_follow_the_layout_that_is_said(void **state)
{
    static const char text[] = "{\"instances\":[[[[1,2,3],[4,5,6],[7,8,9]],[[1,2,3],[4,5,6],[7,8,9]],"
                               "[[1,2,3],[4,5,6],[7,8,9]]]]}";
    static const struct xpl_request_hints first = {.layout = XPL_LAYOUT_CHW};

    assert_int_equal(read_with(*state, text, NULL)->images[0].form, XPL_FORM_HWC);
    assert_int_equal(read_with(*state, text, &first)->images[0].form, XPL_FORM_CHW);
}

struct refused {
    const char *text, *field, *says;
};

static const struct refused refusals[] = {
    {"{\"instances\":[]}", "instances", "1 to 10000"},
    {"{\"instances\":[{\"a\":1}]}", "instances[0]", "base64"},
    {"{\"instances\":[{\"b64\":\"data:,/9j/\"}]}", "instances[0]", "base64"},
    {"{\"instances\":[{\"b64\":\"/9j/-_-_\"}]}", "instances[0]", "not base64"},
    {"{\"pixels\":[[{\"r\":1,\"g\":2,\"b\":3}]]}", "", "H x W x C"},
    {"{\"instances\":[{\"b64\":\"aGVsbG8=\"}]}", "instances[0]", "base64"},
    {"{\"instances\":[{\"b64\":\"iVBORw0KGgo=\"}]}", "instances[0]", "neither"},
    {"{\"instances\":[{\"b64\":\"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAA\"}]}", "instances[0]", "broken PNG"},
    {"{\"instances\":[{\"b64\":\"/9j/!!!!\"}]}", "instances[0]", "not base64"},
    {"{\"instances\":[{\"a\":" RGB ",\"b\":" RGB "}]}", "instances[0]", "several"},
    {"{\"instances\":[[" FLAT "," FLAT "," FLAT "," FLAT "]]}", "instances[0]", "explaind.shape"},
    {"{\"a\":" RGB ",\"b\":" RGB "}", "", "several images in different places"},
    {"{\"messages\":[{\"image\":" RGB "},{\"text\":\"x\"},{\"image\":" RGB "}]}", "",
     "several images in different places"},
    {"{\"inputs\":{\"age\":[[42],[43]],\"image\":[" RGB "," RGB "]}}", "inputs", "log a record for each"},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[1,2,2,3],\"datatype\":\"FP32\",\"data\":[1,2,3]}]}", "inputs[0].data",
     "says 12"},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[1,2,2,5],\"datatype\":\"FP32\",\"data\":[" FLAT "]}]}", "inputs[0].data",
     "2 x 2 x 5"},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[9,9,9,9,9],\"datatype\":\"FP32\",\"data\":[1]}]}", "inputs[0]", "shape"},
    {"{\"inputs\":[{\"name\":\"x\",\"shape\":[1,2,2,3],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":48}}]"
     "}",
     "inputs[0]", "binary"},
    {"{\"inputs\":{\"image\":[" RGB "," RGB "],\"threshold\":[0.5,0.5]}}", "inputs", "log a record for each"},
};

static void requests_without_one_place_for_images_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct xpl_request *request = NULL;
        struct xpl_error err = {0};
        enum xpl_status st =
            xpl_request_read(*state, xpl_text_of(refusals[i].text), NULL, &xpl_decode_in_process, &request, &err);

        if (st != XPL_BAD_RECORD || strcmp(err.field, refusals[i].field) != 0 || !strstr(err.message, refusals[i].says))
            fail_msg("%s: status %d, field \"%s\", \"%s\"", refusals[i].text, (int)st, err.field, err.message);
    }
}

/* ---- bodies ---- */

/* Left column and right column are the two segments; the fill is -1, -2 and -3 by channel. */
static struct xpl_splicer *splicer_of(struct xpl_arena *arena, const struct xpl_request *request,
                                      const struct xpl_wire *wire, bool bytes)
{
    static const uint16_t labels[] = {0, 1, 0, 1};
    struct xpl_pixels *fill = NULL;
    struct xpl_splicer *splicer = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_request_pixels(arena, request, 0, &fill, &err), XPL_OK);
    for (size_t i = 0; i < 12; i++)
        fill->values[i] = bytes ? 100 + (double)(i % 3) : -1 - (double)(i % 3);
    if (xpl_splicer_new(arena, request, 0, wire, labels, 2, fill, &splicer, &err))
        fail_msg("%s", err.message);
    return splicer;
}

static struct xpl_text body_of(struct xpl_arena *arena, const struct xpl_splicer *splicer, const uint64_t *masks,
                               size_t n)
{
    char *body = malloc(xpl_splice_max(splicer, n)), *copy;
    size_t length = xpl_splice(splicer, masks, n, body);

    assert_true(length <= xpl_splice_max(splicer, n));
    assert_int_equal(length, xpl_splice_length(splicer, masks, n));
    copy = xpl_arena_string_n(arena, body, length);
    free(body);
    return (struct xpl_text){copy, length};
}

struct body {
    const char *text;
    enum xpl_wire_format wire;
    const char *expected; /* of the masks 01 and 11 */
};

#define LEFT "[[[1,2,3],[-1,-2,-3]],[[7,8,9],[-1,-2,-3]]]"

static const struct body bodies[] = {
    {"{\"instances\":[" RGB "],\"x\":1}", XPL_WIRE_AS_LOGGED, "{\"instances\":[" LEFT "," RGB "],\"x\":1}"},
    {"{\"instances\":[{\"k\":7,\"i\":" RGB "}]}", XPL_WIRE_INSTANCES,
     "{\"instances\":[{\"k\":7,\"i\":" LEFT "},{\"k\":7,\"i\":" RGB "}]}"},
    {"{\"instances\":[" CHW "]}", XPL_WIRE_AS_LOGGED,
     "{\"instances\":[[[[1,-1],[7,-1]],[[2,-2],[8,-2]],[[3,-3],[9,-3]]]," CHW "]}"},
    {"{\"inputs\":[{\"shape\":[ 1 ,2,2,3],\"data\":[" FLAT "],\"name\":\"x\"}]}", XPL_WIRE_TENSOR,
     "{\"inputs\":[{\"shape\":[ 2 ,2,2,3],\"data\":[1,2,3,-1,-2,-3,7,8,9,-1,-2,-3," FLAT "],\"name\":\"x\"}]}"},
    {"{\"inputs\":[{\"data\":[" FLAT "," FLAT "],\"shape\":[2,2,2,3]}]}", XPL_WIRE_AS_LOGGED,
     "{\"inputs\":[{\"data\":[1,2,3,-1,-2,-3,7,8,9,-1,-2,-3," FLAT "],\"shape\":[2,2,2,3]}]}"},
    {"{\"values\":[" RGB "]}", XPL_WIRE_INSTANCES, "{\"instances\":[" LEFT "," RGB "]}"},
    {"{\"values\":[" RGB "]}", XPL_WIRE_VALUES, "{\"values\":[" LEFT "," RGB "]}"},
    {"{\"input_data\":[{\"values\":[" RGB "]}]}", XPL_WIRE_VALUES, "{\"values\":[" LEFT "," RGB "]}"},
    {"{\"input_data\":[{\"values\":[" RGB "]}]}", XPL_WIRE_INSTANCES, "{\"instances\":[" LEFT "," RGB "]}"},
    {"{\"values\":[" RGB "]}", XPL_WIRE_TENSOR,
     "{\"inputs\":[{\"name\":\"input-0\",\"shape\":[2,2,2,3],\"datatype\":\"FP32\",\"data\":[" LEFT "," RGB "]}]}"},
};

static void bodies_have_the_frame_that_was_logged_or_that_the_model_wants(void **state)
{
    static const uint64_t masks[] = {1, 3};

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const struct xpl_wire wire = {.format = bodies[i].wire};
        struct xpl_request *request = read_with(*state, bodies[i].text, NULL);
        struct xpl_text body = body_of(*state, splicer_of(*state, request, &wire, false), masks, 2);

        if (!xpl_text_equal(body, bodies[i].expected))
            fail_msg("%s: %s", bodies[i].text, body.ptr);
    }
}

static void requests_with_other_rows_take_one_image(void **state)
{
    struct xpl_request *request = read_with(*state, "{\"inputs\":{\"image\":[" RGB "],\"threshold\":[0.5]}}", NULL);

    assert_int_equal(xpl_splice_max_rows(splicer_of(*state, request, NULL, false)), 1);
    request = read_with(*state, "{\"instances\":[" RGB "]}", NULL);
    assert_true(xpl_splice_max_rows(splicer_of(*state, request, NULL, false)) > 64);
}

/* ---- encoded pictures ---- */

static const uint8_t picture[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void encoded_pictures_are_found_and_sent_as_png(void **state)
{
    static const uint64_t masks[] = {3, 1};
    static const uint8_t expected[] = {1, 2, 3, 100, 101, 102, 7, 8, 9, 100, 101, 102};

    for (size_t i = 0; xpl_sample_formats[i].name; i++) {
        const struct xpl_sample_format format = {.name = xpl_sample_formats[i].name};
        struct xpl_request *request, *again;
        struct xpl_pixels *pixels;
        struct xpl_text text = {0}, body;
        struct xpl_splicer *splicer;
        uint32_t n;

        assert_int_equal(xpl_sample_request(*state, &format, picture, 2, 2, 3, &text, NULL), XPL_OK);
        request = read_with(*state, text.ptr, NULL);
        assert_image(*state, request, 0);
        splicer = splicer_of(*state, request, NULL, true);
        n = xpl_splice_max_rows(splicer) < 2 ? 1 : 2;
        body = body_of(*state, splicer, masks + 2 - n, n);
        again = read_with(*state, body.ptr, NULL);
        assert_int_equal(again->n_images, n);
        if (n == 2)
            assert_image(*state, again, 0);
        assert_int_equal(xpl_request_pixels(*state, again, n - 1, &pixels, NULL), XPL_OK);
        for (int k = 0; k < 12; k++)
            assert_true(pixels->values[k] == expected[k]);
    }
}

/* How the picture below can be written, and what of it is kept in the variations. */
struct writing {
    const char *prefix, *kept_prefix;
    enum xpl_base64_kind kind;
    const char *slash, *line_break; /* for each '/', and behind every 20 letters */
};

static const struct writing writings[] = {
    {"", "", XPL_BASE64_PADDED, "/", ""},
    {"data:image\\/png;base64,", "data:image/png;base64,", XPL_BASE64_PADDED, "\\/", ""},
    {"data:image/jpeg;base64,", "data:image/png;base64,", XPL_BASE64_PADDED, "/", ""},
    {"data:image/png;charset=utf-8;base64,", "data:image/png;charset=utf-8;base64,", XPL_BASE64_PADDED, "/", ""},
    {"DATA:IMAGE/PNG;BASE64,", "DATA:IMAGE/PNG;BASE64,", XPL_BASE64_PADDED, "/", ""},
    {"data:;base64,", "data:;base64,", XPL_BASE64_PADDED, "/", ""},
    {"data:application/octet-stream;base64,", "data:application/octet-stream;base64,", XPL_BASE64_URL_PADDED, "/", ""},
    {"", "", XPL_BASE64_PADDED, "/", "\\n"},
    {"", "", XPL_BASE64_PADDED, "\\/", "\\r\\n"},
    {"", "", XPL_BASE64_UNPADDED, "/", ""},
    {"", "", XPL_BASE64_URL_PADDED, "/", "\\n"},
    {"data:image/png;base64,", "data:image/png;base64,", XPL_BASE64_URL_UNPADDED, "/", ""},
};

static struct xpl_text written(struct xpl_arena *arena, const struct writing *how, const uint8_t *png, size_t size)
{
    XPL_AUTO(xpl_buf) text = xpl_buf_new(4096);
    char letters[512];
    unsigned n = 0;

    assert_true(xpl_base64_length_as(how->kind, size) < sizeof letters);
    xpl_base64_write_as(how->kind, png, size, letters);
    assert_non_null(strpbrk(letters, "+/-_")); /* which alphabet it is can be seen */
    xpl_buf_printf(text, "{\"img\":\"%s", how->prefix);
    for (const char *c = letters; *c; c++) {
        xpl_buf_string(text, *c == '/' ? how->slash : (const char[]){*c, '\0'});
        if (++n % 20 == 0)
            xpl_buf_string(text, how->line_break);
    }
    xpl_buf_string(text, "\"}");
    return xpl_text_of(xpl_arena_string(arena, text->data));
}

static void pictures_are_sent_as_they_were_written(void **state)
{
    const struct xpl_png_shape shape = {2, 2, 3};
    static const uint8_t lines[] = {0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12};
    const uint64_t all = 3;
    uint8_t png[256];
    size_t size = xpl_png_stored_size(&shape);

    assert_true(size <= sizeof png && size % 3 != 0); /* padding is needed */
    xpl_png_stored_write(&shape, lines, png);
    for (size_t i = 0; i < sizeof writings / sizeof *writings; i++) {
        const struct writing *how = &writings[i], same = {how->kept_prefix, NULL, how->kind, "/", ""};
        struct xpl_request *request = read_with(*state, written(*state, how, png, size).ptr, NULL);
        struct xpl_text body;

        assert_image(*state, request, 0);
        body = body_of(*state, splicer_of(*state, request, NULL, true), &all, 1);
        assert_string_equal(body.ptr, written(*state, &same, png, size).ptr);
    }
}

static void a_picture_cut_anywhere_is_refused_or_read(void **state)
{
    const struct xpl_sample_format format = {.name = "tf-serving-png"};
    struct xpl_text text = {0};

    assert_int_equal(xpl_sample_request(*state, &format, picture, 2, 2, 3, &text, NULL), XPL_OK);
    for (size_t n = 30; n + 4 < text.length; n++) {
        char *cut = xpl_arena_printf(*state, "%.*s\"}]}", (int)n, text.ptr);
        struct xpl_request *request = NULL;
        struct xpl_error err = {0};

        if (xpl_request_read(*state, xpl_text_of(cut), NULL, &xpl_decode_in_process, &request, &err))
            assert_true(*err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(the_images_of_every_family_are_found),
        SCORING_TEST(three_equal_axes_follow_the_layout_that_is_said),
        SCORING_TEST(requests_without_one_place_for_images_are_refused),
        SCORING_TEST(bodies_have_the_frame_that_was_logged_or_that_the_model_wants),
        SCORING_TEST(requests_with_other_rows_take_one_image),
        SCORING_TEST(encoded_pictures_are_found_and_sent_as_png),
        SCORING_TEST(pictures_are_sent_as_they_were_written),
        SCORING_TEST(a_picture_cut_anywhere_is_refused_or_read),
    };

    return cmocka_run_group_tests_name("scoring/request_formats", tests, NULL, NULL);
}
