/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

/* Names of functions. Most callbacks are static: the dynamic linker does not
 * know them, but the symbol table of the file does. It may be a large one, so
 * what was found is kept. */

#define MAX_KEPT 256

typedef struct
{
  const guint8 *data;
  gsize bytes;
} Image;

typedef struct
{
  guint64 offset;
  guint64 bytes;
} Span;

static gboolean
is_inside (const Image *image, Span span)
{
  return span.offset <= image->bytes && span.bytes <= image->bytes - span.offset;
}

static gboolean
get_section (const Image *image, const ElfW (Ehdr) *header, guint index, ElfW (Shdr) *section)
{
  Span span = { header->e_shoff + (guint64) index * sizeof *section, sizeof *section };

  if (index >= header->e_shnum || header->e_shoff > image->bytes || !is_inside (image, span))
    return FALSE;
  memcpy (section, image->data + span.offset, sizeof *section);
  return is_inside (image, (Span) { section->sh_offset, section->sh_type == SHT_NOBITS ? 0 : section->sh_size });
}

static char *
find_in_table (const Image *image, const ElfW (Shdr) *symbols, const ElfW (Shdr) *names, guintptr address)
{
  for (guint64 at = 0; at + sizeof (ElfW (Sym)) <= symbols->sh_size; at += sizeof (ElfW (Sym)))
    {
      ElfW (Sym) symbol;
      const char *name;

      memcpy (&symbol, image->data + symbols->sh_offset + at, sizeof symbol);
      if ((symbol.st_info & 0xf) != STT_FUNC || symbol.st_shndx == SHN_UNDEF || address < symbol.st_value ||
          address - symbol.st_value >= MAX (symbol.st_size, 1) || symbol.st_name >= names->sh_size)
        continue;
      name = (const char *) image->data + names->sh_offset + symbol.st_name;
      if (*name != '\0' && memchr (name, '\0', names->sh_size - symbol.st_name) != NULL)
        return g_strdup (name);
    }
  return NULL;
}

static char *
find_in_image (const Image *image, guintptr address)
{
  ElfW (Ehdr) header;

  if (image->bytes < sizeof header)
    return NULL;
  memcpy (&header, image->data, sizeof header);
  if (memcmp (header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != (sizeof (gpointer) == 8 ? ELFCLASS64 : ELFCLASS32) ||
      header.e_shentsize != sizeof (ElfW (Shdr)))
    return NULL;
  for (guint i = 0; i < header.e_shnum; i++)
    {
      ElfW (Shdr) symbols, names;

      if (get_section (image, &header, i, &symbols) && symbols.sh_type == SHT_SYMTAB &&
          get_section (image, &header, symbols.sh_link, &names) && names.sh_type == SHT_STRTAB)
        return find_in_table (image, &symbols, &names, address);
    }
  return NULL;
}

static char *
find_in_file (const struct link_map *map, guintptr address)
{
  const char *path = map->l_name == NULL || *map->l_name == '\0' ? "/proc/self/exe" : map->l_name;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  Image image;

  if (file == NULL)
    return NULL;
  image = (Image) { (const guint8 *) g_mapped_file_get_contents (file), g_mapped_file_get_length (file) };
  return find_in_image (&image, address - (guintptr) map->l_addr);
}

static char *
find_name (gpointer address, const Dl_info *info, const struct link_map *map)
{
  char *name = info->dli_sname != NULL ? g_strdup (info->dli_sname) : find_in_file (map, (guintptr) address);

  if (name == NULL)
    name = g_strdup_printf ("%s+0x%zx", info->dli_fname, (gsize) ((guint8 *) address - (guint8 *) info->dli_fbase));
  return name;
}

/* Another file may be in the place of one that was unloaded. */
typedef struct
{
  gpointer base;
  char *name;
} Kept;

static void
kept_free (gpointer data)
{
  g_free (((Kept *) data)->name);
  g_free (data);
}

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *all_kept; /* of address: Kept */

static char *
look_up (gpointer address, const Dl_info *info, const struct link_map *map)
{
  Kept *kept;

  if (all_kept == NULL)
    all_kept = g_hash_table_new_full (NULL, NULL, NULL, kept_free);
  kept = g_hash_table_lookup (all_kept, address);
  if (kept != NULL && kept->base == info->dli_fbase)
    return g_strdup (kept->name);
  if (g_hash_table_size (all_kept) >= MAX_KEPT)
    g_hash_table_remove_all (all_kept);
  kept = g_new (Kept, 1);
  *kept = (Kept) { info->dli_fbase, find_name (address, info, map) };
  g_hash_table_replace (all_kept, address, kept);
  return g_strdup (kept->name);
}

char *
cothread_callback_name (CothreadCallbackFunc func)
{
  gpointer address = (gpointer) func;
  struct link_map *map = NULL;
  Dl_info info;
  char *name;

  if (dladdr1 (address, &info, (void **) &map, RTLD_DL_LINKMAP) == 0 || map == NULL)
    return g_strdup_printf ("%p", address);
  pthread_mutex_lock (&kept_lock);
  name = look_up (address, &info, map);
  pthread_mutex_unlock (&kept_lock);
  return name;
}
