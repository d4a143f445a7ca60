/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hash-file.h"

#include "hash-pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

static gboolean
hash_descriptor (int fd, int *stopping, GChecksum *checksum, gint64 *bytes)
{
  guint8 chunk[CHUNK_BYTES];
  gssize n;

  while (!g_atomic_int_get (stopping))
    {
      n = read (fd, chunk, sizeof chunk);
      if (n == 0)
        return TRUE;
      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        {
          g_checksum_update (checksum, chunk, n);
          *bytes += n;
        }
    }

  return FALSE;
}

/* The file may have changed since the walk saw it: it is opened so that
 * neither a link nor a pipe in its place can lead astray or block. */
gboolean
dash_hash_file (const char *path, int *stopping, guint8 *digest, gint64 *bytes)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = DASH_DIGEST_BYTES;
  struct stat info;
  gboolean hashed;
  int fd;

  fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return FALSE;

  hashed = fstat (fd, &info) == 0 && S_ISREG (info.st_mode) && hash_descriptor (fd, stopping, checksum, bytes);
  close (fd);
  if (hashed)
    g_checksum_get_digest (checksum, digest, &length);

  return hashed;
}
