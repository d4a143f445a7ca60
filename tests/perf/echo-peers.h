/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* An echo server under a client. What is measured: */
typedef enum
{
  /* The time of a round trip, client included. The client writes to every
   * connection, lets the server run until it has answered all, and reads the
   * answers. Both are in one thread, so that no other program's turn on the
   * processor comes between. */
  ECHO_BOTH,
  /* The same without what the client's own calls take, which is the same for
   * every server. */
  ECHO_ALONE,
  /* The processor time of the server's thread. The client does the same in a
   * process of its own. */
  ECHO_SERVER,
  /* The time between two answers. The client is a process of its own, which
   * answers each answer at once; where its own part (client_ns) is not much less,
   * it is the client that is measured. */
  ECHO_RATE,
} EchoMeasure;

typedef struct
{
  guint n_connections;
  guint n_rounds;
  EchoMeasure what;
  double client_ns; /* out, the least: the client's own part of a round trip */
} EchoLoad;

#define ECHO_MESSAGE_BYTES 64

/* The server: counts what it has answered. */
extern guint echo_n_answered;

/* A listening socket for the server; echo_measure() connects to it. */
gint echo_listen (guint16 *port);
/* Nanoseconds for each round trip. */
double echo_measure (EchoLoad *load, guint16 port, void (*iterate) (gpointer data), gpointer data);

/* The peers; the argument is an EchoLoad. */
double echo_bare_epoll (gpointer load);
double echo_socket_service (gpointer load);
