/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/interrupt.h"

#include "lib/base/time.h"

enum xpl_status xpl_patience_check(void *patience, struct xpl_error *err)
{
    const struct xpl_patience *p = patience;

    if (p->cancel && atomic_load(p->cancel))
        return xpl_fail(err, XPL_CANCELLED, "the explanation was cancelled");
    if (p->deadline_us && xpl_monotonic_us() >= p->deadline_us)
        return xpl_fail(err, XPL_DEADLINE, "the explanation's deadline passed");
    return XPL_OK;
}
