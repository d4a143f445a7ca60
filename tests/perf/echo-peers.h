/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* An echo server under a client that writes to every connection, lets the
 * server run until it has answered all, and reads the answers. Both are in one
 * thread, so that no other program's turn on the processor comes between; or the
 * client is a process of its own, and what the server's thread uses is measured. */

typedef struct
{
  guint n_connections;
  guint n_rounds;
  /* The client is a process of its own, and what is measured is the processor
   * time of the server; else it is the time of a round trip, client included. */
  gboolean is_client_elsewhere;
} EchoLoad;

#define ECHO_MESSAGE_BYTES 64

/* The server: counts what it has answered. */
extern guint echo_n_answered;

/* A listening socket for the server; echo_measure() connects to it. */
gint echo_listen (guint16 *port);
/* Nanoseconds for each round trip. */
double echo_measure (const EchoLoad *load, guint16 port, void (*iterate) (gpointer data), gpointer data);

/* The peers; the argument is an EchoLoad. */
double echo_bare_epoll (gpointer load);
double echo_socket_service (gpointer load);
