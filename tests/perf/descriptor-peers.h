/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Eventfds that become ready, and the other ways to wait for them. */

typedef struct
{
  guint watched;
  guint ready; /* at the same time */
  guint rounds;
} DescriptorLoad;

typedef struct
{
  gint fd;
  guint *n_read; /* shared by all */
} Descriptor;

void descriptors_raise_limit (void);
Descriptor *descriptors_open (const DescriptorLoad *load);
void descriptors_close (const DescriptorLoad *load, Descriptor *descriptors);

void descriptor_read (Descriptor *descriptor);

/* Makes some of them ready, then calls `iterate` until all of those are read;
 * returns the nanoseconds of the latter for each descriptor. */
double descriptors_measure (const DescriptorLoad *load, const Descriptor *descriptors,
                            void (*iterate) (gpointer data), gpointer data);

/* The peers; their data are a DescriptorLoad. */
double descriptors_one_source (gpointer load);
double descriptors_source_each (gpointer load);
double descriptors_bare_epoll (gpointer load);
