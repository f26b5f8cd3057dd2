/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPL_BASE_PROCESSORS_H
#define XPL_BASE_PROCESSORS_H

/** A function compiled twice, for processors with and without AVX2; sanitizers do not like what chooses between them.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&               \
    !defined(__SANITIZE_THREAD__)
#define XPL_FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define XPL_FOR_EACH_PROCESSOR
#endif

#endif
