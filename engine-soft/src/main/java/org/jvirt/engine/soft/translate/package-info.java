/// The translator: 64-bit guest code becomes host code, block by block.
///
/// [org.jvirt.engine.soft.translate.Translator] is one processor's: it translates blocks that the interpreter has
/// found to be hot, runs them, and says what is to be done when they come back. Generated code is kept in
/// [org.jvirt.engine.soft.translate.CodeCache]; what it looks like is the business of the package `emit`, what
/// memory it works on that of `memory`, and vector registers that of `vector`.
@NullMarked
package org.jvirt.engine.soft.translate;

import org.jspecify.annotations.NullMarked;
