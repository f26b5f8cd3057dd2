/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope cleanup: XPL_AUTO(type) declares a pointer that is released when its scope ends.
 *
 *     XPL_AUTO(xpl_buf) out = xpl_buf_new(1 << 20);
 *
 * A module that offers it defines `xpl_auto_<type>` with XPL_DEFINE_AUTO beside its free function. Never mixed with
 * goto in one function.
 */
#ifndef XPL_BASE_CLEANUP_H
#define XPL_BASE_CLEANUP_H

#define XPL_AUTO(type) __attribute__((cleanup(xpl_auto_##type))) struct type *

#define XPL_DEFINE_AUTO(type, free_function)                                                                           \
    static inline void xpl_auto_##type(struct type **pointer)                                                          \
    {                                                                                                                  \
        free_function(*pointer);                                                                                       \
    }

#endif
