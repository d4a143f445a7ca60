/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "style.h"

/* Colours are the theme's own, so that light and dark both work. */
static const char css[] =
  ".dash-content { padding: 12px 12px 8px 12px; }"
  ".dash-card, .dash-tiles {"
  "  background-color: @theme_base_color;"
  "  border: 1px solid @borders;"
  "  border-radius: 8px;"
  "}"
  ".dash-card { padding: 10px 12px 12px 12px; }"
  ".dash-tiles > .dash-tile { padding: 8px 6px 8px 12px; }"
  ".dash-tiles > .dash-tile:not(:first-child) { border-left: 1px solid @borders; }"
  ".dash-title { font-weight: bold; }"
  ".dash-caption { font-size: 0.82em; color: alpha(@theme_text_color, 0.7); }"
  ".dash-value { font-size: 1.3em; font-weight: bold; font-feature-settings: 'tnum'; }"
  ".dash-large { font-size: 2em; }"
  ".dash-number { font-feature-settings: 'tnum'; }"
  ".dash-alert { color: @error_color; }"
  "depthplot, turnstrip { font-size: 0.82em; font-feature-settings: 'tnum'; }"
  "columnview.dash-tasks { background-color: transparent; }"
  "columnview.dash-tasks cell { padding: 3px 6px; }";

void
dash_style_load (GdkDisplay *display)
{
  g_autoptr (GtkCssProvider) provider = gtk_css_provider_new ();

  gtk_css_provider_load_from_data (provider, css, -1);
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}
