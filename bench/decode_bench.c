/* SPDX-License-Identifier: Apache-2.0 */
/* decode_bench PROGRAM: microseconds to decode the picture on stdin, in this process and in that of PROGRAM. */
#include <stdio.h>

#include "lib/base/time.h"
#include "server/decoding/decoder.h"

#define MEASURED_US 1000000

static double microseconds(const struct xpl_picture_decoder *decoder, const void *file, size_t length)
{
    int64_t start = xpl_monotonic_us(), end = start;
    size_t n = 0;

    for (; end - start < MEASURED_US; n++, end = xpl_monotonic_us()) {
        XPL_AUTO(xpl_arena) arena = xpl_arena_new((size_t)64 << 20);
        struct xpl_picture_size size;
        struct xpl_error err = {0};
        uint8_t *pixels;

        if (decoder->decode(decoder->context, arena, file, length, &size, &pixels, &err)) {
            fprintf(stderr, "%s\n", err.message);
            return -1;
        }
    }
    return (double)(end - start) / (double)n;
}

int main(int argc, char **argv)
{
    static char file[XPL_PICTURE_MAX_BYTES];
    size_t length = fread(file, 1, sizeof file, stdin);
    struct xpl_decoder_options options = {.timeout_ms = 10000};
    struct xpl_decoder *decoder;
    xpl_counter failures = 0;

    if (argc != 2)
        return 64;
    options.program = argv[1];
    options.failures = &failures;
    if (xpl_decoder_start(&options, &decoder, NULL))
        return 70;
    printf("%.1f %.1f\n", microseconds(&xpl_decode_in_process, file, length),
           microseconds(xpl_decoder_face(decoder), file, length));
    xpl_decoder_stop(decoder);
    return failures != 0;
}
