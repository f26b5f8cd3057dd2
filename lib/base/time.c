/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/time.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#define US_PER_SECOND INT64_C(1000000)
#define FIRST_SECOND  INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND   INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t xpl_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t xpl_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

char *xpl_time_format(int64_t instant_us, char out[XPL_TIME_TEXT_SIZE])
{
    int64_t fraction = ((instant_us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND;
    time_t seconds = (time_t)((instant_us - fraction) / US_PER_SECOND);
    struct tm utc;
    char text[64];

    gmtime_r(&seconds, &utc);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
             utc.tm_hour, utc.tm_min, utc.tm_sec, (int)fraction);
    snprintf(out, XPL_TIME_TEXT_SIZE, "%.27s", text);
    return out;
}

/* Exactly `digits` decimal digits. */
static bool read_digits(const char **at, int digits, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret_value = value;
    return true;
}

static bool read_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static int64_t read_fraction(const char **at)
{
    int64_t value = 0;
    int digits = 0;

    if (**at != '.' && **at != ',')
        return 0;
    for ((*at)++; **at >= '0' && **at <= '9'; (*at)++)
        if (digits < 6) {
            value = value * 10 + (**at - '0');
            digits++;
        }
    for (; digits < 6; digits++)
        value *= 10;
    return value;
}

/* "Z", "+hh:mm", "+hhmm" or nothing (UTC). */
static bool read_zone(const char **at, int *ret_minutes)
{
    int sign = **at == '-' ? -1 : 1, hours = 0, minutes = 0;

    *ret_minutes = 0;
    if (**at == '\0')
        return true;
    if (read_char(at, 'Z') || read_char(at, 'z'))
        return true;
    if (**at != '+' && **at != '-')
        return false;
    (*at)++;
    if (!read_digits(at, 2, &hours))
        return false;
    read_char(at, ':');
    if (!read_digits(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool xpl_time_parse(const char *text, int64_t *ret_instant_us)
{
    int year, month, day, hour = 0, minute = 0, second = 0, zone = 0;
    int64_t fraction = 0;
    struct tm utc = {0};
    time_t seconds;

    if (!read_digits(&text, 4, &year) || !read_char(&text, '-') || !read_digits(&text, 2, &month) ||
        !read_char(&text, '-') || !read_digits(&text, 2, &day))
        return false;
    if (*text) {
        if (!(read_char(&text, 'T') || read_char(&text, 't') || read_char(&text, ' ')))
            return false;
        if (!read_digits(&text, 2, &hour) || !read_char(&text, ':') || !read_digits(&text, 2, &minute))
            return false;
        if (read_char(&text, ':') && !read_digits(&text, 2, &second))
            return false;
        fraction = read_fraction(&text);
        if (!read_zone(&text, &zone) || *text)
            return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    utc.tm_mday = day;
    utc.tm_hour = hour;
    utc.tm_min = minute;
    utc.tm_sec = second;
    seconds = timegm(&utc) - zone * 60;
    if (utc.tm_mday != day)
        return false; /* such as 31 February */
    if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
        return false; /* the zone leads to a year that four digits cannot say */
    *ret_instant_us = (int64_t)seconds * US_PER_SECOND + fraction;
    return true;
}
