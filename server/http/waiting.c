/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/waiting.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/time.h"

#define MAX_EVENTS 16
#define OWN_SERIAL 0 /* of the event that is no client's */

struct xpl_waiting {
    pthread_mutex_t lock;
    pthread_t thread;
    bool running;
    atomic_uint_fast64_t ends; /* grows with the lock held */
    int epoll_fd, wakeup_fd;
    size_t max;

    /* under the lock */
    struct xpl_waiter *first;
    size_t n;
    uint64_t last_serial;
    bool stopping;
};

/* ---- the list; all with the lock held ---- */

/* Takes a waiter off the list and puts it on `*out`: it is woken when the lock is free again. */
static void take_out(struct xpl_waiting *w, struct xpl_waiter **at, struct xpl_waiter **out)
{
    struct xpl_waiter *waiter = *at;

    epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, waiter->fd, NULL);
    *at = waiter->next;
    w->n--;
    waiter->next = *out;
    *out = waiter;
}

static struct xpl_waiter *take_all(struct xpl_waiting *w)
{
    struct xpl_waiter *out = NULL;

    while (w->first)
        take_out(w, &w->first, &out);
    return out;
}

static bool strike_out(struct xpl_waiter *waiter, const char *task_id)
{
    for (size_t i = 0; i < waiter->n_tasks; i++)
        while (i < waiter->n_tasks && strcmp(waiter->task_ids[i], task_id) == 0)
            waiter->task_ids[i] = waiter->task_ids[--waiter->n_tasks];
    return waiter->n_tasks == 0;
}

static struct xpl_waiter *take_of_task(struct xpl_waiting *w, const char *task_id)
{
    struct xpl_waiter *out = NULL;

    for (struct xpl_waiter **at = &w->first; *at;) {
        if (strike_out(*at, task_id))
            take_out(w, at, &out);
        else
            at = &(*at)->next;
    }
    return out;
}

static struct xpl_waiter *take_late(struct xpl_waiting *w, int64_t now)
{
    struct xpl_waiter *out = NULL;

    for (struct xpl_waiter **at = &w->first; *at;) {
        if ((*at)->until_us <= now)
            take_out(w, at, &out);
        else
            at = &(*at)->next;
    }
    return out;
}

static void take_gone(struct xpl_waiting *w, uint64_t serial, struct xpl_waiter **out)
{
    for (struct xpl_waiter **at = &w->first; *at; at = &(*at)->next) {
        if ((*at)->serial == serial) {
            take_out(w, at, out);
            return;
        }
    }
}

static void wake_all(struct xpl_waiter *list, enum xpl_woken why)
{
    while (list) {
        struct xpl_waiter *next = list->next; /* a woken one may be gone at once */

        list->wake(list, why);
        list = next;
    }
}

/* ---- the thread ---- */

static void nudge(struct xpl_waiting *w)
{
    while (eventfd_write(w->wakeup_fd, 1) != 0 && errno == EINTR)
        ;
}

/* Milliseconds until the first wait is over; -1 when nobody waits. */
static int time_left(const struct xpl_waiting *w, int64_t now)
{
    int64_t first_us = INT64_MAX;

    for (const struct xpl_waiter *waiter = w->first; waiter; waiter = waiter->next)
        if (waiter->until_us < first_us)
            first_us = waiter->until_us;
    if (first_us == INT64_MAX)
        return -1;
    return first_us <= now ? 0 : (int)((first_us - now + 999) / 1000);
}

static void *watch_main(void *arg)
{
    struct xpl_waiting *w = arg;
    struct epoll_event events[MAX_EVENTS];

    for (int timeout_ms = -1;;) {
        int n = epoll_wait(w->epoll_fd, events, MAX_EVENTS, timeout_ms);
        struct xpl_waiter *late, *gone = NULL;
        eventfd_t ignored;
        bool stopping;

        pthread_mutex_lock(&w->lock);
        late = take_late(w, xpl_monotonic_us());
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 == OWN_SERIAL)
                eventfd_read(w->wakeup_fd, &ignored);
            else
                take_gone(w, events[i].data.u64, &gone);
        }
        timeout_ms = time_left(w, xpl_monotonic_us());
        stopping = w->stopping;
        pthread_mutex_unlock(&w->lock);
        wake_all(late, XPL_WOKEN_LATE);
        wake_all(gone, XPL_WOKEN_GONE);
        if (stopping)
            return NULL;
    }
}

/* ---- for everybody ---- */

static enum xpl_wait add(struct xpl_waiting *w, struct xpl_waiter *waiter, uint64_t ends)
{
    struct epoll_event event = {.events = EPOLLRDHUP, .data.u64 = w->last_serial + 1};

    if (w->stopping || w->n >= w->max)
        return XPL_WAIT_REFUSED;
    if (ends != atomic_load(&w->ends))
        return XPL_WAIT_LOOK_AGAIN;
    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, waiter->fd, &event) != 0)
        return XPL_WAIT_REFUSED;
    waiter->serial = ++w->last_serial;
    waiter->next = w->first;
    w->first = waiter;
    w->n++;
    return XPL_WAIT_BEGUN;
}

enum xpl_wait xpl_waiting_add(struct xpl_waiting *waiting, struct xpl_waiter *waiter, uint64_t ends)
{
    enum xpl_wait result;

    pthread_mutex_lock(&waiting->lock);
    result = add(waiting, waiter, ends);
    pthread_mutex_unlock(&waiting->lock);
    if (result == XPL_WAIT_BEGUN)
        nudge(waiting);
    return result;
}

uint64_t xpl_waiting_ends(struct xpl_waiting *waiting)
{
    return atomic_load(&waiting->ends);
}

void xpl_waiting_ended(struct xpl_waiting *waiting, const char *task_id)
{
    struct xpl_waiter *list;

    pthread_mutex_lock(&waiting->lock);
    atomic_fetch_add(&waiting->ends, 1);
    list = task_id ? take_of_task(waiting, task_id) : take_all(waiting);
    pthread_mutex_unlock(&waiting->lock);
    wake_all(list, XPL_WOKEN_ENDED);
}

/* ---- start and stop ---- */

static enum xpl_status start(struct xpl_waiting *w, struct xpl_error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = OWN_SERIAL};

    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll_fd < 0 || w->wakeup_fd < 0 || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wakeup_fd, &event) != 0 ||
        pthread_create(&w->thread, NULL, watch_main, w) != 0)
        return xpl_fail(err, XPL_INTERNAL, "the thread for waiting calls cannot be started");
    w->running = true;
    return XPL_OK;
}

enum xpl_status xpl_waiting_start(size_t max_waiters, struct xpl_waiting **ret, struct xpl_error *err)
{
    struct xpl_waiting *w = calloc(1, sizeof *w);
    enum xpl_status st;

    if (!w)
        return xpl_no_memory(err);
    w->max = max_waiters;
    pthread_mutex_init(&w->lock, NULL);
    if ((st = start(w, err))) {
        xpl_waiting_free(w);
        return st;
    }
    *ret = w;
    return XPL_OK;
}

void xpl_waiting_drain(struct xpl_waiting *w)
{
    struct xpl_waiter *list;

    if (!w || !w->running)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    list = take_all(w);
    pthread_mutex_unlock(&w->lock);
    wake_all(list, XPL_WOKEN_STOP);
    nudge(w);
    pthread_join(w->thread, NULL);
    w->running = false;
}

void xpl_waiting_free(struct xpl_waiting *w)
{
    if (!w)
        return;
    xpl_waiting_drain(w);
    if (w->epoll_fd >= 0)
        close(w->epoll_fd);
    if (w->wakeup_fd >= 0)
        close(w->wakeup_fd);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
