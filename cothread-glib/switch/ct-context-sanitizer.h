/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "switch/ct-context.h"

#ifdef __SANITIZE_ADDRESS__
#include <pthread.h>
#endif

/* What every backend tells the sanitizers about a context. */

static inline void
ct_context_sanitizer_init (CT_UNUSED CtContext *context, CT_UNUSED const uint8_t *base, CT_UNUSED const uint8_t *limit)
{
#ifdef __SANITIZE_ADDRESS__
  context->bottom = base;
  context->size = (size_t) (limit - base);
#endif
#ifdef __SANITIZE_THREAD__
  context->fiber = __tsan_create_fiber (0);
#endif
}

static inline void
ct_context_sanitizer_init_thread (CT_UNUSED CtContext *context)
{
#ifdef __SANITIZE_ADDRESS__
  pthread_attr_t attributes;
  void *base;

  if (pthread_getattr_np (pthread_self (), &attributes) == 0)
    {
      pthread_attr_getstack (&attributes, &base, &context->size);
      context->bottom = base;
      pthread_attr_destroy (&attributes);
    }
#endif
#ifdef __SANITIZE_THREAD__
  context->fiber = __tsan_get_current_fiber ();
#endif
}

static inline void
ct_context_sanitizer_clear (CT_UNUSED CtContext *context)
{
#ifdef __SANITIZE_THREAD__
  if (context->fiber != NULL && context->fiber != __tsan_get_current_fiber ())
    __tsan_destroy_fiber (context->fiber);
  context->fiber = NULL;
#endif
}
