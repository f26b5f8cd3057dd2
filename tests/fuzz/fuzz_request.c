/* SPDX-License-Identifier: Apache-2.0 */
/* The pixel scanner, and bodies spliced out of what it found. */
#include "lib/scoring/requests/request.h"
#include "lib/scoring/requests/splice.h"
#include "tests/fuzz/fuzz.h"

#define MAX_PIXELS 4096u

/* Top half and bottom half are the two segments; the picture without both is the image itself. */
static void splice(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index,
                   const struct xpl_pixels *pixels)
{
    const struct xpl_request_image *image = &request->images[index];
    size_t n = (size_t)image->height * image->width, length;
    struct xpl_splicer *splicer;
    uint16_t *labels = XPL_NEW_ARRAY(arena, uint16_t, n);
    char *body;

    FUZZ_REQUIRE(labels);
    for (size_t i = 0; i < n; i++)
        labels[i] = i >= n / 2;
    for (int wire = XPL_WIRE_AS_LOGGED; wire <= XPL_WIRE_TENSOR; wire++) {
        const struct xpl_wire format = {.format = (enum xpl_wire_format)wire};

        if (xpl_splicer_new(arena, request, index, &format, labels, 2, pixels, &splicer, NULL))
            continue;
        FUZZ_REQUIRE((body = xpl_arena_alloc(arena, xpl_splice_max(splicer, 1))));
        for (uint64_t mask = 0; mask < 4; mask++) {
            length = xpl_splice(splicer, &mask, 1, body);
            FUZZ_REQUIRE(length <= xpl_splice_max(splicer, 1) && length == xpl_splice_length(splicer, &mask, 1));
            FUZZ_REQUIRE(fuzz_is_json((struct xpl_text){body, length}));
        }
    }
}

static void use_image(struct xpl_arena *arena, const struct xpl_request *request, uint32_t index)
{
    const struct xpl_request_image *image = &request->images[index];
    struct xpl_pixels *pixels;

    FUZZ_REQUIRE(image->offset + image->length <= request->text.length && image->length > 0);
    FUZZ_REQUIRE(image->row_offset <= image->offset);
    FUZZ_REQUIRE(image->row_offset + image->row_length >= image->offset + image->length);
    FUZZ_REQUIRE(fuzz_is_json((struct xpl_text){request->text.ptr + image->row_offset, image->row_length}) ||
                 request->count.ptr);
    if (xpl_request_pixels(arena, request, index, &pixels, NULL))
        return;
    FUZZ_REQUIRE(xpl_pixels_count(pixels) == (size_t)image->height * image->width * image->channels);
    if ((size_t)image->height * image->width <= MAX_PIXELS)
        splice(arena, request, index, pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xpl_text text = fuzz_exact(data, size);
    struct xpl_arena *arena = xpl_arena_new(FUZZ_ARENA_BYTES);
    struct xpl_request *request;
    struct xpl_error err = {0};

    if (xpl_request_read(arena, text, NULL, &xpl_decode_in_process, &request, &err) == XPL_OK)
        for (uint32_t i = 0; i < request->n_images && i < 4; i++)
            use_image(arena, request, i);
    else
        FUZZ_REQUIRE(*err.message);
    xpl_arena_free(arena);
    fuzz_free(text);
    return 0;
}
