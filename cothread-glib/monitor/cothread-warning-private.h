/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task-private.h"
#include "monitor/cothread-warning.h"

/* Takes the message. */
CothreadWarning *cothread_warning_new (CothreadWarningKind kind, const CothreadTask *task, char *message);

/* What a CothreadMonitor::warning is made of: finds what is new since the last
 * call. Belongs to one thread; failures come in from any. */
typedef struct _CothreadChecker CothreadChecker;

CothreadChecker *cothread_checker_new (CothreadScheduler *scheduler);
void cothread_checker_free (CothreadChecker *checker);
/* (element-type CothreadWarning) */
GPtrArray *cothread_checker_run (CothreadChecker *checker);
