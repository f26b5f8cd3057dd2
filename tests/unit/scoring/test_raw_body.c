/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are not JSON, and the JSON that says the same. */
#include "tests/unit/scoring/scoring_test.h"

#include "lib/base/json_look.h"
#include "lib/scoring/requests/form_data.h"
#include "lib/scoring/requests/raw_body.h"

#define DICT(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }\n"

/* A NumPy file of format version 1, or 2 when `wide`. */
static struct xpl_text npy(struct xpl_arena *arena, bool wide, const char *dict, const char *data, size_t n)
{
    size_t head = wide ? 12 : 10, length = strlen(dict);
    char *file = xpl_arena_alloc(arena, head + length + n);

    assert_non_null(file);
    memcpy(file, wide ? "\x93NUMPY\2" : "\x93NUMPY\1", 7);
    file[8] = (char)length;
    memcpy(file + head, dict, length);
    memcpy(file + head + length, data, n);
    return (struct xpl_text){file, head + length + n};
}

static void numpy_files_become_nested_lists(void **state)
{
    static const struct {
        const char *dict, *data;
        size_t n;
        const char *json;
    } cases[] = {
        {DICT("|u1", "False", "(1, 2, 3)"), "\1\2\3\4\5\6", 6, "[[[1,2,3],[4,5,6]]]"},
        {DICT("|u1", "False", "(3,)"), "\1\2\3", 3, "[1,2,3]"},
        {DICT("<f4", "False", "(2, 1)"), "\0\0\x80\x3e\0\0\x40\x3f", 8, "[[0.25],[0.75]]"},
        {DICT("<i2", "False", "(1, 1)"), "\xfe\xff", 2, "[[-2]]"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_raw_body body = {npy(*state, i % 2, cases[i].dict, cases[i].data, cases[i].n), NULL, true, NULL};
        struct xpl_text json;

        assert_int_equal(xpl_raw_body_as_json(*state, &body, &json, NULL), XPL_OK);
        assert_string_equal(json.ptr, cases[i].json);
    }
}

static void requests_note_what_file_they_were(void **state)
{
    struct xpl_raw_body jpeg = {{"\xff\xd8\xff", 3}, NULL, false, NULL};
    struct xpl_raw_body file = {npy(*state, false, DICT("|u1", "False", "(1, 2)"), "\1\2", 2), NULL, false, NULL};
    struct xpl_text json;

    assert_int_equal(xpl_raw_body_as_json(*state, &jpeg, &json, NULL), XPL_OK);
    assert_string_equal(json.ptr, "{\"values\":[\"/9j/\"],\"explaind\":{\"content_type\":\"image/jpeg\"}}");
    assert_int_equal(xpl_raw_body_as_json(*state, &file, &json, NULL), XPL_OK);
    assert_string_equal(json.ptr, "{\"array\":[[1,2]],\"explaind\":{\"content_type\":\"application/x-npy\"}}");
}

static void broken_ones_say_what_is_wrong(void **state)
{
    static const struct {
        const char *dict;
        size_t n;
        const char *message;
    } cases[] = {
        {DICT(">f4", "False", "(1,)"), 4, "little-endian"},
        {DICT("<U7", "False", "(1,)"), 4, "little-endian"},
        {"{}", 4, "little-endian"},
        {DICT("<f4", "True", "(1,)"), 4, "Fortran"},
        {DICT("<f4", "False", "1"), 4, "shape"},
        {DICT("<f4", "False", "(-1,)"), 4, "shape"},
        {DICT("<f4", "False", "(1"), 4, "shape"},
        {DICT("<f4", "False", "(99999999999, 99999999999)"), 4, "shape"},
        {DICT("<f4", "False", "(2,)"), 4, "as long as"},
        {DICT("<f4", "False", "()"), 4, "no list"},
        {DICT("<f4", "False", "(0, 3)"), 0, "no list"},
    };
    struct xpl_raw_body cut = {{"\x93NUMPY\1\0\xff", 9}, NULL, false, NULL};
    struct xpl_raw_body head = {{"{}", 2}, "3", false, NULL};
    struct xpl_text json;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_raw_body body = {npy(*state, false, cases[i].dict, "\0\0\0\0", cases[i].n), NULL, false, NULL};
        struct xpl_error err = {0};

        assert_int_equal(xpl_raw_body_as_json(*state, &body, &json, &err), XPL_BAD_RECORD);
        if (!strstr(err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].dict, err.message);
    }
    assert_int_equal(xpl_raw_body_as_json(*state, &cut, &json, NULL), XPL_BAD_RECORD);
    assert_int_equal(xpl_raw_body_as_json(*state, &head, &json, NULL), XPL_BAD_RECORD);
}

static void pictures_are_put_in_base64_and_anything_else_stays(void **state)
{
    struct xpl_raw_body png = {{"\x89PNG\r", 5}, NULL, false, NULL}, text = {{"{} ", 3}, NULL, true, NULL};
    struct xpl_text json;

    assert_int_equal(xpl_raw_body_as_json(*state, &png, &json, NULL), XPL_OK);
    assert_string_equal(json.ptr, "{\"values\":[\"iVBORw0=\"],\"explaind\":{\"content_type\":\"image/png\"}}");
    png.type = "Application/X-Image";
    assert_int_equal(xpl_raw_body_as_json(*state, &png, &json, NULL), XPL_OK);
    assert_non_null(strstr(json.ptr, "{\"content_type\":\"application/x-image\"}"));
    assert_int_equal(xpl_raw_body_as_json(*state, &text, &json, NULL), XPL_OK);
    assert_ptr_equal(json.ptr, text.bytes.ptr);
}

/* ---- forms ---- */

#define PNG  "\x89PNG\r\n--"
#define HEAD "Content-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n"

static struct xpl_text as_json(struct xpl_arena *arena, const char *form, size_t length, struct xpl_error *err)
{
    struct xpl_raw_body body = {{form, length}, NULL, false, NULL};
    struct xpl_text json = {0};
    enum xpl_status st = xpl_raw_body_as_json(arena, &body, &json, err);

    assert_int_equal(st, json.ptr ? XPL_OK : XPL_BAD_RECORD);
    return json;
}

static void uploads_keep_what_stands_around_the_file(void **state)
{
    static const char form[] =
        "--b,1\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n5 \"\\\t\xc3\xa9\r\n--b,1\r\n" HEAD
        "content-length: 8\r\nContent-Type: image/png\r\n\r\n" PNG "\r\n--b,1--\r\n";
    struct xpl_text json = as_json(*state, form, sizeof form - 1, NULL), note, text;
    struct xpl_form around;
    const char *type;

    assert_true(xpl_json_member(json, "explaind", &note) && xpl_json_member(note, "form", &text));
    assert_int_equal(xpl_form_read(*state, text, &around, &type, NULL), XPL_OK);
    assert_string_equal(type, "multipart/form-data; boundary=\"b,1\"");
    assert_string_equal(around.before.ptr,
                        "--b,1\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\n5 \"\\\t\xc3\xa9\r\n"
                        "--b,1\r\n" HEAD "Content-Type: image/png\r\n\r\n");
    assert_string_equal(around.behind.ptr, "\r\n--b,1--\r\n");
    assert_true(xpl_json_member(json, "values", &text));
    assert_memory_equal(text.ptr, "[\"iVBORw0KLS0=\"]", text.length);
}

static void forms_that_cannot_be_sent_again_say_why(void **state)
{
#define PART(content) "--b\r\n" HEAD "\r\n" content "\r\n"
    static const struct {
        struct xpl_text form;
        const char *message;
    } cases[] = {
#define FORM(text) {text, sizeof(text) - 1}
        {FORM(PART(PNG)), "middle of a part"},
        {FORM("--b\r\n" HEAD), "middle of a part"},
        {FORM(PART("GIF89a") "--b--"), "no PNG"},
        {FORM(PART(PNG) PART(PNG) "--b--\r\n"), "several files"},
        {FORM(PART("\xff") PART(PNG) "--b--\r\n"), "not text"},
        {FORM(PART("\0") PART(PNG) "--b--\r\n"), "not text"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xpl_error err = {0};

        assert_null(as_json(*state, cases[i].form.ptr, cases[i].form.length, &err).ptr);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void what_only_begins_as_a_form_stays(void **state)
{
    static const char *const texts[] = {"--\r\nContent-Type: x", "--b", "--b\r\nX", "-- b \r\nContent-Type: x",
                                        "--b\001\r\nContent-Type: x"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_ptr_equal(as_json(*state, texts[i], strlen(texts[i]), NULL).ptr, texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(numpy_files_become_nested_lists),
        SCORING_TEST(requests_note_what_file_they_were),
        SCORING_TEST(broken_ones_say_what_is_wrong),
        SCORING_TEST(pictures_are_put_in_base64_and_anything_else_stays),
        SCORING_TEST(uploads_keep_what_stands_around_the_file),
        SCORING_TEST(forms_that_cannot_be_sent_again_say_why),
        SCORING_TEST(what_only_begins_as_a_form_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
