/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-format.h"

#define THIN_SPACE "\u202f"

/* Digits in groups of three: 1 234 567. */
char *
ctv_format_count (guint64 count)
{
  char digits[24];
  GString *text = g_string_new (NULL);
  int length = g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, count);

  for (int i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append (text, THIN_SPACE);
      g_string_append_c (text, digits[i]);
    }

  return g_string_free (text, FALSE);
}

char *
ctv_format_us (gint64 us)
{
  if (us < 1000)
    return g_strdup_printf ("%d µs", (int) us);
  if (us < 100000)
    return g_strdup_printf ("%.1f ms", us / 1000.0);
  if (us < 10 * G_USEC_PER_SEC)
    return g_strdup_printf ("%d ms", (int) (us / 1000));

  return g_strdup_printf ("%.0f s", us / 1e6);
}

char *
ctv_format_ns (gint64 ns)
{
  return ns < 1000 ? g_strdup_printf ("%d ns", (int) ns) : ctv_format_us (ns / 1000);
}

/* What a program calls its things need not be UTF-8, nor one line, nor be there. */
char *
ctv_format_text (const char *text)
{
  char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);

  return g_strdelimit (valid, "\n\r\t", ' ');
}
