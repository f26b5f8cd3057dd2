/* SPDX-License-Identifier: Apache-2.0 */
#include "server/commands/commands.h"

#include <stdio.h>
#include <sysexits.h>

#include "db/backup.h"
#include "db/fsck.h"
#include "server/data_dir.h"

static int fail(const struct xpl_error *err, int code)
{
    fprintf(stderr, "explaind: %s\n", err->message);
    return code;
}

int xpl_backup_command(struct xpl_arena *arena, const char *data_dir, const char *copy)
{
    const char *database = xpl_data_dir_database(arena, data_dir);
    struct xpl_error err = {0};
    bool damaged;
    int64_t bytes;

    if (!database)
        return EX_OSERR;
    if (xpl_db_backup(database, copy, &bytes, &damaged, &err))
        return fail(&err, err.status == XPL_CONFLICT ? EX_CANTCREAT : EX_IOERR);
    printf("%s: %lld bytes, checked\n", copy, (long long)bytes);
    return EX_OK;
}

static void print_check(void *context, const char *check, int64_t n_problems, const char *examples)
{
    (void)context;
    if (n_problems == 0)
        printf("ok   %s\n", check);
    else
        printf("BAD  %s: %lld (%s)\n", check, (long long)n_problems, examples);
}

int xpl_fsck_command(struct xpl_arena *arena, const char *data_dir, const char *file)
{
    const char *database = file ? file : xpl_data_dir_database(arena, data_dir);
    struct xpl_error err = {0};
    int64_t problems;

    if (!database)
        return EX_OSERR;
    if (xpl_fsck(database, print_check, NULL, &problems, &err))
        return fail(&err, EX_DATAERR);
    printf("%s: %lld problem%s\n", database, (long long)problems, problems == 1 ? "" : "s");
    return problems == 0 ? 0 : 1;
}
