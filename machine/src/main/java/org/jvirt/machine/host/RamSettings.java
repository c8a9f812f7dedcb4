package org.jvirt.machine.host;

import java.nio.file.Path;
import java.util.Optional;
import org.jvirt.core.UserErrorException;

/// What a guest's RAM is made of, and what the host promises about it.
///
/// Usually the host overcommits: pages come into being when the guest first touches them, and guests may be
/// promised more together than the host has. With `reserved` all of it is there before the guest starts, or the
/// machine is refused.
///
/// @param pages     how large the host's pages are
/// @param directory of a file system in memory that the RAM is taken from, instead of unnamed memory
/// @param nodes     which NUMA nodes it lies on
/// @param reserved  whether all pages exist from the beginning
/// @param locked    whether it may never be swapped out; this reserves it, too
/// @param mergeable whether the host may share pages that are alike in several guests (KSM)
public record RamSettings(
        Pages pages,
        Optional<Path> directory,
        Optional<Nodes> nodes,
        boolean reserved,
        boolean locked,
        boolean mergeable) {
    /// Ordinary pages, overcommitted, wherever the host likes.
    public static final RamSettings DEFAULT =
            new RamSettings(Pages.ORDINARY, Optional.empty(), Optional.empty(), false, false, false);

    /// The host's pages.
    public enum Pages {
        /// 4 KiB, and transparent huge ones where the host likes.
        ORDINARY,
        /// Huge pages of 2 MiB that the host's administrator has set apart.
        HUGE_2_MIB,
        /// The same of 1 GiB.
        HUGE_1_GIB
    }

    /// How RAM is spread over NUMA nodes.
    ///
    /// @param nodes by number
    public record Nodes(Spread spread, NumberSet nodes) {
        public Nodes {
            if (spread == Spread.PREFERRED && nodes.numbers().size() != 1) {
                throw new UserErrorException(
                        "One memory node can be preferred, not %s: bind or interleave several".formatted(nodes));
            }
        }
    }

    /// What a set of nodes means.
    public enum Spread {
        /// These and no others.
        BIND,
        /// These in turn.
        INTERLEAVE,
        /// This one while it has memory.
        PREFERRED
    }

    public RamSettings {
        if (mergeable && (pages != Pages.ORDINARY || directory.isPresent())) {
            throw new UserErrorException(
                    "Huge pages and memory from a directory cannot be merged: leave one of the two out");
        }
        if (directory.isPresent() && pages != Pages.ORDINARY) {
            throw new UserErrorException(
                    "Memory from %s has that file system's pages: leave the page size out".formatted(directory.get()));
        }
    }

    public RamSettings withPages(Pages newPages) {
        return new RamSettings(newPages, directory, nodes, reserved, locked, mergeable);
    }

    public RamSettings withDirectory(Path newDirectory) {
        return new RamSettings(pages, Optional.of(newDirectory), nodes, reserved, locked, mergeable);
    }

    public RamSettings withNodes(Nodes newNodes) {
        return new RamSettings(pages, directory, Optional.of(newNodes), reserved, locked, mergeable);
    }

    public RamSettings withReserved(boolean newReserved) {
        return new RamSettings(pages, directory, nodes, newReserved, locked, mergeable);
    }

    public RamSettings withLocked(boolean newLocked) {
        return new RamSettings(pages, directory, nodes, reserved, newLocked, mergeable);
    }

    public RamSettings withMergeable(boolean newMergeable) {
        return new RamSettings(pages, directory, nodes, reserved, locked, newMergeable);
    }
}
