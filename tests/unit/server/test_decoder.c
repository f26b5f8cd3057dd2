/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoding process when it is not what it should be. This program is both sides: started as the helper it does what
 * the "picture" asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/decoding/decode_wire.h"
#include "server/decoding/decoder.h"

#define GOOD     "good"
#define PATIENCE 3000 /* ms; only the picture that hangs takes so long */

/* ---- the helper ---- */

static void say(uint32_t refused, struct xpl_picture_size size, uint32_t length, const char *data, size_t n)
{
    const struct xpl_decode_answer answer = {.refused = refused, .picture = size, .length = length};

    if (write(1, &answer, sizeof answer) != sizeof answer || write(1, data, n) != (ssize_t)n)
        _exit(3);
}

static void act(const char *picture)
{
    static char long_reason[XPL_ERROR_MESSAGE_MAX];

    if (strcmp(picture, GOOD) == 0)
        say(0, (struct xpl_picture_size){1, 2, 3}, 6, "abcdef", 6);
    else if (strcmp(picture, "refuse") == 0)
        say(1, (struct xpl_picture_size){0}, 9, "is\nbroken\x01", 9);
    else if (strcmp(picture, "crash") == 0)
        raise(SIGKILL);
    else if (strcmp(picture, "half") == 0) {
        say(0, (struct xpl_picture_size){1, 2, 3}, 6, "abc", 3);
        raise(SIGKILL);
    } else if (strcmp(picture, "hang") == 0)
        raise(SIGSTOP);
    else if (strcmp(picture, "too wide") == 0)
        say(0, (struct xpl_picture_size){1, 5000, 1}, 5000, "x", 1);
    else if (strcmp(picture, "too much") == 0)
        say(0, (struct xpl_picture_size){4096, 4096, 4}, 4096u * 4096 * 4, "x", 1);
    else if (strcmp(picture, "two channels") == 0)
        say(0, (struct xpl_picture_size){1, 1, 2}, 2, "xy", 2);
    else if (strcmp(picture, "wrong length") == 0)
        say(0, (struct xpl_picture_size){1, 2, 3}, 7, "abcdefg", 7);
    else if (strcmp(picture, "empty") == 0)
        say(0, (struct xpl_picture_size){0, 0, 1}, 0, "", 0);
    else
        say(1, (struct xpl_picture_size){0}, sizeof long_reason, long_reason, sizeof long_reason);
}

static int be_helper(void)
{
    struct xpl_decode_question question;
    char picture[64];

    say(0, (struct xpl_picture_size){0}, 0, "", 0);
    while (read(0, &question, sizeof question) == sizeof question && question.length < sizeof picture &&
           read(0, picture, question.length) == question.length) {
        picture[question.length] = '\0';
        act(picture);
    }
    return 0;
}

/* ---- the tests ---- */

struct bench {
    struct xpl_arena *arena;
    struct xpl_decoder *decoder;
    xpl_counter failures;
};

static int with_decoder(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct xpl_decoder_options options = {.timeout_ms = PATIENCE};

    assert_non_null(b);
    options.failures = &b->failures;
    b->arena = xpl_arena_new((size_t)128 << 20);
    assert_int_equal(xpl_decoder_start(&options, &b->decoder, NULL), XPL_OK);
    *state = b;
    return 0;
}

static int without_decoder(void **state)
{
    struct bench *b = *state;

    xpl_decoder_stop(b->decoder);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, running or not */
    xpl_arena_free(b->arena);
    free(b);
    return 0;
}

static enum xpl_status decode(struct bench *b, const char *picture, struct xpl_error *err)
{
    const struct xpl_picture_decoder *face = xpl_decoder_face(b->decoder);
    struct xpl_picture_size size = {0};
    uint8_t *pixels = NULL;
    enum xpl_status st = face->decode(face->context, b->arena, picture, strlen(picture), &size, &pixels, err);

    if (!st) {
        assert_int_equal(size.width, 2);
        assert_memory_equal(pixels, "abcdef", 6);
    }
    return st;
}

static uint64_t failures(const struct bench *b)
{
    return xpl_counted(&b->failures);
}

static void pixels_and_reasons_come_back(void **state)
{
    struct bench *b = *state;
    struct xpl_error err = {0};

    assert_int_equal(decode(b, GOOD, NULL), XPL_OK);
    assert_int_equal(decode(b, "refuse", &err), XPL_BAD_RECORD);
    assert_string_equal(err.message, "is?broken");
    assert_int_equal(failures(b), 0);
}

static void a_process_that_ends_is_tried_twice_and_costs_its_picture_only(void **state)
{
    static const char *const pictures[] = {"crash", "half"};
    struct bench *b = *state;

    for (size_t i = 0; i < 2; i++) {
        struct xpl_error err = {0};
        uint64_t before = failures(b);

        assert_int_equal(decode(b, pictures[i], &err), XPL_BAD_RECORD);
        assert_string_equal(err.message, "is a picture that breaks the decoder");
        assert_int_equal(failures(b), before + 2);
        assert_int_equal(decode(b, GOOD, NULL), XPL_OK);
    }
}

static void a_process_that_hangs_is_killed_when_the_time_is_over(void **state)
{
    struct bench *b = *state;
    struct xpl_error err = {0};

    assert_int_equal(decode(b, "hang", &err), XPL_BAD_RECORD);
    assert_non_null(strstr(err.message, "limits.decode_ms"));
    assert_int_equal(failures(b), 1);
    assert_int_equal(decode(b, GOOD, NULL), XPL_OK);
}

static void what_cannot_be_is_not_believed(void **state)
{
    static const char *const lies[] = {"too wide", "too much", "two channels", "wrong length", "empty", "long reason"};
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct xpl_error err = {0};

        assert_int_equal(decode(b, lies[i], &err), XPL_BAD_RECORD);
        assert_string_equal(err.message, "is a picture that breaks the decoder");
        assert_int_equal(failures(b), i + 1);
        assert_int_equal(decode(b, GOOD, NULL), XPL_OK);
    }
}

static void without_a_process_pictures_have_to_wait(void **state)
{
    static const char *const programs[] = {"/nowhere/explaind", "/bin/false"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct xpl_decoder_options options = {.program = programs[i], .timeout_ms = PATIENCE};
        struct bench b = {.arena = xpl_arena_new(1 << 20)};
        struct xpl_error err = {0};

        assert_int_equal(xpl_decoder_start(&options, &b.decoder, NULL), XPL_OK);
        xpl_decoder_check(b.decoder);
        assert_int_equal(decode(&b, GOOD, &err), XPL_OVERLOADED);
        assert_non_null(strstr(err.message, "cannot be decoded now"));
        xpl_decoder_stop(b.decoder);
        xpl_arena_free(b.arena);
    }
}

#define DECODER_TEST(name) cmocka_unit_test_setup_teardown(name, with_decoder, without_decoder)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        DECODER_TEST(pixels_and_reasons_come_back),
        DECODER_TEST(a_process_that_ends_is_tried_twice_and_costs_its_picture_only),
        DECODER_TEST(a_process_that_hangs_is_killed_when_the_time_is_over),
        DECODER_TEST(what_cannot_be_is_not_believed),
        cmocka_unit_test(without_a_process_pictures_have_to_wait),
    };

    if (argc == 2 && strcmp(argv[1], XPL_DECODE_COMMAND) == 0)
        return be_helper();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
