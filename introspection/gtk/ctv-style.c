/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-style.h"

/* Colours are the theme's own, so that light and dark both work. */
static const char css[] =
  ".ctv-content { padding: 12px 12px 8px 12px; }"
  ".ctv-card, .ctv-tiles {"
  "  background-color: @theme_base_color;"
  "  border: 1px solid @borders;"
  "  border-radius: 8px;"
  "}"
  ".ctv-card { padding: 10px 12px 12px 12px; }"
  ".ctv-tiles > .ctv-tile { padding: 8px 6px 8px 12px; }"
  ".ctv-tiles > .ctv-tile:not(:first-child) { border-left: 1px solid @borders; }"
  ".ctv-title { font-weight: bold; }"
  ".ctv-caption { font-size: 0.82em; color: alpha(@theme_text_color, 0.7); }"
  ".ctv-value { font-size: 1.3em; font-weight: bold; font-feature-settings: 'tnum'; }"
  ".ctv-large { font-size: 2em; }"
  ".ctv-number { font-feature-settings: 'tnum'; }"
  ".ctv-alert { color: @error_color; }"
  "depthplot, turnstrip, histogram { font-size: 0.82em; font-feature-settings: 'tnum'; }"
  ".ctv-detail { padding: 2px 0 2px 12px; }"
  "columnview.ctv-tasks { background-color: transparent; }"
  "columnview.ctv-tasks cell { padding: 3px 6px; }";

#define LOADED_KEY "ctv-style-is-loaded"

/* The Inspector has a display of its own, so that it has to be said for each. */
void
ctv_style_load (GdkDisplay *display)
{
  g_autoptr (GtkCssProvider) provider = NULL;

  if (g_object_get_data (G_OBJECT (display), LOADED_KEY) != NULL)
    return;

  provider = gtk_css_provider_new ();
  gtk_css_provider_load_from_data (provider, css, -1);
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_object_set_data (G_OBJECT (display), LOADED_KEY, GINT_TO_POINTER (TRUE));
}
