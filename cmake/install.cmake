# SPDX-License-Identifier: MIT
# What `cmake --install` puts where: the program, its man page, completions, and as examples the
# settings and set-ups of packaging/. It never writes settings. The systemd unit names the prefix
# that is installed to, so it is made at that time.
include(GNUInstallDirs)

set(completions)
foreach(shell bash zsh fish)
  set(file ${CMAKE_BINARY_DIR}/completion.${shell})
  add_custom_command(OUTPUT ${file} COMMAND peal completion ${shell} > ${file} DEPENDS peal)
  list(APPEND completions ${file})
endforeach()
set(man ${CMAKE_BINARY_DIR}/peal.1.gz)
add_custom_command(OUTPUT ${man} DEPENDS ${CMAKE_SOURCE_DIR}/docs/peal.1
  COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/docs/peal.1 > ${man})
add_custom_target(installed_files ALL DEPENDS ${completions} ${man})

install(TARGETS peal RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${man} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/completion.bash RENAME peal
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CMAKE_BINARY_DIR}/completion.zsh RENAME _peal
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${CMAKE_BINARY_DIR}/completion.fish RENAME peal.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md LICENSE docs/options.md packaging/peal.yaml
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY packaging/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
  FILES_MATCHING PATTERN "*.conf" PATTERN "debian" EXCLUDE PATTERN "systemd" EXCLUDE)
install(CODE "
  set(bindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  configure_file(${CMAKE_SOURCE_DIR}/packaging/systemd/peal.service.in
    ${CMAKE_BINARY_DIR}/peal.service @ONLY)
  file(INSTALL ${CMAKE_BINARY_DIR}/peal.service
    DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
")
