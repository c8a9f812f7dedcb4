/// The rules of the house, checked on the class files of every module.
///
/// Start with [JvirtModule], the table of modules and of what each may know. [ModuleRulesTest] keeps it, and
/// [CodeRulesTest] keeps what is forbidden everywhere or reserved to one module. The `samples` package holds
/// classes that break the rules, so that each rule is seen to bite.
@NullMarked
package org.jvirt.architecture;

import org.jspecify.annotations.NullMarked;
