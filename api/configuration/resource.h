/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all resources of the configuration have in common: add, list, get, patch, delete, and their view.
 *
 * A resource type says what is special about it.
 */
#ifndef XPL_API_RESOURCE_H
#define XPL_API_RESOURCE_H

#include "api/call.h"
#include "api/configuration/secrets.h"
#include "db/resources.h"

struct xpl_resource_type {
    const struct xpl_resource_kind *kind;
    const char *singular, *plural;                 /* "subscription", "subscriptions" */
    const char *filters[XPL_RESOURCE_MAX_COLUMNS]; /* query name = path in the entity, in the order of kind->columns */
    const char *const *more_filters;               /* further ones, looked up in each entity; NULL = none */
    const char *const *read_only;                  /* members a patch must not write, ended by NULL */
    const struct xpl_secrets *secrets;             /* what is stored encrypted and never shown; NULL = nothing */

    /** Checks an entity, when it is made and after a patch. Fields in errors are relative to the entity. */
    enum xpl_status (*check)(const json_t *entity, struct xpl_error *err);

    /** May be NULL. Completes a checked entity before it is stored, when it is made and after a patch. */
    void (*complete)(json_t *entity);

    xpl_call_write_fn adding; /* writes a made resource, its `arg`, and replies */
    bool names_data_mart;     /* an entity has a data_mart_id, which must be the caller's */
    bool has_status;          /* an entity has a status: active */

    /** May be NULL. Adds computed members to the entity of an answer. */
    enum xpl_status (*decorate)(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource *resource,
                                json_t *entity, struct xpl_error *err);

    /** May be NULL. On the writer, before the row goes: refuses, or removes what depends on it. */
    enum xpl_status (*removing)(struct xpl_db *db, struct xpl_call *call, const char *id, bool force,
                                struct xpl_error *err);
};

/** {"metadata","entity"} of a stored resource; NULL with `err` set. */
json_t *xpl_resource_view(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                          const struct xpl_resource *resource, struct xpl_error *err);

/** The "metadata" member: id, crn, url, created_at, created_by and, once modified, modified_at and modified_by. */
json_t *xpl_metadata_view(const struct xpl_call *call, const struct xpl_resource_type *type,
                          const struct xpl_resource *resource);

/**
 * A new row for `entity`: a fresh id (or `id` when not NULL), filter columns taken out of it, its JSON text. `entity`
 * itself is completed, and its secrets are sealed.
 */
enum xpl_status xpl_resource_make(struct xpl_call *call, const struct xpl_resource_type *type, const char *id,
                                  json_t *entity, struct xpl_resource *ret, struct xpl_error *err);

/** Inserts a made resource and replies 202 with its view: the usual last step of a create on the writer. */
enum xpl_status xpl_resource_insert_and_reply(struct xpl_db *db, struct xpl_call *call,
                                              const struct xpl_resource_type *type, const struct xpl_resource *resource,
                                              struct xpl_error *err);

/** The stored entity as a tree the caller owns. */
enum xpl_status xpl_resource_entity(const struct xpl_resource *resource, json_t **ret, struct xpl_error *err);

/** Finds a resource and gives its entity with the secrets in plain: for calling models, never for an answer. */
enum xpl_status xpl_resource_load(const struct xpl_app *app, struct xpl_db *db, struct xpl_arena *arena,
                                  const struct xpl_resource_type *type, const char *data_mart_id, const char *id,
                                  json_t **ret_entity, struct xpl_error *err);

/** XPL_NOT_FOUND worded as the original does: Resource of `type` with given id `id` could not be found. */
enum xpl_status xpl_resource_missing(const char *singular, const char *id, struct xpl_error *err);

/** "status": {"state": "active"} into an entity. */
void xpl_set_active(json_t *entity);

/**
 * XPL_BAD_FIELD unless the data_mart_id of an entity, which must be a string, names the caller's data mart, with
 * letters in any case; then it is written as elsewhere.
 */
enum xpl_status xpl_check_data_mart(const struct xpl_call *call, json_t *entity, struct xpl_error *err);

/* The writes of a patch and a delete, with their replies; the id is path parameter 0. */
enum xpl_status xpl_resource_patch_now(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                                       struct xpl_error *err);
enum xpl_status xpl_resource_delete_now(struct xpl_db *db, struct xpl_call *call, const struct xpl_resource_type *type,
                                        bool force, struct xpl_error *err);

/* Handlers' bodies; the id is path parameter 0. */
enum xpl_answered xpl_resource_add_reply(struct xpl_call *call, const struct xpl_resource_type *type);
enum xpl_answered xpl_resource_list_reply(struct xpl_call *call, const struct xpl_resource_type *type);
enum xpl_answered xpl_resource_get_reply(struct xpl_call *call, const struct xpl_resource_type *type);
enum xpl_answered xpl_resource_patch_reply(struct xpl_call *call, const struct xpl_resource_type *type);
enum xpl_answered xpl_resource_delete_reply(struct xpl_call *call, const struct xpl_resource_type *type);

#endif
