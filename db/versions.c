/* SPDX-License-Identifier: Apache-2.0 */
#include "db/versions.h"

#include <string.h>

static bool is_configuration(const char *table)
{
    static const char *const tables[] = {"data_sets", "subscriptions", "monitor_instances", "service_providers"};

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(table, tables[i]) == 0)
            return true;
    return false;
}

/* For every row that is written: most are of records. A task is updated while it is worked on, then no more. */
static void on_change(void *context, enum xpl_row_change change, const char *table)
{
    struct xpl_version_clock *clock = context;

    if (strchr("dsm", *table))
        clock->configuration_touched |= is_configuration(table);
    else if (change != XPL_ROW_INSERTED && *table == 'e')
        clock->explanations_touched |= strcmp(table, "explanations") == 0 ||
                                       (change == XPL_ROW_DELETED && strcmp(table, "explanation_tasks") == 0);
}

void xpl_versions_watch(struct xpl_version_clock *clock, struct xpl_db *db)
{
    xpl_db_watch(db, on_change, clock);
}

void xpl_versions_publish(struct xpl_version_clock *clock)
{
    if (clock->configuration_touched)
        atomic_fetch_add(&clock->configuration, 1);
    if (clock->explanations_touched)
        atomic_fetch_add(&clock->explanations, 1);
    clock->configuration_touched = clock->explanations_touched = false;
}

struct xpl_versions xpl_versions_read(struct xpl_version_clock *clock)
{
    return (struct xpl_versions){atomic_load(&clock->configuration), atomic_load(&clock->explanations)};
}
