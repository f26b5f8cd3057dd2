/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `explaind decode-helper`: the process that decodes the pictures of clients, because files that are made to break a
 * decoder should break one that has nothing. It has one socket as its standard input and output, no other file, no key
 * and no environment; it may read, write and end itself, and nothing else, and gets no more memory than it started
 * with. The daemon starts it (server/decoding/decoder.h).
 */
#ifndef XPL_SERVER_DECODE_HELPER_H
#define XPL_SERVER_DECODE_HELPER_H

/** Seconds of the processor that one such process may use in its life. */
#define XPL_DECODE_CPU_SECONDS 120

/** Answers questions until the socket is closed. To be called before anything else of the program has begun. */
int xpl_decode_helper(void);

#endif
