/* SPDX-License-Identifier: MIT
 * base/banned.h: functions that may not be used. The build includes this file before every source
 * (-include), so a use is a compile error. A source that needs a library's header with macros that
 * use them is compiled with PEAL_BAN_LATER, undefines it behind that header and includes this. */
#if !defined BASE_BANNED_H && !defined PEAL_BAN_LATER
#define BASE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok gmtime localtime
#pragma GCC poison asctime ctime atoi atol atoll
#endif
