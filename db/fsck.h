/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a database holds together: the file itself, and everything that rows promise about each other. Reads only;
 * may run beside a daemon, or on a copy.
 */
#ifndef XPL_DB_FSCK_H
#define XPL_DB_FSCK_H

#include "db/db.h"

/** Called once for every check, in order. `examples` names the first rows that break it, or says why it could not run.
 */
typedef void (*xpl_fsck_report_fn)(void *context, const char *check, int64_t n_problems, const char *examples);

/**
 * Runs all checks on the file `path`; `*ret_problems` is the sum over them. An error means that there is nothing to
 * check: no such file, not a database of this program, or of another version of it.
 */
enum xpl_status xpl_fsck(const char *path, xpl_fsck_report_fn report, void *context, int64_t *ret_problems,
                         struct xpl_error *err);

/* ---- private to fsck*.c ---- */

#define XPL_FSCK_EXAMPLES 5

struct xpl_fsck_finding {
    int64_t n;
    char examples[512];
};
void xpl_fsck_note(struct xpl_fsck_finding *finding, const char *what);

/** The content of payloads and what records say about it. */
struct xpl_fsck_payloads {
    struct xpl_fsck_finding unreadable, wrong_hash, outside;
};
enum xpl_status xpl_fsck_payloads(struct xpl_db *db, struct xpl_fsck_payloads *ret, struct xpl_error *err);

#endif
