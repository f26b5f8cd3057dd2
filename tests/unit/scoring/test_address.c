/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scoring/scoring_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/scoring/transport/address.h"

static struct xpl_address_policy *policy_of(struct xpl_arena *arena, const char *allow, bool local)
{
    struct xpl_address_policy *policy = NULL;
    struct xpl_error err = {0};

    if (xpl_address_policy_new(arena, allow, local, &policy, &err))
        fail_msg("%s", err.message);
    return policy;
}

static bool allows(const struct xpl_address_policy *policy, const char *host, unsigned port, const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return xpl_address_allowed(policy, host, port, (const struct sockaddr *)(const void *)&v4);
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return xpl_address_allowed(policy, host, port, (const struct sockaddr *)(const void *)&v6);
}

static const char *const public_addresses[] = {"93.184.216.34", "8.8.8.8",  "2606:4700::1111",
                                               "172.32.0.1",    "11.0.0.1", "192.167.0.1"};
static const char *const private_addresses[] = {
    "127.0.0.1",  "127.255.0.9",    "10.1.2.3",        "172.16.0.1",       "172.31.255.255", "192.168.1.1",
    "::1",        "fd12::1",        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "100.64.0.1",     "64:ff9b::7f00:1",
    "198.18.0.1", "64:ff9b::a00:1",
};
static const char *const forbidden_addresses[] = {
    "169.254.169.254",    "169.254.0.1",     "0.0.0.0",   "0.1.2.3",        "224.0.0.1",
    "239.1.1.1",          "255.255.255.255", "fe80::1",   "ff02::1",        "::",
    "::ffff:169.254.1.1", "fd00:ec2::254",   "240.0.0.1", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe",
};

#define FOR_EACH(address, list)                                                                                        \
    for (size_t i_ = 0; i_ < sizeof(list) / sizeof *(list); i_++)                                                      \
        for (const char *address = (list)[i_]; address; address = NULL)

static void without_a_list_public_addresses_only_are_allowed(void **state)
{
    const struct xpl_address_policy *policy = policy_of(*state, "", false);

    FOR_EACH(address, public_addresses)
    if (!allows(policy, "h", 443, address))
        fail_msg("%s is refused", address);
    FOR_EACH(address, private_addresses)
    if (allows(policy, "h", 443, address))
        fail_msg("%s is allowed", address);
}

static void a_local_daemon_may_reach_private_addresses(void **state)
{
    const struct xpl_address_policy *policy = policy_of(*state, NULL, true);

    FOR_EACH(address, private_addresses)
    if (!allows(policy, "h", 443, address))
        fail_msg("%s is refused", address);
}

static void link_local_metadata_and_multicast_are_never_allowed(void **state)
{
    const struct xpl_address_policy *policies[] = {
        policy_of(*state, "", true),
        policy_of(*state, "0.0.0.0/0,::/0,h", false),
    };

    for (size_t i = 0; i < 2; i++)
        FOR_EACH(address, forbidden_addresses)
    if (allows(policies[i], "h", 80, address))
        fail_msg("%s is allowed", address);
}

static void a_list_allows_nothing_but_what_it_names(void **state)
{
    const struct xpl_address_policy *policy =
        policy_of(*state, "models.example:8443, 10.2.0.0/16,192.168.7.7:80 [fd00::5]:9000,fd77::/16,plain", true);

    assert_true(allows(policy, "models.example", 8443, "8.8.8.8"));
    assert_true(allows(policy, "MODELS.Example", 8443, "10.9.9.9"));
    assert_false(allows(policy, "models.example", 443, "8.8.8.8"));
    assert_false(allows(policy, "models.example.evil", 8443, "8.8.8.8"));
    assert_true(allows(policy, "x", 1, "10.2.255.1"));
    assert_true(allows(policy, "x", 1, "::ffff:10.2.255.1"));
    assert_false(allows(policy, "x", 1, "10.3.0.1"));
    assert_true(allows(policy, "x", 80, "192.168.7.7"));
    assert_false(allows(policy, "x", 81, "192.168.7.7"));
    assert_false(allows(policy, "x", 80, "192.168.7.8"));
    assert_true(allows(policy, "x", 9000, "fd00::5"));
    assert_false(allows(policy, "x", 9001, "fd00::5"));
    assert_true(allows(policy, "x", 9, "fd77:1::"));
    assert_true(allows(policy, "plain", 9, "127.0.0.1"));
    assert_false(allows(policy, "x", 443, "8.8.8.8"));
    assert_false(allows(policy, "x", 443, "127.0.0.1"));
}

static void networks_that_do_not_end_at_a_byte_are_matched_by_bits(void **state)
{
    const struct xpl_address_policy *policy = policy_of(*state, "10.128.0.0/9,192.168.1.64/27", false);

    assert_true(allows(policy, "x", 1, "10.128.0.1"));
    assert_true(allows(policy, "x", 1, "10.255.255.255"));
    assert_false(allows(policy, "x", 1, "10.127.255.255"));
    assert_true(allows(policy, "x", 1, "192.168.1.95"));
    assert_false(allows(policy, "x", 1, "192.168.1.96"));
    assert_false(allows(policy, "x", 1, "192.168.1.63"));
}

static void entries_that_make_no_sense_are_named(void **state)
{
    static const char *const bad[] = {"10.0.0.0/33", "host:0",      "host:65536", "host:http", "[::1",
                                      "fd00::/129",  "10.0.0.0/-1", "a b@c",      "http://h",  "host/8"};

    FOR_EACH(entry, bad)
    {
        struct xpl_address_policy *policy;
        struct xpl_error err = {0};

        if (xpl_address_policy_new(*state, entry, true, &policy, &err) != XPL_BAD_FIELD)
            fail_msg("%s is taken", entry);
        assert_string_equal(err.field, "scoring.allow");
        assert_true(err.message[0] == '"');
    }
}

static void other_families_than_ip_are_refused(void **state)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};

    assert_false(xpl_address_allowed(policy_of(*state, "", true), "h", 1, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCORING_TEST(without_a_list_public_addresses_only_are_allowed),
        SCORING_TEST(a_local_daemon_may_reach_private_addresses),
        SCORING_TEST(link_local_metadata_and_multicast_are_never_allowed),
        SCORING_TEST(a_list_allows_nothing_but_what_it_names),
        SCORING_TEST(networks_that_do_not_end_at_a_byte_are_matched_by_bits),
        SCORING_TEST(entries_that_make_no_sense_are_named),
        SCORING_TEST(other_families_than_ip_are_refused),
    };

    return cmocka_run_group_tests_name("scoring/address", tests, NULL, NULL);
}
