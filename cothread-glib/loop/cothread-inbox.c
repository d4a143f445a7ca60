/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-inbox.h"

gboolean
cothread_inbox_push (CothreadInbox *inbox, CothreadMail *mail, gboolean *must_wake)
{
  CothreadMail *old = __atomic_load_n (&inbox->head, __ATOMIC_RELAXED);

  do
    {
      if (G_UNLIKELY (old == COTHREAD_INBOX_CLOSED))
        return FALSE;
      mail->next = old == COTHREAD_INBOX_ASLEEP ? NULL : old;
    }
  while (!__atomic_compare_exchange_n (&inbox->head, &old, mail, TRUE, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
  *must_wake = old == COTHREAD_INBOX_ASLEEP;
  return TRUE;
}

gboolean
cothread_inbox_post (CothreadInbox *inbox, CothreadMail *mail)
{
  gboolean must_wake = FALSE;

  if (!cothread_inbox_push (inbox, mail, &must_wake))
    mail->deliver (mail);
  return must_wake;
}

static void
deliver_all (CothreadMail *mail)
{
  CothreadMail *oldest = NULL;

  while (mail != NULL)
    {
      CothreadMail *next = mail->next;

      mail->next = oldest;
      oldest = mail;
      mail = next;
    }
  while (oldest != NULL)
    {
      /* Read first: the delivery may post this very mail again. */
      CothreadMail *next = oldest->next;

      oldest->deliver (oldest);
      oldest = next;
    }
}

void
cothread_inbox_deliver (CothreadInbox *inbox)
{
  if (!cothread_inbox_is_empty (inbox))
    deliver_all (__atomic_exchange_n (&inbox->head, NULL, __ATOMIC_ACQ_REL));
}

void
cothread_inbox_close (CothreadInbox *inbox)
{
  CothreadMail *mail = __atomic_exchange_n (&inbox->head, COTHREAD_INBOX_CLOSED, __ATOMIC_ACQ_REL);

  if (mail != COTHREAD_INBOX_ASLEEP && mail != COTHREAD_INBOX_CLOSED)
    deliver_all (mail);
}

gboolean
cothread_inbox_sleep (CothreadInbox *inbox)
{
  CothreadMail *head = __atomic_load_n (&inbox->head, __ATOMIC_RELAXED);

  if (head == COTHREAD_INBOX_ASLEEP)
    return TRUE;
  /* The exchange fails exactly if somebody posted since the look above: no
   * mail can slip in between looking and sleeping. */
  return head == NULL && __atomic_compare_exchange_n (&inbox->head, &head, COTHREAD_INBOX_ASLEEP, FALSE,
                                                      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
