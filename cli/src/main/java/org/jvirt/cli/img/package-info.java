/// `jvirt img`: disk images, with the verbs, options, output and exit codes of qemu-img.
///
/// One class for each verb, all of them [ImgAction]s; what they do with images is in [org.jvirt.images.tool], here
/// is only what a command line needs: options, and lines or JSON for what came out.
@NullMarked
package org.jvirt.cli.img;

import org.jspecify.annotations.NullMarked;
