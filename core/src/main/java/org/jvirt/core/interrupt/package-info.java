/// What the interrupt controllers and the interval timer of a PC remember, as records that check themselves: the
/// 8259
/// pair with its ELCR ([PicState]), the IO-APIC ([IoApicState]), the local APICs ([LocalApicState]), all of them
/// together ([PcInterruptsState]), and the 8254 ([PitState]).
///
/// Whoever has these controllers, the machine or an engine, saves and takes over the same records, so that a
/// machine saved on one engine goes on on another. Times in them are guest nanoseconds, or ticks counted from
/// power-on.
@NullMarked
package org.jvirt.core.interrupt;

import org.jspecify.annotations.NullMarked;
