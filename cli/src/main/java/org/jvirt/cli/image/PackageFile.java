package org.jvirt.cli.image;

import java.nio.file.Path;

/// A Debian package that is to be installed.
///
/// @param name      such as `libc6`
/// @param file      the downloaded `.deb`
/// @param essential whether it, or another package that needs it, is one without which dpkg and the packages' own
///                  scripts cannot run
record PackageFile(String name, Path file, boolean essential) {}
