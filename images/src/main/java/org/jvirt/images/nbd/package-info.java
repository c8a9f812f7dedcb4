/// Network block devices (NBD), by the document `doc/proto.md` of the NetworkBlockDevice project: what client and
/// server share, and the client. The server is in `org.jvirt.images.nbd.server`.
///
/// ```
/// NbdUri, NbdTarget   where a disk is: nbd://host/export, nbd+unix:///export?socket=PATH, or options
/// NbdFile             the client: a served disk as the file that image formats are laid out in
/// NbdListing          what a server offers
/// Link                one connection of the client, with many requests in flight
/// Transport           the bytes of a connection, plain or TLS
/// TlsCredentials      certificates in a folder, as QEMU keeps them
/// ```
@NullMarked
package org.jvirt.images.nbd;

import org.jspecify.annotations.NullMarked;
