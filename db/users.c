/* SPDX-License-Identifier: Apache-2.0 */
#include "db/users.h"

#define MAX_LISTED 10000
#define COLUMNS                                                                                                        \
    "users.name, users.data_mart_id, role, password_hash, epoch, users.created_at, users.created_by, modified_at,"     \
    " modified_by"

static void read_user(struct xpl_row *row, void *out)
{
    struct xpl_user *user = out;

    user->name = xpl_row_text(row, "name");
    user->data_mart_id = xpl_row_text(row, "data_mart_id");
    user->role = xpl_row_text(row, "role");
    user->password_hash = xpl_row_text(row, "password_hash");
    user->epoch = xpl_row_text(row, "epoch");
    user->created_at = xpl_row_int(row, "created_at");
    user->created_by = xpl_row_text(row, "created_by");
    user->modified_at = xpl_row_int(row, "modified_at");
    user->modified_by = xpl_row_text(row, "modified_by");
}

/* Runs a statement that must change a row. */
static enum xpl_status run_on_one(struct xpl_stmt *statement, struct xpl_error *err)
{
    int64_t changed;
    enum xpl_status st = xpl_run(statement, &changed, err);

    if (st)
        return st;
    return changed ? XPL_OK : xpl_fail(err, XPL_NOT_FOUND, "not found");
}

enum xpl_status xpl_user_insert(struct xpl_db *db, const struct xpl_user *user, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO users (name, data_mart_id, role, password_hash, epoch, created_at,"
                              " created_by) VALUES (?, ?, ?, ?, ?, ?, ?)");

    xpl_bind_text(insert, user->name);
    xpl_bind_text(insert, user->data_mart_id);
    xpl_bind_text(insert, user->role);
    xpl_bind_text(insert, user->password_hash);
    xpl_bind_text(insert, user->epoch);
    xpl_bind_int(insert, user->created_at);
    xpl_bind_text(insert, user->created_by);
    return xpl_run(insert, NULL, err);
}

enum xpl_status xpl_user_get(struct xpl_db *db, struct xpl_arena *arena, const char *name, struct xpl_user *ret,
                             struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT " COLUMNS " FROM users WHERE name = ?");

    xpl_bind_text(query, name);
    return xpl_fetch_one(query, arena, read_user, ret, err);
}

enum xpl_status xpl_user_of_key(struct xpl_db *db, struct xpl_arena *arena, struct xpl_blob hash, struct xpl_user *ret,
                                struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " COLUMNS " FROM api_keys JOIN users ON users.name = user_name WHERE hash = ?");

    xpl_bind_blob(query, hash);
    return xpl_fetch_one(query, arena, read_user, ret, err);
}

enum xpl_status xpl_user_of_token(struct xpl_db *db, struct xpl_arena *arena, const char *name, const char *epoch,
                                  const char *token_id, struct xpl_user *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT " COLUMNS " FROM users WHERE name = ? AND epoch = ?"
                             " AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE id = ?)");

    xpl_bind_text(query, name);
    xpl_bind_text(query, epoch);
    xpl_bind_text(query, token_id);
    return xpl_fetch_one(query, arena, read_user, ret, err);
}

enum xpl_status xpl_user_list(struct xpl_db *db, struct xpl_arena *arena, struct xpl_user **ret, size_t *ret_count,
                              struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT " COLUMNS " FROM users ORDER BY name");

    return xpl_fetch_all(query, arena, read_user, sizeof **ret, MAX_LISTED, ret, ret_count, err);
}

enum xpl_status xpl_user_update(struct xpl_db *db, const struct xpl_user *user, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    update = xpl_db_query(db, "UPDATE users SET data_mart_id = ?, role = ?, password_hash = ?, epoch = ?,"
                              " modified_at = ?, modified_by = ? WHERE name = ?");

    xpl_bind_text(update, user->data_mart_id);
    xpl_bind_text(update, user->role);
    xpl_bind_text(update, user->password_hash);
    xpl_bind_text(update, user->epoch);
    xpl_bind_int(update, user->modified_at);
    xpl_bind_text(update, user->modified_by);
    xpl_bind_text(update, user->name);
    return run_on_one(update, err);
}

enum xpl_status xpl_user_delete(struct xpl_db *db, const char *name, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM users WHERE name = ?");

    xpl_bind_text(deletion, name);
    return run_on_one(deletion, err);
}

enum xpl_status xpl_user_count(struct xpl_db *db, int64_t *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT COUNT(*) FROM users");

    return xpl_fetch_int(query, ret, err);
}

enum xpl_status xpl_user_count_admins(struct xpl_db *db, const char *data_mart_id, int64_t *ret, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT COUNT(*) FROM users WHERE data_mart_id = ? AND role = 'admin'");

    xpl_bind_text(query, data_mart_id);
    return xpl_fetch_int(query, ret, err);
}

/* ---- API keys ---- */

static void read_key(struct xpl_row *row, void *out)
{
    struct xpl_api_key *key = out;

    key->id = xpl_row_text(row, "id");
    key->user_name = xpl_row_text(row, "user_name");
    key->description = xpl_row_text(row, "description");
    key->created_at = xpl_row_int(row, "created_at");
    key->created_by = xpl_row_text(row, "created_by");
}

static enum xpl_status check_key_count(struct xpl_db *db, const char *user_name, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, "SELECT COUNT(*) FROM api_keys WHERE user_name = ?");
    enum xpl_status st;
    int64_t n = 0;

    xpl_bind_text(query, user_name);
    if ((st = xpl_fetch_int(query, &n, err)))
        return st;
    return n < XPL_KEYS_PER_USER ? XPL_OK
                                 : xpl_fail(err, XPL_CONFLICT, "the user has %d API keys, the limit; remove one first",
                                            XPL_KEYS_PER_USER);
}

enum xpl_status xpl_api_key_insert(struct xpl_db *db, const struct xpl_api_key *key, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT INTO api_keys (id, user_name, hash, description, created_at, created_by)"
                              " VALUES (?, ?, ?, ?, ?, ?)");
    enum xpl_status st = check_key_count(db, key->user_name, err);

    if (st)
        return st;
    xpl_bind_text(insert, key->id);
    xpl_bind_text(insert, key->user_name);
    xpl_bind_blob(insert, key->hash);
    xpl_bind_text(insert, key->description);
    xpl_bind_int(insert, key->created_at);
    xpl_bind_text(insert, key->created_by);
    return xpl_run(insert, NULL, err);
}

enum xpl_status xpl_api_key_list(struct xpl_db *db, struct xpl_arena *arena, const char *user_name,
                                 struct xpl_api_key **ret, size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id, user_name, description, created_at, created_by FROM api_keys"
                             " WHERE user_name = ? ORDER BY created_at, id");

    xpl_bind_text(query, user_name);
    return xpl_fetch_all(query, arena, read_key, sizeof **ret, XPL_KEYS_PER_USER, ret, ret_count, err);
}

enum xpl_status xpl_api_key_delete(struct xpl_db *db, const char *user_name, const char *id, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM api_keys WHERE user_name = ? AND id = ?");

    xpl_bind_text(deletion, user_name);
    xpl_bind_text(deletion, id);
    return run_on_one(deletion, err);
}

/* ---- revoked tokens ---- */

static void read_revoked(struct xpl_row *row, void *out)
{
    struct xpl_revoked_token *token = out;

    token->id = xpl_row_text(row, "id");
    token->expires_at = xpl_row_int(row, "expires_at");
    token->created_at = xpl_row_int(row, "created_at");
    token->created_by = xpl_row_text(row, "created_by");
}

static enum xpl_status forget_expired(struct xpl_db *db, int64_t now_us, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt) deletion = xpl_db_query(db, "DELETE FROM revoked_tokens WHERE expires_at <= ?");

    xpl_bind_int(deletion, now_us);
    return xpl_run(deletion, NULL, err);
}

enum xpl_status xpl_token_revoke(struct xpl_db *db, const struct xpl_revoked_token *token, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    insert = xpl_db_query(db, "INSERT OR IGNORE INTO revoked_tokens (id, expires_at, created_at, created_by)"
                              " VALUES (?, ?, ?, ?)");
    enum xpl_status st = forget_expired(db, token->created_at, err);

    if (st)
        return st;
    xpl_bind_text(insert, token->id);
    xpl_bind_int(insert, token->expires_at);
    xpl_bind_int(insert, token->created_at);
    xpl_bind_text(insert, token->created_by);
    return xpl_run(insert, NULL, err);
}

enum xpl_status xpl_token_list_revoked(struct xpl_db *db, struct xpl_arena *arena, struct xpl_revoked_token **ret,
                                       size_t *ret_count, struct xpl_error *err)
{
    XPL_AUTO(xpl_stmt)
    query = xpl_db_query(db, "SELECT id, expires_at, created_at, created_by FROM revoked_tokens"
                             " ORDER BY created_at, id");

    return xpl_fetch_all(query, arena, read_revoked, sizeof **ret, MAX_LISTED, ret, ret_count, err);
}
