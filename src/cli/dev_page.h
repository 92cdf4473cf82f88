/* SPDX-License-Identifier: MIT
 * cli/dev_page.h: what `peal serve --dev` tells whoever started it, on stderr. */
#ifndef CLI_DEV_PAGE_H
#define CLI_DEV_PAGE_H
#include "server/server.h"

void dev_page_print(const struct config *cfg, const struct server *server);
#endif
