#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./dev package: a Debian package and a tarball of the release build, in build/package/. Both are
# what `cmake --install` installs; the package adds /etc/peal/peal.yaml and the user peal
# (packaging/debian/), the tarball is unpacked over /usr/local.
set -eu
# shellcheck source=tools/lib.sh
. tools/lib.sh

if [ $# -gt 0 ]; then
    say "usage: ./dev package"
    exit 64
fi

out=build/package
stage=$out/stage
version=$(sed -n 's/^project(peal VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)

# stage_into PREFIX: what is installed there, under $stage.
stage_into() {
    rm -rf "$stage"
    mkdir -p "$stage"
    DESTDIR=$PWD/$stage cmake --install build/release --prefix "$1" --strip >&2
}

# The packages that have the libraries which the program is linked with.
depends() {
    mkdir -p "$out/shlibs/debian"
    printf 'Source: peal\n\nPackage: peal\nArchitecture: any\n' >"$out/shlibs/debian/control"
    program=$PWD/$stage/usr/bin/peal
    (cd "$out/shlibs" && dpkg-shlibdeps -O --ignore-missing-info -e"$program") |
        sed -n 's/^shlibs:Depends=//p'
}

# What Debian's policy wants elsewhere, or under another name.
debian_places() {
    mkdir -p "$stage/etc/peal" "$stage/DEBIAN"
    mv "$stage/usr/share/doc/peal/peal.yaml" "$stage/etc/peal/peal.yaml"
    mv "$stage/usr/share/doc/peal/LICENSE" "$stage/usr/share/doc/peal/copyright"
    mkdir -p "$stage/usr/share/zsh/vendor-completions"
    mv "$stage/usr/share/zsh/site-functions/_peal" "$stage/usr/share/zsh/vendor-completions/"
    rmdir "$stage/usr/share/zsh/site-functions"
    gzip -9n "$stage/usr/share/doc/peal/CHANGELOG.md"
}

make_deb() {
    arch=$(dpkg --print-architecture)
    deb=$out/peal_${version}_$arch.deb
    stage_into /usr
    debian_places
    needs=$(depends)
    [ -n "$needs" ] || die "dpkg-shlibdeps found no library that peal is linked with"
    sed -e "s/@version@/$version/" -e "s/@arch@/$arch/" -e "s/@depends@/$needs/" \
        -e "s/@size@/$(du -sk "$stage" | cut -f1)/" packaging/debian/control.in \
        >"$stage/DEBIAN/control"
    echo /etc/peal/peal.yaml >"$stage/DEBIAN/conffiles"
    for script in postinst prerm postrm; do
        install -m 755 "packaging/debian/$script" "$stage/DEBIAN/$script"
    done
    chmod -R u=rwX,go=rX "$stage"
    dpkg-deb --root-owner-group --build "$stage" "$deb" >&2
    echo "$deb"
}

make_tarball() {
    name=peal-$version-linux-$(uname -m)
    stage_into /usr/local
    mv "$stage/usr/local" "$out/$name"
    tar -C "$out" --owner=0 --group=0 --sort=name -czf "$out/$name.tar.gz" "$name"
    rm -rf "${out:?}/$name"
    echo "$out/$name.tar.gz"
}

need build
dashboard
build release >&2
rm -rf "$out"
make_deb
make_tarball
rm -rf "$stage" "$out/shlibs"
