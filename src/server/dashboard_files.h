/* SPDX-License-Identifier: MIT
 * server/dashboard_files.h: the files of the dashboard's page; the table is made by
 * cmake/embed.cmake. */
#ifndef SERVER_DASHBOARD_FILES_H
#define SERVER_DASHBOARD_FILES_H
#include "base/span.h"

struct dashboard_file {
    struct span name; /* relative: index.html, assets/index.js */
    struct span type;
    struct span etag; /* with its quotes */
    struct span raw, gzip;
};
extern const struct dashboard_file dashboard_files[]; /* one more than there are, empty */
extern const size_t dashboard_n_files;                /* 0: built without the page */
#endif
