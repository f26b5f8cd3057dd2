/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/scoring_test.h"

#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/scoring/requests/request.h"

#define PIXEL_ROWS "[[[1,2,3],[4,5,6]],[[7,8,9],[10,11,12]]]" /* 2 x 2 x 3 */

static struct xpl_request *read_ok(struct xpl_arena *arena, const char *text)
{
    struct xpl_request *request = NULL;
    struct xpl_error err = {0};
    enum xpl_status st = xpl_request_read(arena, xpl_text_of(text), NULL, &xpl_decode_in_process, &request, &err);

    if (st)
        fail_msg("%s: %s %s", text, err.field, err.message);
    return request;
}

static struct xpl_pixels *pixels_of(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index)
{
    struct xpl_pixels *pixels = NULL;
    struct xpl_error err = {0};

    assert_int_equal(xpl_request_pixels(arena, request, index, &pixels, &err), XPL_OK);
    return pixels;
}

static void assert_image(const struct xpl_request *request, uint32_t index, const char *text)
{
    const struct xpl_request_image *image = &request->images[index];

    assert_int_equal(image->length, strlen(text));
    assert_memory_equal(request->text.ptr + image->offset, text, image->length);
}

static void an_image_is_found_in_a_wml_v4_request(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"input_data\":[{\"values\":[" PIXEL_ROWS "]}]}");

    assert_int_equal(request->shape, XPL_REQUEST_WML_V4);
    assert_int_equal(request->n_images, 1);
    assert_image(request, 0, PIXEL_ROWS);
    assert_int_equal(request->images[0].height, 2);
    assert_int_equal(request->images[0].width, 2);
    assert_int_equal(request->images[0].channels, 3);
    assert_int_equal(request->images[0].form, XPL_FORM_HWC);
}

static void an_image_is_found_in_a_plain_request(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"values\":[" PIXEL_ROWS "]}");

    assert_int_equal(request->shape, XPL_REQUEST_PLAIN);
    assert_image(request, 0, PIXEL_ROWS);
}

static void every_image_of_a_request_is_found_in_order(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"values\":[" PIXEL_ROWS ", [[[0],[1]]] ,[[5,6]]]}");

    assert_int_equal(request->n_images, 3);
    assert_image(request, 0, PIXEL_ROWS);
    assert_image(request, 1, "[[[0],[1]]]");
    assert_int_equal(request->images[1].channels, 1);
    assert_image(request, 2, "[[5,6]]");
    assert_int_equal(request->images[2].form, XPL_FORM_HW);
}

static void the_only_array_cell_of_a_row_with_fields_is_the_image(void **state)
{
    static const char text[] = "{\"fields\":[\"name\",\"image\",\"n\"],\"values\":[[\"a]b\"," PIXEL_ROWS ",null]]}";
    struct xpl_request *request = read_ok(*state, text);

    assert_image(request, 0, PIXEL_ROWS);
    assert_int_equal(request->text.ptr[request->images[0].row_offset + 1], '"');
    assert_memory_equal(request->text.ptr + request->images[0].row_offset + request->images[0].row_length, "]}", 2);
}

static void rows_of_one_cell_are_unwrapped(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"values\":[[" PIXEL_ROWS "]]}");

    assert_image(request, 0, PIXEL_ROWS);
    assert_int_equal(request->images[0].row_offset + 1, request->images[0].offset);
}

static void rows_of_one_grey_cell_are_unwrapped_when_fields_say_so(void **state)
{
    struct xpl_request *request =
        read_ok(*state, "{\"input_data\":[{\"fields\":[\"image\"],\"values\":[[[[1,2,3],[4,5,6]]]]}]}");

    assert_image(request, 0, "[[1,2,3],[4,5,6]]");
    assert_int_equal(request->images[0].form, XPL_FORM_HW);
    assert_int_equal(request->images[0].height, 2);
    assert_int_equal(request->images[0].width, 3);
}

static void an_image_of_one_pixel_row_is_not_mistaken_for_a_cell(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"values\":[[[[1,2,3],[4,5,6]]]]}");

    assert_int_equal(request->images[0].height, 1);
    assert_int_equal(request->images[0].width, 2);
    assert_int_equal(request->images[0].channels, 3);
}

static void blanks_members_and_escapes_around_the_image_do_not_matter(void **state)
{
    struct xpl_request *request = read_ok(
        *state, " {\n\"id\" : \"x\\\"]}\" , \"input_data\" : [ { \"id\":7, \"values\" :\t[ [ [ [ 1 , 2 , 3 ] ] ] ]"
                " , \"more\":{\"values\":[]} } ] , \"last\": true } ");

    assert_image(request, 0, "[ [ [ 1 , 2 , 3 ] ] ]");
    assert_int_equal(request->images[0].channels, 3);
}

static void pixels_are_the_numbers_as_written(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"values\":[[[[0.5,-1,2.5e-1]],[[0.1,1E2,-0.0]]]]}");
    struct xpl_pixels *pixels = pixels_of(*state, request, 0);
    const double expected[] = {0.5, -1, 0.25, 0.1, 100, 0};

    assert_false(pixels->integers);
    assert_int_equal(xpl_pixels_count(pixels), 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(pixels->values[i] == expected[i]);
}

static void integer_pixels_are_known_as_integers(void **state)
{
    struct xpl_request *request = read_ok(*state, "{\"values\":[[[[0,128,255]]],[[[0,128.0,255]]]]}");

    assert_true(pixels_of(*state, request, 0)->integers);
    assert_false(pixels_of(*state, request, 1)->integers);
}

struct malformed {
    const char *text;
    enum xpl_status status;
    const char *field; /* NULL: none */
    const char *says;
};

static const struct malformed malformed[] = {
    {"", XPL_BAD_JSON, NULL, "byte 0"},
    {"[]", XPL_BAD_RECORD, NULL, "no image found"},
    {"7", XPL_BAD_JSON, NULL, "object"},
    {"{\"values\":[[[[1,2,3]]]]", XPL_BAD_JSON, NULL, "not valid JSON"},
    {"{\"values\":[[[[1,2,3]]]]} x", XPL_BAD_JSON, NULL, "after the end"},
    {"{\"values\":[[[[1,2,NaN]]]]}", XPL_BAD_JSON, NULL, "not valid JSON"},
    {"{\"values\":[[[[1,2,03]]]]}", XPL_BAD_JSON, NULL, "start with 0"},
    {"{}", XPL_BAD_RECORD, NULL, "input_data[0].values, values, instances"},
    {"{\"values\":\"x\"}", XPL_BAD_RECORD, NULL, "looked for"},
    {"{\"values\":[]}", XPL_BAD_RECORD, "values", "1 to"},
    {"{\"values\":[7]}", XPL_BAD_RECORD, "values[0]", "H x W x C"},
    {"{\"values\":[[]]}", XPL_BAD_RECORD, "values[0]", "no image"},
    {"{\"values\":[[1,2,3]]}", XPL_BAD_RECORD, "values[0]", "no image"},
    {"{\"values\":[[\"a\",null]]}", XPL_BAD_RECORD, "values[0]", "no image"},
    {"{\"values\":[[[[1,2,3]]],[[[1,2,3],[4,5]]]]}", XPL_BAD_RECORD, "values[1]", "differ in length"},
    {"{\"values\":[[[[1,2,3],[4,5,6]],[[7,8,9]]]]}", XPL_BAD_RECORD, "values[0]", "differ in length"},
    {"{\"values\":[[[1,2],[3]]]}", XPL_BAD_RECORD, "values[0]", "differ in length"},
    {"{\"values\":[[[[1,2],[3,4]],[[5,6],[7,8]]]]}", XPL_BAD_RECORD, "values[0]", "2 x 2 x 2"},
    {"{\"values\":[[[[1,2,3,4,5],[3,4,5,6,7]],[[5,6,7,8,9],[7,8,9,0,1]]]]}", XPL_BAD_RECORD, "values[0]", "2 x 2 x 5"},
    {"{\"values\":[[[[1,2,\"3\"]]]]}", XPL_BAD_RECORD, "values[0]", "than numbers"},
    {"{\"values\":[[[[1,2,3],4]]]}", XPL_BAD_RECORD, "values[0]", "than numbers"},
    {"{\"values\":[[[[1,null,3]],[[1,2,3]]]]}", XPL_BAD_RECORD, "values[0]", "than numbers"},
    {"{\"values\":[[[[1,2,1e999]]]]}", XPL_BAD_RECORD, "values[0]", "larger than 1e300"},
    {"{\"values\":[[[[1,2,-1.7e308]]]]}", XPL_BAD_RECORD, "values[0]", "larger than 1e300"},
    {"{\"values\":[[[],[]]]}", XPL_BAD_RECORD, "values[0]", "empty"},
    {"{\"values\":[[[[[[1,2,3]]]]]]}", XPL_BAD_RECORD, "values[0]", "nested 4 deep"},
    {"{\"values\":[[5,[[1,2],[3,4]],[[1,2],[3,4]]]]}", XPL_BAD_RECORD, "values[0]", "several cells"},
    {"{\"input_data\":{}}", XPL_BAD_RECORD, "input_data", "no image found"},
    {"{\"input_data\":7}", XPL_BAD_RECORD, "input_data", "array"},
    {"{\"input_data\":[]}", XPL_BAD_RECORD, "input_data", "empty"},
    {"{\"input_data\":[{\"values\":[[[[1,2,3]]]]},{\"values\":[[[[1,2,3]]]]}]}", XPL_BAD_RECORD, "input_data",
     "several"},
    {"{\"input_data\":[{\"values\":[[[[1,2]],[[1,2]]]]}]}", XPL_BAD_RECORD, "input_data[0].values[0]", "2 x 1 x 2"},
};

static void malformed_requests_are_refused_with_the_place_and_what_was_looked_for(void **state)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        const struct malformed *m = &malformed[i];
        struct xpl_text text = exact_copy(m->text);
        struct xpl_request *request = NULL;
        struct xpl_error err = {0};
        enum xpl_status st = xpl_request_read(*state, text, NULL, &xpl_decode_in_process, &request, &err);

        if (st != m->status || strcmp(err.field, m->field ? m->field : "") != 0 || !strstr(err.message, m->says))
            fail_msg("%s: status %d, field \"%s\", \"%s\"", m->text, (int)st, err.field, err.message);
        assert_null(request);
        free_copy(text);
    }
}

static void a_side_above_the_limit_is_refused(void **state)
{
    XPL_AUTO(xpl_buf) text = xpl_buf_new(1 << 20);
    struct xpl_request *request = NULL;
    struct xpl_error err = {0};

    assert_non_null(text);
    xpl_buf_string(text, "{\"values\":[[[0");
    for (unsigned i = 1; i <= XPL_IMAGE_MAX_SIDE; i++)
        xpl_buf_string(text, ",0");
    xpl_buf_string(text, "]]]}");
    assert_int_equal(xpl_request_read(*state, (struct xpl_text){text->data, text->length}, NULL, &xpl_decode_in_process,
                                      &request, &err),
                     XPL_BAD_RECORD);
    assert_non_null(strstr(err.message, "4096"));
}

/* Every text cut short is an error, and reading it stays inside of the text. */
static void a_request_cut_anywhere_is_refused(void **state)
{
    static const char whole[] =
        "{\"input_data\":[{\"fields\":[\"a\",\"b\"],\"values\":[[\"x\\u00e9\",[[[1,2.5,3],[4,5e1,6]]]]]}]}";

    read_ok(*state, whole);
    for (size_t n = 0; n + 1 < sizeof whole; n++) {
        char part[sizeof whole] = {0};
        struct xpl_request *request = NULL;
        struct xpl_text text;

        memcpy(part, whole, n);
        text = exact_copy(part);
        assert_int_not_equal(xpl_request_read(*state, text, NULL, &xpl_decode_in_process, &request, NULL), XPL_OK);
        free_copy(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(an_image_is_found_in_a_wml_v4_request),
        SCORING_TEST(an_image_is_found_in_a_plain_request),
        SCORING_TEST(every_image_of_a_request_is_found_in_order),
        SCORING_TEST(the_only_array_cell_of_a_row_with_fields_is_the_image),
        SCORING_TEST(rows_of_one_cell_are_unwrapped),
        SCORING_TEST(rows_of_one_grey_cell_are_unwrapped_when_fields_say_so),
        SCORING_TEST(an_image_of_one_pixel_row_is_not_mistaken_for_a_cell),
        SCORING_TEST(blanks_members_and_escapes_around_the_image_do_not_matter),
        SCORING_TEST(pixels_are_the_numbers_as_written),
        SCORING_TEST(integer_pixels_are_known_as_integers),
        SCORING_TEST(malformed_requests_are_refused_with_the_place_and_what_was_looked_for),
        SCORING_TEST(a_side_above_the_limit_is_refused),
        SCORING_TEST(a_request_cut_anywhere_is_refused),
    };

    return cmocka_run_group_tests_name("scoring/request", tests, NULL, NULL);
}
