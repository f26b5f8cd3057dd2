/* SPDX-License-Identifier: Apache-2.0 */
#include "api/explanations/replay_samples.h"

#include <string.h>

#include "api/json_spec.h"
#include "db/explanations.h"
#include "lib/explain/superpixels/segment.h"

static enum xpl_status damaged(struct xpl_error *err)
{
    return xpl_fail(err, XPL_STORAGE_FAILED, "the stored scores are damaged");
}

static uint64_t little_endian(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static enum xpl_status unpack(struct xpl_arena *arena, const struct xpl_explanation_samples *stored,
                              struct xpl_replay_samples *ret, struct xpl_error *err)
{
    const uint8_t *masks = stored->masks.data, *classes = stored->classes.data, *scores = stored->scores.data;
    size_t n = stored->masks.length / 8, k = stored->classes.length / 4;

    if (stored->n_segments < 2 || stored->n_segments > XPL_MAX_SEGMENTS || n == 0 || k == 0 ||
        stored->scores.length != n * k * sizeof(float))
        return damaged(err);
    *ret = (struct xpl_replay_samples){.d = stored->n_segments, .n_classes = (uint32_t)k, .n = n};
    ret->masks = XPL_NEW_ARRAY(arena, xpl_mask, n);
    ret->classes = XPL_NEW_ARRAY(arena, uint32_t, k);
    ret->scores = XPL_NEW_ARRAY(arena, double, n *k);
    if (!ret->masks || !ret->classes || !ret->scores)
        return xpl_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        ret->masks[i] = little_endian(masks + 8 * i, 8);
        if (ret->masks[i] >> ret->d)
            return damaged(err);
    }
    for (size_t c = 0; c < k; c++)
        ret->classes[c] = (uint32_t)little_endian(classes + 4 * c, 4);
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < k; c++) {
            uint32_t bits = (uint32_t)little_endian(scores + 4 * (i * k + c), 4);
            float score;

            memcpy(&score, &bits, sizeof score);
            ret->scores[c * n + i] = (double)score;
        }
    }
    return XPL_OK;
}

/* How the masks were chosen says what standard errors are worth, and noise that they are not all. */
static enum xpl_status read_mode(struct xpl_call *call, const char *task_id, struct xpl_replay_samples *ret,
                                 struct xpl_error *err)
{
    XPL_AUTO_JSON attributions = NULL;
    const char *text, *mode;
    enum xpl_status st = xpl_explanation_attributions(call->db, call->arena, task_id, &text, err);

    if (st)
        return st;
    attributions = json_loads(text, 0, NULL);
    mode = xpl_json_string_at(attributions, "entity.sampling.mode");
    ret->exact = ret->n == (size_t)1 << ret->d;
    ret->noisy = json_is_false(xpl_json_at(attributions, "entity.model.repeatable"));
    ret->mode = XPL_DESIGN_ARRAY;
    ret->doubt = json_number_value(xpl_json_at(attributions, "entity.sampling.doubt"));
    ret->contradicted = json_number_value(xpl_json_at(attributions, "entity.sampling.contradicted"));
    if (mode && strcmp(mode, "reference") == 0)
        ret->mode = XPL_DESIGN_REFERENCE;
    else if (mode && strcmp(mode, "adaptive") == 0)
        ret->mode = XPL_DESIGN_ADAPTIVE;
    return XPL_OK;
}

enum xpl_status xpl_replay_samples_load(struct xpl_call *call, const char *task_id, struct xpl_replay_samples *ret,
                                        struct xpl_error *err)
{
    struct xpl_explanation_samples stored;
    enum xpl_status st = xpl_explanation_samples_get(call->db, call->arena, task_id, &stored, err);

    if (st == XPL_NOT_FOUND)
        return xpl_fail(err, XPL_NOT_AVAILABLE, "the scores of this explanation were not kept");
    if (st || (st = unpack(call->arena, &stored, ret, err)) || (st = read_mode(call, task_id, ret, err)))
        return st;
    return ret->masks[0] == ((xpl_mask)1 << ret->d) - 1 ? XPL_OK : damaged(err);
}
