/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-fields-private.h"

/* Many structures as a few bytes each. As dictionaries of D-Bus a thousand tasks
 * held the watched main loop for tens of milliseconds: a variant for each member,
 * and each of them written and read one by one.
 *
 * A row has each member in turn, as its letter says: u and i four bytes, t and x
 * eight, b one, s a byte that tells whether there is a text and then the text with
 * its NUL; numbers as the machine has them, since both sides are on one. The names
 * go along, so that a reader of another version finds what it knows. */

/* (as names, s letters, ay rows) */
#define COTHREAD_PACK_VARIANT_TYPE "(assay)"

typedef struct
{
  const CothreadField *fields;
  GByteArray *rows;
} CothreadPacker;

void cothread_packer_init (CothreadPacker *self, const CothreadField *fields);
void cothread_packer_add (CothreadPacker *self, gconstpointer data);
/* A floating variant of that type; frees what the packer has. */
GVariant *cothread_packer_end (CothreadPacker *self);

/* Has each row made by `make`, fills it in and gives it to `take`. What is packed is
 * not believed: it stops where that makes no sense. */
void cothread_unpack (GVariant *packed, const CothreadField *fields, gpointer (*make) (void), void (*take) (gpointer data, gpointer row),
                      gpointer data);
