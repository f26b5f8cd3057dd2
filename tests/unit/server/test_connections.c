/* SPDX-License-Identifier: Apache-2.0 */
/* From where a connection comes: that decides whether a login is needed, and whose wrong passwords are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "server/http/connections.h"

static struct xpl_connections *make(void)
{
    const struct xpl_connection_limits limits = {.in_all = 8, .per_address = 8, .header_ms = 1000};
    struct xpl_connections *connections;
    struct xpl_error err = {0};

    assert_int_equal(xpl_connections_new(&limits, &connections, &err), XPL_OK);
    return connections;
}

static const struct xpl_connection *from(struct xpl_connections *connections, const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&address;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    else
        address.ss_family = AF_UNIX;
    return xpl_connections_add(connections, -1, (const struct sockaddr *)&address);
}

static void only_addresses_of_this_machine_are_loopback(void **state)
{
    static const char *const near[] = {"127.0.0.1", "127.8.9.10", "::1", "unix"};
    static const char *const far[] = {"10.0.0.1", "128.0.0.1", "192.168.127.1", "fe80::1", "2001:db8::1"};
    struct xpl_connections *connections = make();

    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof *near; i++)
        assert_true(xpl_connection_is_loopback(from(connections, near[i])));
    xpl_connections_free(connections);
    connections = make();
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        assert_false(xpl_connection_is_loopback(from(connections, far[i])));
    assert_false(xpl_connection_is_loopback(NULL));
    xpl_connections_free(connections);
}

static void only_the_unix_socket_is_local(void **state)
{
    struct xpl_connections *connections = make();

    (void)state;
    assert_true(xpl_connection_is_local(from(connections, "unix")));
    assert_false(xpl_connection_is_local(from(connections, "127.0.0.1")));
    assert_false(xpl_connection_is_local(from(connections, "::1")));
    assert_false(xpl_connection_is_local(NULL));
    xpl_connections_free(connections);
}

static void a_source_is_an_address_or_an_ipv6_network(void **state)
{
    struct xpl_connections *connections = make();

    (void)state;
    assert_string_equal(xpl_connection_source(from(connections, "10.0.0.1")),
                        xpl_connection_source(from(connections, "10.0.0.1")));
    assert_string_not_equal(xpl_connection_source(from(connections, "10.0.0.1")),
                            xpl_connection_source(from(connections, "10.0.0.2")));
    assert_string_equal(xpl_connection_source(from(connections, "2001:db8::1")),
                        xpl_connection_source(from(connections, "2001:db8::2")));
    assert_string_not_equal(xpl_connection_source(from(connections, "2001:db8:0:1::1")),
                            xpl_connection_source(from(connections, "2001:db8:0:2::1")));
    xpl_connections_free(connections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_addresses_of_this_machine_are_loopback),
        cmocka_unit_test(only_the_unix_socket_is_local),
        cmocka_unit_test(a_source_is_an_address_or_an_ipv6_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
