/// Real guests on the real machine, from outside: Debian's kernels through the Java API ([Guest]) and through the
/// `jvirt` command ([Jvirt]).
///
/// What a guest is asked goes through a [Shell] on its serial console. A boot takes a while, so the tests of a
/// class share one guest. Start at [CloudKernelTest].
package org.jvirt.acceptance;
