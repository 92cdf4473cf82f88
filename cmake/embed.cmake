# SPDX-License-Identifier: MIT
# cmake -DDIST=FOLDER -DOUT=FILE -P embed.cmake: the files of FOLDER as a C table (src/server/
# dashboard_files.h), each as it is and gzipped. Without FOLDER the table is empty.
set(types html text/html js text/javascript css text/css svg image/svg+xml) # all UTF-8

string(REPEAT "." 80 line) # of 16 octets

function(array name file)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
  string(REGEX REPLACE "(${line})" "\\1\n" octets "${octets}")
  file(APPEND ${OUT} "static const unsigned char ${name}[] = {\n${octets}\n};\n")
endfunction()

file(WRITE ${OUT} "/* Made by cmake/embed.cmake. */\n#include \"server/dashboard_files.h\"\n")
file(GLOB_RECURSE files RELATIVE ${DIST} ${DIST}/*)
list(SORT files)
set(rows "")
set(n 0)
foreach(name IN LISTS files)
  string(REGEX REPLACE ".*\\." "" ending ${name})
  list(FIND types ${ending} at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${DIST}/${name}: no content type for .${ending} in cmake/embed.cmake")
  endif()
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  execute_process(COMMAND gzip -9nc ${DIST}/${name} OUTPUT_FILE ${OUT}.gz RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "gzip: ${failed}")
  endif()
  file(SHA256 ${DIST}/${name} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  array(raw_${n} ${DIST}/${name})
  array(gzip_${n} ${OUT}.gz)
  file(REMOVE ${OUT}.gz)
  string(APPEND rows "    { SPAN(\"${name}\"), SPAN(\"${type}; charset=utf-8\"), SPAN(\"\\\"${hash}\\\"\"), OCTETS(raw_${n}), OCTETS(gzip_${n}) },\n")
  math(EXPR n "${n} + 1")
endforeach()
file(APPEND ${OUT} "#define OCTETS(a) { (const char *)(a), sizeof(a) }\n"
  "const struct dashboard_file dashboard_files[] = {\n${rows}"
  "    { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } },\n};\n"
  "const size_t dashboard_n_files = ${n};\n")
