# SPDX-License-Identifier: MIT
# The dashboard's page becomes part of the program: what Vite has made of dashboard/ in
# build/dashboard (./dev does that), or nothing.
set(dist ${CMAKE_SOURCE_DIR}/build/dashboard)
file(GLOB_RECURSE dist_files CONFIGURE_DEPENDS ${dist}/*)
set(table ${CMAKE_BINARY_DIR}/dashboard_files.c)
add_custom_command(OUTPUT ${table} DEPENDS ${dist_files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  COMMAND ${CMAKE_COMMAND} -DDIST=${dist} -DOUT=${table} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
target_sources(peal_server PRIVATE ${table})
