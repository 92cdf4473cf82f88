# SPDX-License-Identifier: MIT
# Compiler and linker flags, for all targets.
include_directories(${CMAKE_SOURCE_DIR}/src)
add_compile_definitions(_GNU_SOURCE PEAL_VERSION="${PROJECT_VERSION}")
add_compile_options(
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wswitch-enum -Wundef -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wwrite-strings
  -Wnull-dereference -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=
  -include ${CMAKE_SOURCE_DIR}/src/base/banned.h)
# GCC zeroes structs of more than some 128 octets by `rep stos`, which takes some 30 cycles to begin;
# a publish has ten of them. Moves of vectors instead: GET /up 267 -> 233 ns, a publish 80 ns less
# (bench/bench_requests.c). Not in debug builds, whose commands clang-tidy reads: it knows no such flag.
include(CheckCCompilerFlag)
check_c_compiler_flag(-mmemset-strategy=vector_loop:1024:noalign,libcall:-1:noalign
                      PEAL_HAS_MEMSET_STRATEGY)
if(PEAL_HAS_MEMSET_STRATEGY)
  add_compile_options(
    "$<$<NOT:$<CONFIG:Debug>>:-mmemset-strategy=vector_loop:1024:noalign,libcall:-1:noalign>")
endif()
if(PEAL_WERROR)
  add_compile_options(-Werror)
endif()

# Executables are position-independent where the linker can, whatever its default is.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(PEAL_SANITIZE_ADDRESS)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(PEAL_SANITIZE_THREAD)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(PEAL_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic) # some tests have threads
  add_link_options(--coverage)
endif()
if(PEAL_HARDEN)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
                      -fstack-clash-protection)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(PEAL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
