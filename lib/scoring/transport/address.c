/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scoring/transport/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"

#define MAX_ENTRIES 256

/* One entry of the list: a name, or a network of 16-byte addresses (IPv4 as ::ffff:a.b.c.d). */
struct entry {
    const char *host; /* NULL for networks */
    uint8_t network[16];
    unsigned bits;
    unsigned port; /* 0 = any */
};

struct xpl_address_policy {
    struct entry entries[MAX_ENTRIES];
    size_t n_entries;
    bool local;
};

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64_prefix[12] = {0, 0x64, 0xff, 0x9b};

/* ---- addresses as 16 bytes ---- */

static void from_v4(const void *four, uint8_t out[16])
{
    memcpy(out, v4_prefix, 12);
    memcpy(out + 12, four, 4);
}

static bool parse_address(const char *text, uint8_t out[16], bool *ret_v4)
{
    uint8_t four[4];

    *ret_v4 = inet_pton(AF_INET, text, four) == 1;
    if (*ret_v4)
        from_v4(four, out);
    return *ret_v4 || inet_pton(AF_INET6, text, out) == 1;
}

static bool from_socket(const struct sockaddr *address, uint8_t out[16])
{
    if (address->sa_family == AF_INET) {
        from_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, out);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    /* what really is reached is the IPv4 address inside */
    if (memcmp(out, nat64_prefix, 12) == 0)
        memcpy(out, v4_prefix, 12);
    else if (out[0] == 0x20 && out[1] == 0x02) /* 6to4 */
        from_v4((uint8_t[4]){out[2], out[3], out[4], out[5]}, out);
    return true;
}

static bool in_network(const uint8_t address[16], const uint8_t network[16], unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(address, network, whole) != 0)
        return false;
    return rest == 0 || (uint8_t)(address[whole] ^ network[whole]) >> (8 - rest) == 0;
}

struct range {
    const char *network;
    unsigned bits; /* of the address as written */
};

static bool in_any(const uint8_t address[16], const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t network[16];
        bool v4;

        if (parse_address(ranges[i].network, network, &v4) &&
            in_network(address, network, ranges[i].bits + (v4 ? 96 : 0)))
            return true;
    }
    return false;
}

static bool is_forbidden(const uint8_t address[16])
{
    static const struct range ranges[] =
        {
            {"0.0.0.0", 8},        {"169.254.0.0", 16},     {"224.0.0.0", 4},     {"240.0.0.0", 4},
            {"::", 128},           {"fe80::", 10},          {"ff00::", 8},        {"fd00:ec2::254", 128},
            {"2001:db8::", 32},    {"192.0.2.0", 24},       {"198.51.100.0", 24}, {"203.0.113.0", 24},
            {"168.63.129.16", 32}, {"100.100.100.200", 32}, /* metadata of clouds */
        };

    return in_any(address, ranges, sizeof ranges / sizeof *ranges);
}

static bool is_private(const uint8_t address[16])
{
    static const struct range ranges[] = {
        {"127.0.0.0", 8},   {"10.0.0.0", 8}, {"172.16.0.0", 12},  {"192.168.0.0", 16},
        {"100.64.0.0", 10}, {"::1", 128},    {"fc00::", 7},       {"198.18.0.0", 15},
        {"192.0.0.0", 24},  {"fec0::", 10},  {"64:ff9b:1::", 48}, {"::", 96},
    };

    return in_any(address, ranges, sizeof ranges / sizeof *ranges);
}

/* ---- the list ---- */

static bool parse_network(char *text, char *slash, struct entry *entry)
{
    int64_t bits;
    bool v4;

    *slash = '\0';
    if (!parse_address(text, entry->network, &v4) || !xpl_parse_int(slash + 1, 0, v4 ? 32 : 128, &bits))
        return false;
    entry->bits = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

/* Cuts a port off: "host:80", "[::1]:80"; a bare IPv6 address has none. */
static bool cut_port(char **text, unsigned *ret_port)
{
    char *colon = strrchr(*text, ':');
    int64_t port;

    if (**text == '[') {
        char *end = strchr(*text, ']');

        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        colon = end[1] ? end + 1 : NULL;
        *end = '\0';
        ++*text;
    } else if (colon && strchr(*text, ':') != colon) {
        return true;
    }
    if (!colon)
        return true;
    *colon = '\0';
    if (!xpl_parse_int(colon + 1, 1, 65535, &port))
        return false;
    *ret_port = (unsigned)port;
    return true;
}

static bool parse_entry(char *text, struct entry *entry)
{
    char *slash = strchr(text, '/');
    bool v4;

    if (slash)
        return parse_network(text, slash, entry);
    if (!cut_port(&text, &entry->port) || !*text)
        return false;
    if (parse_address(text, entry->network, &v4))
        entry->bits = 128;
    else
        entry->host = text;
    return !entry->host || !text[strcspn(text, "*\t[]@?#%")];
}

enum xpl_status xpl_address_policy_new(struct xpl_arena *arena, const char *allow, bool local,
                                       struct xpl_address_policy **ret, struct xpl_error *err)
{
    struct xpl_address_policy *policy = XPL_NEW(arena, struct xpl_address_policy);
    char *list = xpl_arena_string(arena, allow ? allow : "");

    if (!policy || !list)
        return xpl_no_memory(err);
    policy->local = local;
    while (*(list += strspn(list, ", "))) {
        size_t length = strcspn(list, ", ");
        char *text = list, *whole = xpl_arena_string_n(arena, list, length);

        list += length + (list[length] != '\0');
        text[length] = '\0';
        if (!whole)
            return xpl_no_memory(err);
        if (policy->n_entries == MAX_ENTRIES)
            return xpl_fail_field(err, XPL_BAD_FIELD, "scoring.allow", "has more than %d entries", MAX_ENTRIES);
        if (!parse_entry(text, &policy->entries[policy->n_entries++]))
            return xpl_fail_field(err, XPL_BAD_FIELD, "scoring.allow",
                                  "\"%.80s\" is not host[:port], address[:port], [IPv6]:port or network/bits", whole);
    }
    *ret = policy;
    return XPL_OK;
}

static bool entry_covers(const struct entry *entry, const char *host, unsigned port, const uint8_t address[16])
{
    if (entry->port && entry->port != port)
        return false;
    if (entry->host)
        return strcasecmp(entry->host, host) == 0;
    return in_network(address, entry->network, entry->bits);
}

bool xpl_address_allowed(const struct xpl_address_policy *policy, const char *host, unsigned port,
                         const struct sockaddr *address)
{
    uint8_t bytes[16];

    if (!from_socket(address, bytes) || is_forbidden(bytes))
        return false;
    if (policy->n_entries == 0)
        return policy->local || !is_private(bytes);
    for (size_t i = 0; i < policy->n_entries; i++)
        if (entry_covers(&policy->entries[i], host, port, bytes))
            return true;
    return false;
}
