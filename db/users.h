/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, their API keys, and tokens that were revoked.
 *
 * Users are known across data marts: a login names no instance, the user's row does.
 */
#ifndef XPL_DB_USERS_H
#define XPL_DB_USERS_H

#include "db/db.h"

#define XPL_KEYS_PER_USER 100

struct xpl_user {
    const char *name, *data_mart_id;
    const char *role;                /* "viewer", "editor" or "admin" */
    const char *password_hash;       /* Argon2id, as libsodium writes it */
    const char *epoch;               /* tokens of another epoch are not valid */
    int64_t created_at, modified_at; /* microseconds; 0 = never modified */
    const char *created_by, *modified_by;
};

struct xpl_api_key {
    const char *id, *user_name, *description; /* description may be NULL */
    struct xpl_blob hash;
    int64_t created_at;
    const char *created_by;
};

struct xpl_revoked_token {
    const char *id; /* the token's jti */
    int64_t expires_at, created_at;
    const char *created_by;
};

/** XPL_CONFLICT when the name is taken. */
enum xpl_status xpl_user_insert(struct xpl_db *db, const struct xpl_user *user, struct xpl_error *err);

/** XPL_NOT_FOUND when there is none. */
enum xpl_status xpl_user_get(struct xpl_db *db, struct xpl_arena *arena, const char *name, struct xpl_user *ret,
                             struct xpl_error *err);

/** The owner of the API key with this hash; XPL_NOT_FOUND when there is none. */
enum xpl_status xpl_user_of_key(struct xpl_db *db, struct xpl_arena *arena, struct xpl_blob hash, struct xpl_user *ret,
                                struct xpl_error *err);

/** The owner of a token; XPL_NOT_FOUND when there is none of this name and epoch, or the token was revoked. */
enum xpl_status xpl_user_of_token(struct xpl_db *db, struct xpl_arena *arena, const char *name, const char *epoch,
                                  const char *token_id, struct xpl_user *ret, struct xpl_error *err);

/** By name; at most 10,000. */
enum xpl_status xpl_user_list(struct xpl_db *db, struct xpl_arena *arena, struct xpl_user **ret, size_t *ret_count,
                              struct xpl_error *err);

/** Writes everything but name and creation. XPL_NOT_FOUND when there is none. */
enum xpl_status xpl_user_update(struct xpl_db *db, const struct xpl_user *user, struct xpl_error *err);

/** With the API keys. XPL_NOT_FOUND when there is none. */
enum xpl_status xpl_user_delete(struct xpl_db *db, const char *name, struct xpl_error *err);

enum xpl_status xpl_user_count(struct xpl_db *db, int64_t *ret, struct xpl_error *err);

/** The administrators of a data mart. */
enum xpl_status xpl_user_count_admins(struct xpl_db *db, const char *data_mart_id, int64_t *ret, struct xpl_error *err);

/** XPL_CONFLICT when the user has XPL_KEYS_PER_USER of them. */
enum xpl_status xpl_api_key_insert(struct xpl_db *db, const struct xpl_api_key *key, struct xpl_error *err);
enum xpl_status xpl_api_key_list(struct xpl_db *db, struct xpl_arena *arena, const char *user_name,
                                 struct xpl_api_key **ret, size_t *ret_count, struct xpl_error *err);

/** XPL_NOT_FOUND when the user has no such key. */
enum xpl_status xpl_api_key_delete(struct xpl_db *db, const char *user_name, const char *id, struct xpl_error *err);

/** Forgets revoked tokens that have expired anyway. Revoking one twice is fine. */
enum xpl_status xpl_token_revoke(struct xpl_db *db, const struct xpl_revoked_token *token, struct xpl_error *err);
enum xpl_status xpl_token_list_revoked(struct xpl_db *db, struct xpl_arena *arena, struct xpl_revoked_token **ret,
                                       size_t *ret_count, struct xpl_error *err);

#endif
