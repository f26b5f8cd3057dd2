/* SPDX-License-Identifier: Apache-2.0 */
#include "db/fsck.h"

#include <stdio.h>
#include <string.h>

#include "db/backup.h"

#define ARENA_BYTES  ((size_t)64 << 20)
#define MAX_PROBLEMS 10000 /* of one check that are counted */

/* Every row that a query gives is a problem; its column `what` names it. */
static const struct {
    const char *name, *sql;
} checks[] = {
    {"the file is intact", "SELECT integrity_check AS what FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
    {"references lead to a row", "SELECT \"table\" || ' row ' || COALESCE(rowid, '?') AS what"
                                 " FROM pragma_foreign_key_check"},
    {"subscriptions have a provider", "SELECT id AS what FROM subscriptions"
                                      " WHERE service_provider_id NOT IN (SELECT id FROM service_providers)"},
    {"data sets have a subscription", "SELECT id AS what FROM data_sets WHERE target_type = 'subscription'"
                                      " AND target_id NOT IN (SELECT id FROM subscriptions)"},
    {"monitor instances have a subscription", "SELECT id AS what FROM monitor_instances"
                                              " WHERE target_type = 'subscription'"
                                              " AND target_id NOT IN (SELECT id FROM subscriptions)"},
    {"webhooks have a subscription", "SELECT id AS what FROM webhooks WHERE target_type = 'subscription'"
                                     " AND target_id NOT IN (SELECT id FROM subscriptions)"},
    {"records have a data set of their tenant",
     "SELECT r.id AS what FROM records r LEFT JOIN data_sets d ON d.id = r.data_set_id"
     " WHERE d.id IS NULL OR d.data_mart_id <> r.data_mart_id"},
    {"records have a payload of their tenant",
     "SELECT r.id AS what FROM records r LEFT JOIN payloads p ON p.id = r.payload_id"
     " WHERE p.id IS NULL OR p.data_mart_id <> r.data_mart_id"},
    {"payloads have a record", "SELECT CAST(id AS TEXT) AS what FROM payloads"
                               " WHERE id NOT IN (SELECT payload_id FROM records)"},
    {"payloads have the request they share", "SELECT CAST(id AS TEXT) AS what FROM payloads"
                                             " WHERE request_text_id IS NOT NULL"
                                             " AND request_text_id NOT IN (SELECT id FROM request_texts)"},
    {"shared requests have a payload", "SELECT CAST(id AS TEXT) AS what FROM request_texts"
                                       " WHERE id NOT IN (SELECT request_text_id FROM payloads"
                                       " WHERE request_text_id IS NOT NULL)"},
    {"scoring ids name transaction and row",
     "SELECT id AS what FROM records WHERE scoring_id <> transaction_id || '-' || row_number"},
    {"tasks have a record of their tenant",
     "SELECT t.id AS what FROM explanation_tasks t LEFT JOIN records r ON r.id = t.record_id"
     " WHERE r.id IS NULL OR r.data_mart_id <> t.data_mart_id"},
    {"records are as many as was counted",
     "SELECT COALESCE(k.data_set_id, r.data_set_id) || ' block ' || COALESCE(k.block, r.block) AS what FROM"
     " (SELECT data_set_id, seq / 4096 AS block, COUNT(*) AS n FROM records GROUP BY 1, 2) r"
     " FULL JOIN record_blocks k ON k.data_set_id = r.data_set_id AND k.block = r.block WHERE r.n IS NOT k.n"},
    {"tasks are as many as was counted",
     "SELECT COALESCE(k.subscription_id, t.subscription_id) || ' ' || COALESCE(k.state, t.state) AS what FROM"
     " (SELECT data_mart_id, subscription_id, state, COUNT(*) AS n FROM explanation_tasks GROUP BY 1, 2, 3) t"
     " FULL JOIN (SELECT * FROM task_counts WHERE n <> 0) k ON k.data_mart_id = t.data_mart_id"
     " AND k.subscription_id = t.subscription_id AND k.state = t.state WHERE t.n IS NOT k.n"},
    {"payloads take what was counted",
     "SELECT COALESCE(u.data_set_id, p.data_set_id) AS what FROM"
     " (SELECT data_set_id, SUM(n) AS bytes FROM"
     "   (SELECT data_set_id, length(request) + length(response) AS n FROM payloads"
     "     UNION ALL SELECT data_set_id, length(request) FROM request_texts) GROUP BY 1) p"
     " FULL JOIN data_set_usage u ON u.data_set_id = p.data_set_id"
     " WHERE COALESCE(p.bytes, 0) <> COALESCE(u.payload_bytes, 0)"},
    {"leased tasks have an owner, an end and an attempt",
     "SELECT id AS what FROM explanation_tasks"
     " WHERE state = 'leased' AND (lease_owner IS NULL OR lease_until IS NULL OR attempt < 1)"},
    {"other tasks have no owner", "SELECT id AS what FROM explanation_tasks"
                                  " WHERE state <> 'leased' AND (lease_owner IS NOT NULL OR lease_until IS NOT NULL)"},
    {"failed tasks say why", "SELECT id AS what FROM explanation_tasks"
                             " WHERE state = 'error' AND (error_code IS NULL OR error_message IS NULL)"},
    {"finished tasks have an explanation", "SELECT id AS what FROM explanation_tasks WHERE state = 'finished'"
                                           " AND id NOT IN (SELECT task_id FROM explanations)"},
    {"explanations have a finished task",
     "SELECT task_id AS what FROM (SELECT task_id FROM explanations UNION SELECT task_id FROM explanation_samples)"
     " WHERE task_id NOT IN (SELECT id FROM explanation_tasks WHERE state = 'finished')"},
    {"explanations are JSON", "SELECT task_id AS what FROM explanations"
                              " WHERE NOT json_valid(answer) OR NOT json_valid(attributions)"},
    /* masks of 8 bytes, classes and scores of 4 */
    {"masks, classes and scores fit together",
     "SELECT task_id AS what FROM explanation_samples WHERE length(masks) % 8 <> 0 OR length(classes) % 4 <> 0"
     " OR length(scores) <> length(masks) / 8 * length(classes)"},
};

#define N_CHECKS (sizeof checks / sizeof *checks)

void xpl_fsck_note(struct xpl_fsck_finding *finding, const char *what)
{
    size_t used = strlen(finding->examples);

    if (finding->n++ < XPL_FSCK_EXAMPLES)
        snprintf(finding->examples + used, sizeof finding->examples - used, "%s%.100s", used ? ", " : "", what);
}

static void read_what(struct xpl_row *row, void *out)
{
    *(const char **)out = xpl_row_text(row, "what");
}

static enum xpl_status run_check(struct xpl_db *db, const char *sql, struct xpl_fsck_finding *ret,
                                 struct xpl_error *err)
{
    struct xpl_arena *arena = xpl_arena_new(ARENA_BYTES);
    const char **rows;
    size_t n = 0;
    enum xpl_status st;

    if (!arena)
        return xpl_no_memory(err);
    XPL_AUTO(xpl_stmt) query = xpl_db_query(db, sql);
    st = xpl_fetch_all(query, arena, read_what, sizeof *rows, MAX_PROBLEMS, &rows, &n, err);
    for (size_t i = 0; !st && i < n; i++)
        xpl_fsck_note(ret, rows[i] ? rows[i] : "?");
    xpl_arena_free(arena);
    return st;
}

struct run {
    struct xpl_db *db;
    xpl_fsck_report_fn report;
    void *context;
    int64_t n_problems;
};

static void tell(struct run *run, const char *check, struct xpl_fsck_finding *finding)
{
    run->n_problems += finding->n;
    run->report(run->context, check, finding->n, finding->examples);
}

/* On a damaged file a check may fail itself; that is a finding, and the others still run. */
static void note_failure(struct xpl_fsck_finding *finding, const struct xpl_error *err)
{
    finding->n++;
    snprintf(finding->examples, sizeof finding->examples, "not checked to the end: %.200s", err->message);
}

static void check_rows(struct run *run)
{
    for (size_t i = 0; i < N_CHECKS; i++) {
        struct xpl_fsck_finding finding = {0};
        struct xpl_error err = {0};

        if (run_check(run->db, checks[i].sql, &finding, &err))
            note_failure(&finding, &err);
        tell(run, checks[i].name, &finding);
    }
}

static void check_payloads(struct run *run)
{
    struct xpl_fsck_payloads found = {0};
    struct xpl_error err = {0};

    if (xpl_fsck_payloads(run->db, &found, &err))
        note_failure(&found.unreadable, &err);
    tell(run, "payloads can be read", &found.unreadable);
    tell(run, "payloads have the content that was logged", &found.wrong_hash);
    tell(run, "images lie inside of their payload", &found.outside);
}

enum xpl_status xpl_fsck(const char *path, xpl_fsck_report_fn report, void *context, int64_t *ret_problems,
                         struct xpl_error *err)
{
    XPL_AUTO(xpl_db) db = NULL;
    struct run run = {.report = report, .context = context};
    struct xpl_error inner = {0};
    enum xpl_status st;

    if ((st = xpl_db_open(path, XPL_DB_READER, &db, &inner)) || (st = xpl_db_check_version(db, &inner))) {
        if (!xpl_db_is_damaged(path))
            return xpl_fail_field(err, st, inner.field, "%s", inner.message);
        report(context, checks[0].name, 1, inner.message);
        *ret_problems = 1;
        return XPL_OK;
    }
    run.db = db;
    xpl_db_begin_read(db);
    check_rows(&run);
    check_payloads(&run);
    xpl_db_end_read(db);
    *ret_problems = run.n_problems;
    return XPL_OK;
}
