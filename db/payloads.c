/* SPDX-License-Identifier: Apache-2.0 */
/* What was logged, as the client sent it: compressed, stored, read again. */
#include <pthread.h>
#include <string.h>
#include <zstd.h>

#include "db/packing.h"
#include "db/records.h"

#define PACKED            0x01 /* the first byte of what is packed and then compressed; JSON cannot begin with it */
#define WITH_TEXTS        0x02 /* the second one, when so packed; a compressed frame does not begin with it */
#define WORTH_COMPRESSING 256  /* bytes */
#define WORTH_SHARING     1024
#define MAX_TEXT_BYTES    ((int64_t)256 << 20)

void xpl_payload_hash(struct xpl_text request, struct xpl_text response, uint8_t ret[XPL_HASH_BYTES])
{
    const struct xpl_hash_part parts[] = {{request.ptr, request.length}, {response.ptr, response.length}};

    xpl_hash_parts(parts, sizeof parts / sizeof *parts, ret);
}

/* A compressor costs more to make than a small payload to compress: each thread keeps one. */
static pthread_once_t compressor_once = PTHREAD_ONCE_INIT;
static pthread_key_t compressor_key;

static void free_compressor(void *compressor)
{
    ZSTD_freeCCtx(compressor);
}

static void make_compressor_key(void)
{
    pthread_key_create(&compressor_key, free_compressor);
}

static ZSTD_CCtx *compressor_of_thread(void)
{
    ZSTD_CCtx *compressor;

    pthread_once(&compressor_once, make_compressor_key);
    compressor = pthread_getspecific(compressor_key);
    if (!compressor && (compressor = ZSTD_createCCtx()))
        pthread_setspecific(compressor_key, compressor);
    return compressor;
}

static bool is_packed(struct xpl_blob blob)
{
    return blob.length > 0 && *(const char *)blob.data == PACKED;
}

/* JSON cannot begin with these bytes either. */
static bool is_compressed(struct xpl_blob blob)
{
    static const uint8_t magic[] = {0x28, 0xB5, 0x2F, 0xFD};

    return blob.length >= sizeof magic && memcmp(blob.data, magic, sizeof magic) == 0;
}

static enum xpl_status compress(struct xpl_arena *arena, struct xpl_blob bytes, enum xpl_packing packing,
                                struct xpl_blob *ret, struct xpl_error *err)
{
    static const char marks[] = {PACKED, WITH_TEXTS};
    size_t n_marks = packing == XPL_NOT_PACKED ? 0 : packing == XPL_PACKED_BYTES ? 1 : sizeof marks;
    size_t bound = ZSTD_compressBound(bytes.length), length;
    ZSTD_CCtx *compressor = compressor_of_thread();
    char *data = xpl_arena_alloc(arena, bound + n_marks);

    if (!data || !compressor)
        return xpl_no_memory(err);
    memcpy(data, marks, n_marks);
    length = ZSTD_compressCCtx(compressor, data + n_marks, bound, bytes.data, bytes.length, 1);
    if (ZSTD_isError(length))
        return xpl_fail(err, XPL_INTERNAL, "compression failed: %s", ZSTD_getErrorName(length));
    *ret = (struct xpl_blob){data, length + n_marks};
    return XPL_OK;
}

enum xpl_status xpl_payload_compress(struct xpl_arena *arena, struct xpl_text text, struct xpl_blob *ret,
                                     struct xpl_error *err)
{
    struct xpl_blob plain = {text.ptr, text.length}, packed;
    enum xpl_packing packing;

    if (text.length < WORTH_COMPRESSING && !is_packed(plain) && !is_compressed(plain)) { /* nor does it look so */
        *ret = plain;
        return XPL_OK;
    }
    packing = xpl_pack(arena, text, &packed);
    return compress(arena, packing == XPL_NOT_PACKED ? plain : packed, packing, ret, err);
}

static bool decompress(struct xpl_blob blob, char *data, size_t size)
{
    return ZSTD_decompress(data, size, blob.data, blob.length) == size;
}

static bool copy_text(struct xpl_blob blob, char *data, size_t size)
{
    if (blob.length != size)
        return false;
    if (size > 0)
        memcpy(data, blob.data, size);
    return true;
}

/* What is packed is hardly longer than the text. */
static enum xpl_status unpack(struct xpl_arena *arena, struct xpl_blob blob, char *data, size_t size)
{
    bool with_texts = blob.length > 1 && ((const char *)blob.data)[1] == WITH_TEXTS;
    size_t n_marks = with_texts ? 2 : 1;
    struct xpl_blob frame = {(const char *)blob.data + n_marks, blob.length - n_marks};
    unsigned long long length = ZSTD_getFrameContentSize(frame.data, frame.length);
    char *packed;

    if (length > size + WORTH_COMPRESSING)
        return XPL_STORAGE_FAILED;
    if (!(packed = xpl_arena_alloc(arena, (size_t)length + 1)))
        return XPL_NO_MEMORY;
    if (!decompress(frame, packed, (size_t)length))
        return XPL_STORAGE_FAILED;
    return xpl_unpack(arena, with_texts ? XPL_PACKED_TEXTS : XPL_PACKED_BYTES,
                      (struct xpl_blob){packed, (size_t)length}, data, size);
}

enum xpl_status xpl_payload_decompress(struct xpl_arena *arena, struct xpl_blob blob, int64_t size,
                                       struct xpl_text *ret, struct xpl_error *err)
{
    size_t length = (size_t)size;
    enum xpl_status st;
    char *data;

    if (size < 0 || size > MAX_TEXT_BYTES)
        return xpl_fail(err, XPL_STORAGE_FAILED, "a stored payload is damaged");
    if (!(data = xpl_arena_alloc(arena, length + 1 + XPL_PACKING_SLACK)))
        return xpl_no_memory(err);
    if (is_packed(blob))
        st = unpack(arena, blob, data, length);
    else
        st = (is_compressed(blob) ? decompress(blob, data, length) : copy_text(blob, data, length))
                 ? XPL_OK
                 : XPL_STORAGE_FAILED;
    if (st == XPL_NO_MEMORY)
        return xpl_no_memory(err);
    if (st)
        return xpl_fail(err, XPL_STORAGE_FAILED, "a stored payload is damaged");
    data[length] = '\0';
    *ret = (struct xpl_text){data, length};
    return XPL_OK;
}

/* Of the compressed text: what is equal there is equal before. */
void xpl_payload_share(struct xpl_payload *payload)
{
    const struct xpl_hash_part parts[] = {{payload->data_set_id, strlen(payload->data_set_id)},
                                          {payload->request.data, payload->request.length}};

    payload->is_shared = payload->request.length >= WORTH_SHARING;
    if (payload->is_shared)
        xpl_hash_parts(parts, sizeof parts / sizeof *parts, payload->key);
}

/* The request text of this content, which is stored when it is new. A trigger deletes it with its last payload. */
static enum xpl_status share_request(struct xpl_db *db, const struct xpl_payload *payload,
                                     struct xpl_record_tally *tally, int64_t *ret_id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) find = xpl_db_query(db, "SELECT id FROM request_texts WHERE key = ?");
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO request_texts (data_set_id, key, request) VALUES (?, ?, ?)");
    struct xpl_blob key = {payload->key, sizeof payload->key};
    struct xpl_error inner = {0};
    enum xpl_status st;

    xpl_bind_blob(find, key);
    st = xpl_fetch_int(find, ret_id, &inner);
    if (st != XPL_NOT_FOUND)
        return st ? xpl_fail(err, st, "%s", inner.message) : XPL_OK;
    xpl_bind_text(insert, payload->data_set_id);
    xpl_bind_blob(insert, key);
    xpl_bind_blob(insert, payload->request);
    tally->payload_bytes += (int64_t)payload->request.length;
    return xpl_run_insert(insert, ret_id, err);
}

enum xpl_status xpl_payload_insert(struct xpl_db *db, const struct xpl_payload *payload, struct xpl_record_tally *tally,
                                   int64_t *ret_id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO payloads (data_mart_id, data_set_id, hash, request_text_id, request,"
                              " request_size, response, response_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    int64_t text_id = 0;
    enum xpl_status st;

    if (payload->is_shared && (st = share_request(db, payload, tally, &text_id, err)))
        return st;
    xpl_bind_text(insert, payload->data_mart_id);
    xpl_bind_text(insert, payload->data_set_id);
    xpl_bind_blob(insert, (struct xpl_blob){payload->hash, sizeof payload->hash});
    if (payload->is_shared) {
        xpl_bind_int(insert, text_id);
        xpl_bind_blob(insert, (struct xpl_blob){"", 0});
    } else {
        xpl_bind_null(insert);
        xpl_bind_blob(insert, payload->request);
        tally->payload_bytes += (int64_t)payload->request.length;
    }
    xpl_bind_int(insert, (int64_t)payload->request_size);
    xpl_bind_blob(insert, payload->response);
    xpl_bind_int(insert, (int64_t)payload->response_size);
    tally->payload_bytes += (int64_t)payload->response.length;
    return xpl_run_insert(insert, ret_id, err);
}

static enum xpl_status gone(struct xpl_error *err)
{
    return xpl_fail(err, XPL_GONE, "its pixels were deleted (by retention, or a purge); the numbers are kept");
}

enum xpl_status xpl_payload_check(struct xpl_db *db, int64_t id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT request_size FROM payloads WHERE id = ?");
    enum xpl_status st;
    int64_t size;

    xpl_bind_int(query, id);
    st = xpl_fetch_int(query, &size, err);
    return st || size != 0 ? st : gone(err);
}

struct stored_payload {
    struct xpl_blob request, response;
    int64_t request_size, response_size;
};

static void read_payload(struct xpl_row *row, void *out)
{
    struct stored_payload *payload = out;

    payload->request = xpl_row_blob(row, "request");
    payload->request_size = xpl_row_int(row, "request_size");
    payload->response = xpl_row_blob(row, "response");
    payload->response_size = xpl_row_int(row, "response_size");
}

enum xpl_status xpl_payload_load(struct xpl_db *db, struct xpl_arena *arena, int64_t id, struct xpl_text *ret_request,
                                 struct xpl_text *ret_response, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COALESCE(t.request, p.request) AS request, p.request_size AS request_size,"
                             " p.response AS response, p.response_size AS response_size FROM payloads p"
                             " LEFT JOIN request_texts t ON t.id = p.request_text_id WHERE p.id = ?");
    struct stored_payload stored;
    enum xpl_status st;

    xpl_bind_int(query, id);
    if ((st = xpl_fetch_one(query, arena, read_payload, &stored, err)))
        return st;
    if (stored.request_size == 0)
        return gone(err);
    if (ret_request && (st = xpl_payload_decompress(arena, stored.request, stored.request_size, ret_request, err)))
        return st;
    return ret_response ? xpl_payload_decompress(arena, stored.response, stored.response_size, ret_response, err)
                        : XPL_OK;
}
